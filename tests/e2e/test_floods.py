"""A server or an etcd that sends as fast as it can is nobody's business but its own: whoever asks
the socket meanwhile is answered, and no turn of the loop gets long."""

import pytest
from clearml_failures import FLOODS, Wire
from flooding_etcd import FloodingEtcd
from harness import FAST, SANITIZED, TURN_MS, wait_until

GETS = 300
MEMORY = 256 << 20


def resident(daemon):
    with open(f"/proc/{daemon.process.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


def is_answered_while(daemon, flooded):
    """Gets are answered while `flooded()` grows."""
    before = wait_until(flooded, "the flood")
    with daemon.connect() as client:
        for _ in range(GETS):
            assert client.call("io.clearconf.Get", path="local")["value"] == 1
    wait_until(lambda: flooded() > before, "more of the flood")
    assert daemon.longest_turn_ms() < TURN_MS
    if not SANITIZED:
        assert resident(daemon) < MEMORY


@pytest.mark.parametrize("kind", FLOODS)
def test_a_server_that_floods_silences_nobody(home, conf, server, daemon, kind):
    home.settings(FAST)
    home.conf(conf("local: 1"))
    daemon.start()
    daemon.wait_state("ready")
    start = Wire.flooded
    server.fail("flood", kind=kind)
    is_answered_while(daemon, lambda: Wire.flooded - start)
    server.clear_failures()
    server.state.set_vaults(["after: 1"])
    daemon.wait_value("after", 1)


@pytest.mark.parametrize("kind", FloodingEtcd.EVENTS)
def test_an_etcd_that_floods_silences_nobody(home, daemon, kind):
    with FloodingEtcd(kind) as etcd:
        home.settings(f"[poll]\ntimeout = 3s\n[site]\netcd = {etcd.url}\nprobe = 1s\n")
        home.conf("local: 1")
        daemon.start()
        is_answered_while(daemon, lambda: etcd.sent)
