"""Watchers of every temper in a world that changes at random: in the end each
knows what is. More seeds: `make test-long`."""

import pytest
from watch_model import run


@pytest.mark.parametrize("seed", range(1, 5))
def test_every_watcher_comes_to_know_what_is(seed, home, server):
    run(seed, home, server)
