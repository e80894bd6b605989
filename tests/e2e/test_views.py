"""What a ClearML program is given as its whole file: Get's `view`."""

import socket

import pytest
from harness import FAST, wait_until
from varlink import VarlinkError

KEYS = "credentials.access_key: theirs, credentials.secret_key: theirs-secret-1"


@pytest.fixture
def serving(home, server, daemon, conf):
    """serving(vault, local..., settings...): the daemon, once it has the vault."""
    def start(vault, local="", more=""):
        home.settings(FAST + more)
        home.conf(conf(local))
        server.state.set_vaults([vault, "last: 1"])
        daemon.start()
        daemon.wait_value("last", 1)
        return daemon
    return start


@pytest.fixture
def listener():
    """Where a vault would like to have the keys sent."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        yield other


def nobody_came(listener):
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_keys_stay_with_the_configured_host(serving, server, listener):
    other = "http://127.0.0.1:%d" % listener.getsockname()[1]
    daemon = serving(f'api {{ api_server: "{other}", host: "{other}", {KEYS}, new: 1 }}')
    assert daemon.get("api.api_server") == other  # the resolved tree is ClearML's own
    assert daemon.get("api.api_server", view="served") == other
    for environment in ({}, {"environment": {}}):
        api = daemon.get("api", view="merged", **environment)
        assert api["api_server"] == server.url and "host" not in api and api["new"] == 1
        assert "theirs" not in str(api)
        assert "new" not in daemon.get("api", view="live", **environment)
    nobody_came(listener)


def test_a_variable_of_the_callers_holds(serving):
    daemon = serving("api.api_server: theirs")
    api = daemon.get("api", view="merged", environment={"CLEARML_API_HOST": "http://mine"})
    assert api["api_server"] == "http://mine"
    assert "last" not in daemon.get(view="live", environment={"CLEARML_API_HOST": "http://mine"})


def test_the_agents_own_keys_are_its_own(serving):
    """Nothing below has them: two agents of one name would be one too many."""
    vault = 'agent { worker_id: "fixed-id", default_python: "3.6", other: 1 }'
    daemon = serving(vault)
    assert daemon.get("agent")["worker_id"] == "fixed-id"
    assert daemon.get("agent", view="merged") == {"other": 1}
    with pytest.raises(VarlinkError, match="PathNotFound"):
        daemon.get("agent.worker_id", view="merged")


def test_settings_lock_more_without_a_restart(serving, home):
    daemon = serving("sdk { a: theirs, b: theirs }", "sdk { a: mine, b: mine }")
    assert daemon.get("sdk", view="merged") == {"a": "theirs", "b": "theirs"}
    home.settings(FAST + "[lock]\nkeys = sdk.a\n")
    daemon.reload()
    wait_until(lambda: daemon.get("sdk", view="merged") == {"a": "mine", "b": "theirs"}, "the lock")
    assert daemon.get("sdk") == {"a": "theirs", "b": "theirs"}


def test_a_lock_that_is_no_path_is_told_with_its_place(home):
    settings = home.settings("[lock]\nkeys = sdk.a\nkeys = sdk..b\n")
    found = home.daemon("--check")
    assert found.returncode == 1
    assert f"{settings}:3:8: keys: expected paths of keys" in found.stdout


def test_status_warns_of_the_vault(serving, home):
    vault = 'x: 1\napi {\n  host: "theirs-host"\n  credentials.access_key: k\n}'
    daemon = serving({"id": "theirs", "data": vault})
    layer = daemon.layer("theirs")
    assert layer["state"] == "ok" and (layer["line"], layer["column"]) == (3, 9)
    assert layer["error"] == ("sets api.host at 3:9, api.credentials at 4:27, which is locked: "
                              "exec and dumps keep what lies below the vaults")
    assert [layer["source"] for layer in daemon.layers() if "error" in layer] == ["theirs"]
    assert ":3:9: sets api.host" in home.client("status", check=0).stdout
    assert daemon.status()["state"] == "ready"


def test_check_points_at_what_a_vault_sets_in_vain(serving, home):
    serving({"description": "theirs", "data": 'x: 1\napi.host: "theirs-host"'}).stop()
    found = home.daemon("--check")
    assert found.returncode == 0, found.stdout
    assert ("vault theirs:2:11: warning: api.host is locked: exec and dumps keep what lies below the "
            "vaults\n") in found.stdout


def test_explain_tells_what_programs_get(serving, server, home):
    daemon = serving("api.api_server: theirs\nagent.worker_id: theirs")
    leaf, = daemon.call("Explain", path="api.api_server")["leaves"]
    assert leaf["note"] == (f'api.api_server is locked: exec and dumps get "{server.url}" of file '
                            f'{home.path}/clearml.conf:1:19')
    leaf, = daemon.call("Explain", path="agent.worker_id")["leaves"]
    assert leaf["note"] == "agent.worker_id is locked: exec and dumps leave this out"


def test_a_new_vault_is_in_the_next_answer(serving, server):
    daemon = serving("api.host: theirs\nx: 1")
    assert daemon.get("x", view="merged") == 1
    server.state.set_vaults(["api.host: theirs\nx: 2", "last: 2"])
    daemon.wait_value("last", 2)
    assert daemon.get("x", view="merged") == 2
    assert daemon.get("x", view="served") == 2


def test_masks_are_the_same(serving):
    daemon = serving('api.host: theirs\nteam.password: "theirs-secret-2"',
                     'mine.password: "mine-secret-2"')
    for view in ("merged", "live"):
        tree = daemon.get(view=view, mask=True)
        assert tree["mine"] == {"password": "****"}
        assert "secret-2" not in str(tree)


@pytest.mark.parametrize("view", ["", "Merged", 1, ["merged"], {}])
def test_another_view_is_refused(serving, view):
    daemon = serving("x: 1")
    with pytest.raises(VarlinkError, match="InvalidParameter.*view"):
        daemon.get(view=view)
