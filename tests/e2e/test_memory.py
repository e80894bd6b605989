"""What is kept has a bound in bytes, however large a vault is and however often it changes."""

import json

import pytest
from harness import FAST, SANITIZED, wait_until

MIB = 1 << 20


def peak(daemon):
    """Bytes that the daemon has had resident at most."""
    with open(f"/proc/{daemon.process.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


def vault(size, serial):
    """size bytes of values of a kilobyte; each serial is another text."""
    lines = [f"serial = {serial}"]
    lines += [f'section{i // 100}.key{i} = "{i:08}{"x" * 1000}"' for i in range(size // 1030)]
    return "\n".join(lines)


def change(server, daemon, size, times):
    for serial in range(times):
        server.state.set_vaults([vault(size, serial)])
        daemon.wait_value("serial", serial)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer takes memory of its own")
@pytest.mark.parametrize("size, times, limit", [(1 * MIB, 30, 128 * MIB), (16 * MIB, 3, 256 * MIB)])
def test_a_large_vault_that_changes_often(home, server, conf, daemon, size, times, limit):
    """tests/long/test_large_vaults.py has more patience."""
    home.settings(FAST)
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    change(server, daemon, size - 64 * 1024, times)
    assert peak(daemon) < limit
    assert daemon.call("Watch", since=0)["resync"]  # what does not fit is forgotten, and said so


def test_a_small_one_is_remembered_as_often_as_the_settings_say(home, server, conf, daemon):
    home.settings(FAST)
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    change(server, daemon, 2000, 20)
    assert len(daemon.call("History", limit=100)["generations"]) >= 20


@pytest.mark.skipif(SANITIZED, reason="a sanitizer takes memory of its own")
def test_an_answer_of_zeros_is_no_document(home, server, conf, daemon):
    """Each zero is two bytes of JSON, and fifty of memory."""
    home.settings(FAST)
    home.conf(conf("local: 1"))
    daemon.start()
    daemon.wait_state("ready")
    body = '{"meta": {"result_code": 200}, "data": {"vaults": [' + "0," * (20 * MIB) + "0]}}"
    assert json.loads(body[:52] + "]}}")
    server.fail("page", endpoint="users.get_vaults", status=200, body=body,
                content_type="application/json")
    wait_until(lambda: daemon.last_error(), "the answer to be refused")
    assert daemon.get("local") == 1
    assert peak(daemon) < 192 * MIB
