"""Staged arrival, held and released, skipped and taken, killed and started, by seeds: arrival_model.py."""

import pytest
from arrival_model import SETTINGS, World
from arriving import StagedHost
from host import library, needs_shim  # noqa: F401

pytestmark = needs_shim


@pytest.mark.parametrize("seed", range(1, 31))
def test_a_host_serves_what_it_should(library, conf, server, short_folder, seed):  # noqa: F811
    server.state.set_vaults([{"id": "v", "data": "k: 1", "last_update": "2026-11-01T00:00:00+00:00"}])
    host = StagedHost(short_folder / "h", library, seed, conf(), SETTINGS)
    with host.daemon:
        host.daemon.wait_value("k", 1)
        host.daemon.wait_state("ready")
        world = World(host, server, seed)
        world.live(20)
