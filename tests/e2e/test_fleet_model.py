"""A fleet that lives at random comes to what its etcd holds, and `clearconf fleet` says so. More seeds:
`make test-long`."""

import pytest
from fleet_model import cluster, run  # noqa: F401
from host import library, needs_shim  # noqa: F401


@needs_shim
@pytest.mark.parametrize("seed", range(1, 4))
def test_the_fleet_comes_to_what_etcd_holds(seed, cluster, short_folder, library):  # noqa: F811
    run(seed, cluster, short_folder, library)
