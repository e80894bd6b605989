"""A server that takes the credentials back, and one that is away for long."""

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import FAST, wait_until

REFUSED = {"status": 401, "code": 401, "subcode": 22}


@pytest.fixture
def served(home, conf, daemon, server):
    """Start a daemon that has the vault `team: 1`."""
    def start(settings):
        server.state.set_vaults([{"data": "team: 1"}])
        home.settings(FAST + settings)
        home.conf(conf("a: 1"))
        daemon.start()
        daemon.wait_state("ready")
        daemon.wait_value("team", 1)
        return daemon
    return start


def take_back(server):
    server.state.revoke_credentials(ACCESS_KEY)
    server.state.invalidate_tokens()


def give_again(server):
    server.state.add_credentials(access_key=ACCESS_KEY, secret_key=SECRET_KEY)


def wait_refused(daemon):
    wait_until(lambda: daemon.workspace()["state"] == "refused", "refused")


def test_within_the_grace_nothing_changes(served, server):
    daemon = served("revoked_grace = 1h\n")
    generation = daemon.call("Get")["generation"]
    take_back(server)
    wait_refused(daemon)
    assert "failed to locate provided credentials" in daemon.last_error()
    answer = daemon.call("Get")
    assert answer["value"]["team"] == 1 and answer["generation"] == generation
    assert answer["state"] == "degraded"
    give_again(server)
    daemon.wait_state("ready")
    assert daemon.workspace()["state"] == "ready"


def test_beyond_the_grace_vaults_are_dropped_and_everyone_is_told(served, server):
    daemon = served("revoked_grace = 100ms\n")
    with daemon.connect() as watcher:
        watcher.watch()
        take_back(server)
        assert watcher.changes() == {"team": ("removed", None)}
    assert daemon.get("a") == 1
    assert daemon.workspace()["state"] == "refused"
    assert "vaults-dropped" in daemon.log()
    give_again(server)
    daemon.wait_value("team", 1)
    daemon.wait_state("ready")  # when both kinds of vaults are in


def test_a_workspace_that_was_left_is_a_refusal(served, server):
    daemon = served("revoked_grace = 100ms\n")
    server.fail("envelope", endpoint="users.get_vaults", code=403, subcode=20)
    daemon.wait_value("team", None)
    assert daemon.workspace()["state"] == "refused"


def test_a_proxy_that_forbids_is_a_bad_day(served, server):
    daemon = served("revoked_grace = 1ms\n")
    server.fail("page", status=403)
    daemon.wait_state("degraded")
    asked = server.count()
    wait_until(lambda: server.count() > asked + 3, "more questions")
    assert daemon.get("team") == 1 and daemon.workspace()["state"] == "degraded"


def test_old_vaults_serve_until_the_stale_limit(served, server):
    daemon = served("stale_limit = 800ms\n")
    with daemon.connect() as watcher:
        watcher.watch()
        server.fail("drop")
        assert watcher.changes() == {"team": ("removed", None)}
    assert daemon.status()["state"] == "offline"
    assert "stale_limit" in daemon.log()
    server.clear_failures()
    daemon.wait_value("team", 1)


def test_without_a_stale_limit_they_serve_on(served, server):
    daemon = served("stale_limit = 0\n")
    server.fail("drop")
    daemon.wait_state("offline")
    wait_until(lambda: daemon.call("Get").get("stale") is not None, "stale")
    assert daemon.get("team") == 1


def test_a_refusal_of_the_vaults_is_followed_by_logins(served, server):
    """What a user may do is in the token: with an old one nobody would notice that the server has
    relented."""
    daemon = served("revoked_grace = 1h\n")
    logins = server.count("auth.login")
    server.fail("envelope", endpoint="users.get_vaults", code=403, subcode=20)
    wait_refused(daemon)
    wait_until(lambda: server.count("auth.login") > logins + 1, "more logins")
    asked = server.count("users.get_vaults")
    assert server.count("auth.login") <= logins + asked


def test_a_new_pair_is_tried_at_once(served, home, conf, server):
    """However long the next try with the old one is away."""
    daemon = served("")
    home.settings(FAST.replace("backoff_max = 200ms", "backoff_max = 1h") + "revoked_grace = 1h\n")
    daemon.reload()
    daemon.wait_state("ready")
    take_back(server)
    wait_refused(daemon)
    server.state.add_credentials(access_key="NEWPAIR", secret_key="secret-of-the-new-pair")
    server.state.set_vaults([{"data": "team: 2"}])
    home.conf(conf("a: 1").replace(ACCESS_KEY, "NEWPAIR").replace(SECRET_KEY, "secret-of-the-new-pair"))
    daemon.wait_value("team", 2)
    wait_until(lambda: daemon.workspace()["state"] == "ready", "ready")
    assert daemon.workspace()["access_key"] == "NEWPAIR"
