"""The key is proved, not the token: what was revoked elsewhere is told, and taken up again."""

import time

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer
from harness import FAST, Daemon, wait_until
from test_metrics import metrics, value
from varlink import VarlinkError

PROVE = FAST.replace("prove = 0", "prove = 1s")
GRACE = PROVE + "revoked_grace = 1h\n"


@pytest.fixture
def proving(home, conf, daemon, server):
    server.state.set_vaults(["team: 1"])
    home.settings(GRACE)
    home.conf(conf("a: 1")).chmod(0o600)
    daemon.start()
    daemon.wait_value("team", 1)
    daemon.wait_state("ready")
    return daemon


def is_refused(daemon):
    return daemon.workspace()["state"] == "refused"


def told_within(seconds, begin):
    """That much, and what a busy machine adds."""
    assert time.monotonic() - begin < seconds + 5


def test_a_revoked_key_is_told_within_one_proof_and_taken_up_again(home, proving, server):
    """The tokens made from it are good all the while."""
    with proving.connect() as watcher:
        watcher.send("io.clearconf.GetStatus", more=True)
        assert watcher.receive()["status"]["workspaces"][0]["state"] == "ready"
        begin = time.monotonic()
        server.state.revoke_credentials(ACCESS_KEY)
        watcher.receive_until(lambda x: x["status"]["workspaces"][0]["state"] == "refused")
        told_within(1, begin)
        assert proving.status()["state"] == "degraded"
        assert "credentials-refused" in proving.log()
        assert "state=refused" in proving.log()
        assert "failed to locate provided credentials" in proving.last_error()
        assert value(metrics(home), "workspace_state", workspace="default", state="refused") == 1
        assert "refused" in home.client("status", check=0).stdout
        assert "is refused" in home.client("doctor", check=1).stdout
        assert proving.get("team") == 1  # within the grace

        begin = time.monotonic()
        server.state.reinstate_credentials(ACCESS_KEY)
        watcher.receive_until(lambda x: x["status"]["workspaces"][0]["state"] == "ready")
        told_within(1, begin)
    assert value(metrics(home), "workspace_state", workspace="default", state="ready") == 1
    wait_until(lambda: "state=ready" in proving.log().rpartition("state=refused")[2], "the log")


def test_after_the_grace_the_vaults_go_and_watchers_are_told(home, conf, daemon, server):
    server.state.set_vaults(["team: 1"])
    home.settings(PROVE + "revoked_grace = 100ms\n")
    home.conf(conf("a: 1"))
    daemon.start()
    daemon.wait_value("team", 1)
    with daemon.connect() as watcher:
        watcher.watch(values=True)
        server.state.revoke_credentials(ACCESS_KEY)
        assert watcher.changes() == {"team": ("removed", None)}
        server.state.reinstate_credentials(ACCESS_KEY)
        assert watcher.changes() == {"team": ("added", 1)}


def test_not_reached_is_not_refused(proving, server):
    server.fail("drop")
    proving.wait_state("offline")
    time.sleep(1.5)
    assert proving.workspace()["state"] == "offline" and "credentials-refused" not in proving.log()
    server.clear_failures()
    proving.wait_state("ready")


def test_a_server_without_vaults_is_proved_too(home, daemon):
    with ClearMLServer(edition="open") as server:
        home.settings(GRACE.replace("backoff_max = 200ms", "backoff_max = 1h"))
        home.conf(f"api {{ api_server: {server.url}\n credentials {{ access_key: {ACCESS_KEY}, "
                  f"secret_key: \"{SECRET_KEY}\" }} }}\n")
        daemon.start()
        daemon.wait_state("ready")
        asked = server.count("auth.login")
        wait_until(lambda: server.count("auth.login") >= asked + 3, "proofs")
        server.state.revoke_credentials(ACCESS_KEY)
        wait_until(lambda: is_refused(daemon), "refused")
        server.state.reinstate_credentials(ACCESS_KEY)
        wait_until(lambda: daemon.workspace()["state"] == "ready", "ready")


def test_who_watches_values_is_told(home, proving, server):
    """Of the state, long before the vaults go; who does not want to know is told of values alone."""
    with proving.connect() as states, proving.connect() as values:
        states.send("io.clearconf.Watch", {"states": True}, more=True)
        values.send("io.clearconf.Watch", more=True)
        assert states.receive()["state"] == values.receive()["state"] == "ready"
        server.state.revoke_credentials(ACCESS_KEY)
        told = states.receive_until(lambda x: x["state"] == "refused")
        assert told["changes"] == [] and told["resync"] is False
        home.conf((home.path / "clearml.conf").read_text() + "\nb: 2\n")
        told = values.receive()
        assert told["state"] == "degraded" and told["changes"][0]["path"] == "b"


