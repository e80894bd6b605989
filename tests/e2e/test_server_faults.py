"""A server that misbehaves: what is served stays, and state and last_error
tell the truth."""

import signal
import socket
import time

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer
from harness import FAST, Daemon, Held, NotifySocket, wait_until

VAULT = 'team.name: reindeer\nteam.token: "vault-secret-98765"\nsdk.x: 1'
SECRETS = (SECRET_KEY, "vault-secret-98765", "reindeer")

# name: (failure, its options, state, words of last_error)
FAULTS = {
    "html": ("page", {"status": 200}, "degraded", None),
    "nothing": ("page", {"status": 200, "body": ""}, "degraded", None),
    "half a body": ("half", {}, "offline", None),
    "broken chunk": ("bad_chunk", {}, "offline", None),
    "no envelope": ("page", {"status": 200, "body": "[]", "content_type": "application/json"},
                    "degraded", None),
    "null data": ("data", {"data": None}, "degraded", None),
    "400": ("envelope", {"code": 400, "subcode": 12, "msg": "odd"}, "degraded", "400"),
    "403": ("envelope", {"code": 403, "subcode": 1, "msg": "not yours"}, "degraded", "403"),
    "500": ("envelope", {"code": 500, "subcode": 0, "msg": "General"}, "degraded", "500"),
    "500 page": ("page", {"status": 500}, None, "500"),
    "502": ("page", {"status": 502}, None, "502"),
    "503": ("page", {"status": 503, "headers": {"Retry-After": "1"}}, None, "503"),
    "drop": ("drop", {}, "offline", None),
    "reset": ("drop", {"reset": True}, "offline", None),
}


@pytest.fixture
def ready(home, conf, server, daemon):
    """A daemon that has the vault, and its answer."""
    server.state.set_vaults([VAULT])
    home.settings(FAST)
    home.conf(conf("local: 1"))
    daemon.start()
    daemon.wait_state("ready")
    return daemon


def assert_nothing_leaked(daemon, *more):
    log = daemon.log()
    for secret in SECRETS + more:
        assert secret not in log
    error = daemon.last_error() or ""
    assert not any(secret in error for secret in SECRETS)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_nothing_that_is_served(server, ready, name):
    failure, options, state, word = FAULTS[name]
    before = ready.call("Get")
    server.fail(failure, endpoint="users.get_vaults", **options)
    status = ready.wait_state(*([state] if state else ["offline", "degraded"]))
    after = ready.call("Get")
    assert (after["value"], after["generation"]) == (before["value"], before["generation"])
    assert after["state"] == status["state"]
    assert ready.last_error() and (word is None or word in ready.last_error())
    assert_nothing_leaked(ready)
    server.clear_failures()
    ready.wait_state("ready")
    assert ready.last_error() is None


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_the_first_login_is_survived(home, conf, server, daemon, name):
    failure, options, _, word = FAULTS[name]
    server.state.set_vaults([VAULT])
    server.fail(failure, endpoint="auth.login", **options)
    home.settings(FAST)
    home.conf(conf("local: 1"))
    daemon.start()
    daemon.wait_state("offline", "degraded")
    assert daemon.get("local") == 1
    assert daemon.last_error() and (word is None or word in daemon.last_error())
    server.clear_failures()
    daemon.wait_state("ready")
    assert daemon.get("team.name") == "reindeer"
    assert_nothing_leaked(daemon)


def test_a_hanging_server_is_offline_after_the_timeout(home, conf, server, daemon):
    server.state.set_vaults([VAULT])
    home.settings(FAST.replace("timeout = 10s", "timeout = 1s"))
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    server.fail("hang", endpoint="users.get_vaults")
    daemon.wait_state("offline")
    assert daemon.get("team.name") == "reindeer" and daemon.last_error()
    server.clear_failures()
    daemon.wait_state("ready")


def test_a_refusal_is_refused_and_keeps_the_vaults(server, ready):
    server.fail("envelope", code=401, subcode=20, msg="invalid key pair")
    ready.wait_state("degraded")
    wait_until(lambda: ready.workspace()["state"] == "refused", "refused")
    assert ready.get("team.name") == "reindeer"
    assert "401" in ready.last_error()
    assert_nothing_leaked(ready)
    server.clear_failures()
    ready.wait_state("ready")


