"""What a server's answers mean beyond the fault table (test_fault_table.py): tokens that end, waits
that are asked for, ages."""

import time
from email.utils import formatdate

import pytest
from clearml_failures import FAILURES
from clearml_message import Answer
from harness import FAST, Daemon, wait_until

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
