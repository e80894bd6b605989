"""The model of tests/e2e/watch_model.py with many seeds: SEEDS="1-100"."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from watch_model import run  # noqa: E402

FIRST, LAST = map(int, os.environ.get("SEEDS", "1-100").split("-"))


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_every_watcher_comes_to_know_what_is(seed, home, server):
    run(seed, home, server)