def test_a_wrong_key_is_refused_from_the_start(home, conf, server, daemon):
    home.settings(FAST)
    home.conf(conf("local: 1").replace(SECRET_KEY, "wrong-wrong-wrong"))
    daemon.start()
    daemon.wait_state("degraded")
    assert daemon.workspace()["state"] == "refused"
    assert daemon.get("local") == 1
    assert_nothing_leaked(daemon, "wrong-wrong-wrong")


def test_a_token_that_is_refused_is_renewed_unseen(server, ready):
    logins = server.count("auth.login")
    server.state.invalidate_tokens()
    server.wait_for("auth.login", logins + 1)
    server.state.set_vaults([VAULT, "more: 1"])
    ready.wait_value("more", 1)
    assert ready.status()["state"] == "ready"
    assert server.count("auth.login") == logins + 1


def test_vaults_that_are_no_longer_offered_stay_and_raise_an_alarm(server, ready):
    """A server that turns into an open source one has not withdrawn a vault."""
    server.fail("envelope", endpoint="users.get_vaults", code=404, subcode=0,
                msg="Invalid endpoint")
    ready.wait_state("degraded")
    assert ready.get("team.name") == "reindeer"
    assert ready.last_error(), "degraded, and nothing says why"
    server.clear_failures()
    ready.wait_state("ready")


def test_a_404_at_first_means_no_vaults(home, conf, server, daemon):
    server.fail("envelope", endpoint="users.get_vaults", code=404, subcode=0,
                msg="Invalid endpoint")
    home.settings(FAST)
    home.conf(conf("local: 1"))
    daemon.start()
    daemon.wait_state("ready")
    assert daemon.get("local") == 1 and daemon.last_error() is None


def test_an_answer_without_a_list_of_vaults_withdraws_none(server, ready):
    server.fail("data", endpoint="users.get_vaults", data={})
    ready.wait_state("degraded")
    assert ready.get("team.name") == "reindeer"
    assert "vaults" in ready.last_error()


def test_retry_after_is_obeyed(home, conf, server):
    """Mode sdk: there only one kind of vault is asked for."""
    home.settings(FAST.replace("backoff_max = 200ms", "backoff_max = 10s"))
    home.conf(conf())
    with Daemon(home, "--mode", "sdk") as daemon:
        daemon.wait_state("ready")
        server.fail("page", endpoint="users.get_vaults", times=1, status=503,
                    headers={"Retry-After": "3"})
        daemon.wait_state("offline", "degraded")
        daemon.wait_state("ready")
    times = [x.time for x in server.requests("users.get_vaults")]
    assert max(b - a for a, b in zip(times, times[1:])) >= 3


def test_an_answer_that_is_old_says_so(server, ready):
    # Ages are whole seconds, and a poll here is shorter than one.
    wait_until(lambda: "stale" not in ready.call("Get"), "a fresh answer")
    server.fail("page", endpoint="users.get_vaults", status=500)
    stale = wait_until(lambda: ready.call("Get").get("stale"), "stale")
    assert stale >= 1
    vault = next(x for x in ready.layers() if x["layer"] == "vault")
    assert vault["state"] == "stale"
    server.clear_failures()
    wait_until(lambda: "stale" not in ready.call("Get"), "no longer stale")


# --- a server that is not there ---


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_server_that_comes_later_is_found(home, daemon):
    port = free_port()
    home.settings(FAST)
    home.conf(f"api {{ api_server: \"http://127.0.0.1:{port}\", credentials {{ access_key: "
              f"{ACCESS_KEY}, secret_key: \"{SECRET_KEY}\" }} }}\nlocal: 1")
    daemon.start()
    daemon.wait_state("offline")
    answer = daemon.call("Get")
    assert answer["state"] == "offline" and answer["value"]["local"] == 1
    assert daemon.last_error()
    with ClearMLServer(port=port) as server:
        server.state.set_vaults([VAULT])
        daemon.wait_value("team.name", "reindeer")
        assert daemon.wait_state("ready") and daemon.last_error() is None
    daemon.wait_state("offline")
    assert daemon.get("team.name") == "reindeer"
    assert_nothing_leaked(daemon)


