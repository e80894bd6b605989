"""The model of tests/e2e/fleet_model.py with many seeds: SEEDS="1-100"."""

import os
import pathlib
import sys

import pytest
from host import library, needs_shim  # noqa: F401

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from fleet_model import cluster, run  # noqa: E402, F401

FIRST, LAST = map(int, os.environ.get("SEEDS", "1-100").split("-"))


@needs_shim
@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_the_fleet_comes_to_what_etcd_holds(seed, cluster, short_folder, library):  # noqa: F811
    run(seed, cluster, short_folder, library)
