"""What who may edit a vault can do to a host, and what not: see daemon/doc/security.md."""

import pytest
from clearml_server import ClearMLServer
from harness import FAST

PRIVATE = "not-the-vaults-4711"


@pytest.fixture
def serving(home, server, daemon, conf):
    """serving(vault, settings...): the daemon, once it has had this vault."""
    def start(vault, more=""):
        home.settings(FAST + more)
        home.conf(conf("agent.worker_id: mine"))
        server.state.set_vaults([vault, "last: 1"])
        daemon.start()
        daemon.wait_value("last", 1)
        return daemon
    return start


@pytest.mark.parametrize("kind", ["include", "include file", "include required", "include url"])
def test_it_cannot_read_files(serving, home, kind):
    path = home.write("private.conf", f"stolen = {PRIVATE}\n")
    name = {"include": f'include "{path}"', "include file": f'include file("{path}")',
            "include required": f'include required(file("{path}"))',
            "include url": f'include url("file://{path}")'}[kind]
    daemon = serving(f"before: 1\n{name}\n")
    assert PRIVATE not in str(daemon.get(mask=False))


def test_it_reads_the_variables_it_may(serving, daemon):
    daemon.env.update(SEEN="seen-1", UNSEEN=PRIVATE)
    serving("a: ${?SEEN}\nb: ${?UNSEEN}\n", "[local]\nvault_environment = SEEN\n")
    tree = daemon.get(mask=False)
    assert tree["a"] == "seen-1" and "b" not in tree
    assert PRIVATE not in str(tree)


def test_what_it_may_read_is_as_the_settings_now_say(serving, daemon, home):
    daemon.env.update(SEEN="seen-1")
    serving("a: ${?SEEN}\n", "[local]\nvault_environment = SEEN\n")
    assert daemon.get("a") == "seen-1"
    home.settings(FAST + "[local]\nvault_environment = HOME\n")
    daemon.reload()
    assert "a" not in daemon.get(mask=False)
    home.settings(FAST + "[local]\nvault_environment = SEEN\n")
    daemon.reload()
    assert daemon.get("a") == "seen-1"


def test_it_cannot_lead_the_daemon_to_another_server(serving, home, server):
    """Nor to other keys: the login is what lies below the vaults."""
    with ClearMLServer() as other:
        daemon = serving(f'api.api_server: "{other.url}"\napi.credentials.access_key: other\n'
                         "api.verify_certificate: false\n")
        assert daemon.get("api.api_server") == other.url  # programs are told, as ClearML's are
        daemon.reload()
        server.wait_for("users.get_vaults", server.count("users.get_vaults") + 3)
        assert other.count() == 0
        assert daemon.workspace()["server"]["api_server"] == server.url


def test_it_cannot_take_a_mask_away(serving):
    daemon = serving('agent.sanitize_config_printout.hide_secrets: []\n'
                     f'team.password: "{PRIVATE}"\nshown: "{PRIVATE}"\n')
    assert PRIVATE not in str(daemon.get(mask=True))


def test_it_cannot_rename_an_agent(serving):
    """What a host says of the agent's own keys holds."""
    daemon = serving("agent.worker_id: theirs\nagent.other: theirs\n")
    assert daemon.get("agent") == {"worker_id": "mine", "other": "theirs"}
