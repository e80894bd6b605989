"""Peers that mean harm: each has an error or a closed connection, and nobody else notices."""

import json
import os
import random
import socket

import pytest
from harness import FAST, SANITIZED, Daemon, wait_until
from hostile import GROWING, Attack, latencies, quantile
from varlink import VarlinkError

STRANGER = 65533
SETTINGS = f"[access]\nread = {STRANGER}\n"


@pytest.fixture
def among_strangers(home, strangers):
    home.settings(SETTINGS)
    home.conf(f"k: 1\n{GROWING}\n")
    with Daemon(home, "--socket", strangers.socket) as daemon:
        yield daemon


def test_a_user_who_does_all_the_harm_there_is_leaves_others_their_answers(among_strangers,
                                                                           strangers):
    """Times are the bench's to judge (tests/bench/hostile.py); here nobody may stand still."""
    with Attack(strangers.socket, STRANGER, 7) as attack:
        wait_until(lambda: among_strangers.status()["connections"] > 300, "the attack")
        taken = latencies(strangers.socket, 3)
        assert SANITIZED or among_strangers.resident() < 300 * 1024
    assert attack.figures["refused"] > 0
    assert len(taken) > 20 and quantile(taken, 0.99) < 2
    wait_until(lambda: among_strangers.status()["connections"] == 1, "the attacker to be gone")
    assert among_strangers.get("k") == 1


def test_environment_calls_have_their_number(home, daemon):
    home.settings("[limits]\nenvironment_calls = 3\n")
    home.conf("k: ${?K}")
    daemon.start()
    with daemon.connect() as line:
        refused = 0
        for i in range(6):
            line.send("io.clearconf.Get", {"path": "k", "environment": {"K": str(i)}})
        for i in range(6):
            try:
                assert line.receive()["value"] == str(i)
            except VarlinkError as error:
                assert error.name == "io.clearconf.QuotaExceeded"
                assert error.parameters == {"quota": "environment_calls", "limit": 3}
                refused += 1
        assert refused >= 2 and line.call("Get")["value"] == {}


def test_who_may_only_read_cannot_set_the_daemon_on_its_server(home, conf, server, strangers):
    home.settings(FAST + SETTINGS)
    home.conf(conf())
    asks = ["GetProfile", "GetWorkers", "ListCredentials"]
    with Daemon(home, "--socket", strangers.socket) as daemon:
        daemon.wait_state("ready")
        replies = strangers.ask_in_turn(STRANGER, [(asks[turn % 3], {}) for turn in range(60)])
        refused = [reply for reply in replies if "error" in json.loads(reply)]
        assert len(refused) == 40 and {json.loads(reply)["error"] for reply in refused} == {
            "io.clearconf.QuotaExceeded"}
        assert len(server.requests("users.get_current_user")) == 7
        assert strangers.ask_in_turn(STRANGER, [("Get", {})])[0]
        for _ in range(25):  # who may administer goes on
            assert daemon.call("GetWorkers")["workers"] == []


def test_an_answer_that_a_user_may_not_hold_is_refused(home, daemon):
    home.settings("[limits]\nbytes_per_user = 64K\n")
    home.conf("k: 1\ng = ${?HOMELY}${?HOMELY}${?HOMELY}")
    daemon.start()
    with daemon.connect() as line:
        environment = {"HOMELY": "x" * 40000}
        with pytest.raises(VarlinkError, match="QuotaExceeded.*bytes_per_user"):
            line.call("Get", path="g", environment=environment)
        assert line.call("Get", path="k", environment=environment)["value"] == 1


def test_who_hangs_up_while_it_is_worked_for_leaves_nothing(home, daemon):
    home.conf(f"k: 1\n{GROWING}")
    daemon.start()
    for _ in range(20):
        with daemon.connect() as line:
            line.send("io.clearconf.Get", {"environment": {"HOME": "x" * 16000}})
    wait_until(lambda: daemon.status()["connections"] == 1, "all to be gone")
    assert daemon.get("k") == 1


