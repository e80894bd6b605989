"""A fleet that lives at random comes to what its etcd holds, and `clearconf fleet` says so. More seeds:
`make test-long`."""

import pytest
from etcd import Cluster
from fleet_model import run
from host import library, needs_shim  # noqa: F401


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("etcd")) as cluster:
        yield cluster


@needs_shim
@pytest.mark.parametrize("seed", range(1, 4))
def test_the_fleet_comes_to_what_etcd_holds(seed, cluster, tmp_path_factory, library):  # noqa: F811
    run(seed, cluster, tmp_path_factory.mktemp("f"), library)  # a socket has a short path
