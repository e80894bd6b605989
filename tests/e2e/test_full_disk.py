"""A disk that is full, fails or may only be read, and every writer there is.

The cache and the generation are in test_system_faults.py. What is written is there whole or not at
all, the old file stays, and who asked is told; once there is room, it works.
"""

import errno
import os

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import FAST, Daemon, wait_until
from host import host, library, needs_shim  # noqa: F401

pytestmark = needs_shim

FAULTS = [("write", errno.ENOSPC), ("fsync", errno.EIO), ("create", errno.EROFS)]
IDS = [call for call, _ in FAULTS]
PAIR = "config/clearconf/pair.conf"
TWO = ("[workspace red]\napi_server = {url}\ncredentials_file = pair.conf\nactive = yes\n"
       "[workspace blue]\napi_server = {url}\ncredentials_file = pair.conf\n")


@pytest.fixture
def served(home, host, server):  # noqa: F811
    home.settings(FAST.replace("timeout = 10s", "timeout = 3s") + TWO.format(url=server.url))
    home.write(PAIR, f"api.credentials {{ access_key: {ACCESS_KEY}, secret_key: \"{SECRET_KEY}\" }}\n")
    (home.path / PAIR).chmod(0o600)
    home.conf("a: 1")
    with Daemon(home, env=host.env) as daemon:
        daemon.wait_state("ready")
        yield daemon


def keys(server):
    return {pair.access_key for pair in server.state.user().credentials}


@pytest.mark.parametrize("call, error", FAULTS, ids=IDS)
def test_a_rotation_makes_no_key_that_it_cannot_keep(home, served, host, server, call, error):  # noqa: F811
    before = (home.path / PAIR).read_bytes()
    host.fail(call, error)
    done = home.client("credentials", "rotate", check=6)
    assert os.strerror(error) in done.stderr
    assert (home.path / PAIR).read_bytes() == before
    wait_until(lambda: keys(server) == {ACCESS_KEY}, "no key but the old one")
    host.heal()
    home.client("credentials", "rotate", "--grace", "0", check=0)
    wait_until(lambda: ACCESS_KEY not in keys(server), "the end of the old pair")
    assert len(keys(server)) == 1


@pytest.mark.parametrize("call, error", FAULTS, ids=IDS)
def test_the_active_workspace_is_used_though_it_is_not_kept(home, served, host, call, error):  # noqa: F811
    host.fail(call, error)
    home.client("workspace", "use", "blue", check=0)
    assert served.workspace("blue")["active"]
    wait_until(lambda: "event=active-not-kept" in served.log(), "the warning")
    host.heal()
    home.client("workspace", "use", "red", check=0)
    home.client("workspace", "use", "blue", check=0)
    served.stop()
    with Daemon(home) as again:
        assert again.workspace("blue")["active"]


@pytest.mark.parametrize("call, error", FAULTS[:1] + FAULTS[2:], ids=["write", "create"])
def test_a_command_is_not_run_with_half_a_file(home, served, host, call, error):  # noqa: F811
    home.env.update(host.env)
    host.fail(call, error)
    done = home.client("exec", "--", "sh", "-c", "echo ran", check=125)
    assert "ran" not in done.stdout and os.strerror(error) in done.stderr
    host.heal()
    assert home.client("exec", "--", "sh", "-c", "echo ran", check=0).stdout == "ran\n"
    assert not list((home.run / "clearconf").glob("exec.*"))


@pytest.mark.parametrize("call, error", FAULTS, ids=IDS)
def test_a_dump_stays_as_it_was(home, served, host, call, error):  # noqa: F811
    path = home.path / "out.json"
    home.client("dump", "--output", path, check=0)
    before = path.read_bytes()
    home.conf("a: 2")
    served.wait_value("a", 2)
    home.env.update(host.env)
    host.fail(call, error)
    done = home.client("dump", "--output", path, check=1)
    assert os.strerror(error) in done.stderr and path.read_bytes() == before
    assert [each.name for each in home.path.glob("*out.json*")] == ["out.json"]
    host.heal()
    home.client("dump", "--output", path, check=0)
    assert path.read_bytes() != before