def test_what_waits_is_paid_for(home, daemon):
    """Beginnings of messages: each may be of 60 KiB, all together of 1 MiB."""
    home.settings("[limits]\nmessage = 64K\nbytes_per_user = 1M\n")
    home.conf("k: 1")
    daemon.start()
    lines = [daemon.connect() for _ in range(30)]
    for line in lines:
        line.send_raw(b'{"method": "' + b"x" * 60000)
    refused = 0
    for line in lines:
        line.socket.settimeout(0.3)
        try:
            refused += b"QuotaExceeded" in line.receive_raw()
        except socket.timeout:
            pass
    assert 10 <= refused <= 15
    for line in lines:
        line.close()
    assert daemon.get("k") == 1


NUL_LESS = 100 << 20


def endless(line, rng):
    chunk = b"x" * (1 << 20)
    for _ in range(NUL_LESS >> 20):
        line.send_raw(chunk)


def noise(line, rng):
    for _ in range(50):
        line.send_raw(rng.randbytes(rng.randrange(1, 5000)))


def broken_off(line, rng):
    text = b'{"method":"io.clearconf.Get","parameters":{"path":"k"}}'
    line.send_raw(text[:rng.randrange(1, len(text))])


def deep(line, rng):
    for bracket in (b"[", b'{"a":'):
        line.send_raw(b'{"method":"io.clearconf.Get","parameters":' + bracket * 100_000 + b"\0")


TYPES = [None, True, 1, -1, 1.5, 1 << 62, "", "k", "\0", [], [None], {}, {"a": {}}]
FIELDS = ["path", "workspace", "environment", "mask", "paths", "since", "values", "reveal", "limit",
          "name", "lifetime", "grace", "label", "access_key", "force", "uri", "interface"]
METHODS = ["io.clearconf." + name for name in (
    "Get", "Explain", "Watch", "GetStatus", "History", "ListWorkspaces", "UseWorkspace", "GetToken",
    "ProveCredentials", "GetProfile", "ListCredentials", "CreateCredentials", "EditCredentials",
    "RotateCredentials", "RevokeCredentials", "ResolveStorage")]


def wrong_types(line, rng):
    for _ in range(300):
        call = {"method": rng.choice([*METHODS, *TYPES]),
                "parameters": {rng.choice(FIELDS): rng.choice(TYPES)
                               for _ in range(rng.randrange(3))},
                rng.choice(["more", "oneway", "upgrade", "x"]): rng.choice(TYPES)}
        line.send_raw(json.dumps(call).encode() + b"\0")


@pytest.mark.parametrize("harm", [endless, noise, broken_off, deep, wrong_types])
def test_nonsense_is_an_error_or_the_end(home, daemon, harm):
    home.conf("k: 1")
    daemon.start()
    rng = random.Random(harm.__name__)
    with daemon.connect() as other, daemon.connect() as watcher:
        watcher.watch()
        for _ in range(5):
            with daemon.connect(timeout=2) as line:
                try:
                    harm(line, rng)
                    line.socket.shutdown(socket.SHUT_WR)
                except (BrokenPipeError, ConnectionResetError, socket.timeout):
                    pass  # refused, or it does not read as long as we don't
                try:
                    while raw := line.receive_raw():
                        reply = json.loads(raw)
                        assert isinstance(reply["parameters"], dict)
                except (ConnectionResetError, socket.timeout):
                    pass
            assert other.call("Get", path="k")["value"] == 1
        home.conf("k: 2")
        assert watcher.changes() == {"k": ("changed", None)}
    assert daemon.resident() < 150 * 1024


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user namespace")
def test_a_user_namespace_that_hides_users_is_no_place_to_serve(home):
    import subprocess

    from harness import DAEMON
    done = subprocess.run(["unshare", "--user", "--map-root-user", DAEMON, "--user"], env=home.env,
                          cwd=home.path, capture_output=True, text=True, timeout=30)
    if done.stderr.startswith("unshare:"):
        pytest.skip(f"no user namespace: {done.stderr.strip()}")
    assert done.returncode == 1 and "PrivateUsers" in done.stderr
    assert not home.socket.exists()
