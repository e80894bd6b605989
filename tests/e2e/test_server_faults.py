"""What a server's answers mean beyond the fault table (test_fault_table.py): tokens that end, waits
that are asked for, ages; and what the service manager is told meanwhile."""

import signal
import time
from email.utils import formatdate

import pytest
from clearml_failures import FAILURES
from clearml_message import Answer
from harness import FAST, Daemon, Held, NotifySocket, wait_until

VAULT = "team.name: reindeer\nsdk.x: 1"


@pytest.fixture
def ready(home, conf, server, daemon):
    """A daemon that has the vault, and its answer."""
    server.state.set_vaults([VAULT])
    home.settings(FAST)
    home.conf(conf("local: 1"))
    daemon.start()
    daemon.wait_state("ready")
    return daemon


def test_a_token_that_is_refused_is_renewed_unseen(server, ready):
    logins = server.count("auth.login")
    server.state.invalidate_tokens()
    server.wait_for("auth.login", logins + 1)
    server.state.set_vaults([VAULT, "more: 1"])
    ready.wait_value("more", 1)
    assert ready.status()["state"] == "ready"
    assert server.count("auth.login") == logins + 1


def test_a_404_at_first_means_no_vaults(home, conf, server, daemon):
    server.fail("envelope", endpoint="users.get_vaults", code=404, subcode=0,
                msg="Invalid endpoint")
    home.settings(FAST)
    home.conf(conf("local: 1"))
    daemon.start()
    daemon.wait_state("ready")
    assert daemon.get("local") == 1 and daemon.last_error() is None


# Dates have whole seconds: a fourth makes sure of three.
WISHES = {"seconds": lambda now: "3", "date": lambda now: formatdate(int(now) + 4, usegmt=True)}


def asks_to_wait(wire, wish):
    """A failure of the stand-in: 503 with a Retry-After that counts from the answer."""
    headers = [("Retry-After", WISHES[wish](wire.state.now()))]
    wire.reply(Answer(503, b"busy", "text/plain", headers))


@pytest.mark.parametrize("wish", WISHES)
def test_retry_after_is_obeyed(home, conf, server, wish):
    """Mode sdk: there only one kind of vault is asked for."""
    FAILURES["asks_to_wait"] = asks_to_wait
    home.settings(FAST.replace("backoff_max = 200ms", "backoff_max = 10s"))
    home.conf(conf())
    with Daemon(home, "--mode", "sdk") as daemon:
        daemon.wait_state("ready")
        server.fail("asks_to_wait", endpoint="users.get_vaults", times=1, wish=wish)
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