def test_a_key_is_proved_when_its_life_ends(home, conf, daemon, server):
    """Nothing is proved by itself, and tokens live on."""
    home.settings(FAST + "revoked_grace = 1h\n")
    home.conf(conf("a: 1")).chmod(0o600)
    server.state.find_credentials(ACCESS_KEY)[1].expire = server.state.now() + 3
    daemon.start()
    daemon.wait_state("ready")
    wait_until(lambda: is_refused(daemon), "the end of the key")


def test_callers_cannot_have_a_key_proved_without_end(unproved, server):
    logins = server.count("auth.login")
    server.state.reinstate_credentials(ACCESS_KEY)
    for _ in range(20):
        assert unproved.call("ProveCredentials")["proved_at"]
    assert server.count("auth.login") <= logins + 2
    server.state.revoke_credentials(ACCESS_KEY)
    unproved.call("Reload")  # of an administrator's
    for _ in range(2):  # what is refused may be mended at any moment
        with pytest.raises(VarlinkError):
            unproved.call("ProveCredentials")


def test_a_secret_that_changes_is_proved_before_it_counts(home, daemon, server):
    home.settings(FAST + f"[workspace red]\napi_server = {server.url}\naccess_key = {ACCESS_KEY}\n"
                  "secret_key_file = secret\n")
    home.write("config/clearconf/secret", SECRET_KEY).chmod(0o600)
    server.state.set_vaults(["team: 1"])
    daemon.start()
    daemon.wait_value("team", 1)
    daemon.wait_state("ready")
    home.write("config/clearconf/secret", "not-the-secret-of-it").chmod(0o600)
    wait_until(lambda: daemon.workspace().get("new_login", {}).get("last_error"), "the refusal")
    assert daemon.status()["state"] == "degraded" and daemon.get("team") == 1
    assert daemon.get("api.credentials.secret_key") == SECRET_KEY
    home.write("config/clearconf/secret", SECRET_KEY).chmod(0o600)
    wait_until(lambda: "new_login" not in daemon.workspace(), "the proof of the new login")
    assert daemon.status()["state"] == "ready"


@pytest.fixture
def unproved(home, conf, daemon, server):
    """Nothing is proved by itself."""
    home.settings(FAST + "revoked_grace = 1h\n")
    home.conf(conf("a: 1")).chmod(0o600)
    daemon.start()
    daemon.wait_state("ready")
    server.state.revoke_credentials(ACCESS_KEY)
    return daemon


def test_nobody_notices_without_proofs(unproved, server):
    """What makes the tests around this one worth something."""
    asked = server.count("users.get_vaults")
    wait_until(lambda: server.count("users.get_vaults") > asked + 4, "more polls")
    assert unproved.workspace()["state"] == "ready"


def test_a_reload_proves(unproved):
    unproved.call("Reload")
    assert is_refused(unproved)


def test_doctor_proves(home, unproved):
    assert "is refused" in home.client("doctor", check=1).stdout


def test_a_revoked_key_makes_no_token_and_everybody_hears_of_it(home, unproved, server):
    done = home.client("token", check=6)
    assert "failed to locate provided credentials" in done.stderr and not done.stdout
    wait_until(lambda: is_refused(unproved), "refused")
    server.state.reinstate_credentials(ACCESS_KEY)
    assert home.client("token", check=0).stdout.count(".") == 2


def test_a_proof_can_be_asked_for(unproved, server):
    with pytest.raises(VarlinkError) as caught:
        unproved.call("ProveCredentials")
    assert caught.value.name == "io.clearconf.ServerError"
    assert (caught.value.parameters["status"], caught.value.parameters["subcode"]) == (401, 22)
    server.state.reinstate_credentials(ACCESS_KEY)
    before = int(time.time())
    assert unproved.call("ProveCredentials")["proved_at"] >= before
    assert unproved.workspace()["server"]["proved_at"] >= before


def test_who_has_a_token_alone_is_not_logged_in_for_a_proof(home, server):
    home.settings(PROVE)
    home.conf(f"api.api_server: {server.url}\n")
    with Daemon(home, env={"CLEARML_AUTH_TOKEN": server.state.make_token()}) as daemon:
        daemon.wait_state("ready")
        asked = server.count("users.get_vaults")
        wait_until(lambda: server.count("users.get_vaults") > asked + 20, "polls for two seconds")
        assert server.count("auth.login") <= 1
        assert "proved_at" not in daemon.workspace()["server"]