def test_offline_never_asks(home, conf, server):
    home.settings(FAST)
    home.conf(conf("local: 1"))
    with Daemon(home, "--offline") as daemon:
        daemon.reload()
        assert daemon.get("local") == 1
        assert daemon.status()["state"] == "offline"
    assert server.count() == 0


# --- starting, and what the service manager is told ---


def notifying(home, conf, notify, settings=FAST):
    home.settings(settings)
    home.conf(conf("local: 1"))
    return Daemon(home, env=notify.env)


@pytest.fixture
def notify(home):
    with NotifySocket(home) as heard:
        yield heard


def test_while_the_server_is_awaited_it_is_starting_and_not_ready(home, conf, server, notify):
    server.state.set_vaults([VAULT])
    with Held(server, "users.get_vaults") as held:
        with notifying(home, conf, notify) as daemon:
            server.wait_for("users.get_vaults")
            answer = daemon.call("Get")
            assert answer["state"] == "starting" and answer["value"]["local"] == 1
            assert "READY=1" not in notify.lines
            held.let_go()
            notify.wait("READY=1")
            assert daemon.call("Get")["value"]["team"]["name"] == "reindeer"


def test_ready_comes_when_the_first_attempt_has_failed(home, conf, server, notify):
    server.fail("page", endpoint="auth.login", status=500)
    with notifying(home, conf, notify) as daemon:
        notify.wait("READY=1")
        assert daemon.call("Get")["state"] in ("offline", "degraded")


def test_ready_comes_at_the_timeout_of_a_server_that_hangs(home, conf, server, notify):
    server.fail("hang", endpoint="auth.login")
    with notifying(home, conf, notify, FAST.replace("10s", "1s")) as daemon:
        notify.wait("READY=1")
        daemon.wait_state("offline")


def test_without_a_server_it_is_ready_at_once(home, notify):
    home.conf("local: 1")
    with Daemon(home, env=notify.env):
        notify.wait("READY=1")


def test_a_reload_is_announced_and_ends_in_ready(home, conf, server, notify):
    with notifying(home, conf, notify) as daemon:
        notify.wait("READY=1")
        before = len(notify.lines)
        daemon.reload()
        notify.wait("READY=1", 2)
        told = notify.lines[before:]
        assert told.index("RELOADING=1") < told.index("READY=1")
        since = next(int(x.partition("=")[2]) for x in told if x.startswith("MONOTONIC_USEC="))
        assert 0 < since <= time.monotonic_ns() // 1000


def test_a_reload_while_starting_does_not_say_ready(home, conf, server, notify):
    """Ready means complete: an agent ordered after the daemon relies on it."""
    server.state.set_vaults([VAULT])
    with Held(server, "users.get_vaults") as held:
        with notifying(home, conf, notify) as daemon:
            server.wait_for("users.get_vaults")
            daemon.reload()
            assert daemon.status()["state"] == "starting"
            assert "READY=1" not in notify.lines
            held.let_go()
            notify.wait("READY=1")
            assert daemon.get("team.name") == "reindeer"


def test_the_end_is_announced(home, notify):
    daemon = Daemon(home, env=notify.env).start()
    notify.wait("READY=1")
    assert daemon.stop(signal.SIGTERM) == 0
    assert "STOPPING=1" in notify.lines


def test_a_service_manager_that_does_not_listen_does_not_stop_the_daemon(home, conf, server):
    """Its queue holds a few datagrams; nothing may block the loop."""
    deaf = NotifySocket(home)
    with notifying(home, conf, deaf) as daemon:
        daemon.wait_state("ready")
        server.wait_for("users.get_vaults", 20)
        for _ in range(10):
            daemon.reload()
        assert daemon.get("local") == 1
    deaf.socket.close()


def test_status_line_says_state_and_workspace(home, conf, server, notify):
    with notifying(home, conf, notify) as daemon:
        daemon.wait_state("ready")
        wait_until(lambda: any(x.startswith("STATUS=ready") and "default" in x
                               for x in notify.lines), "a status line")
        server.fail("drop")
        daemon.wait_state("offline")
        wait_until(lambda: any(x.startswith("STATUS=offline") for x in notify.lines),
                   "a status line")
