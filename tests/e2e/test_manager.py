"""What the service manager is told: READY, RELOADING, STATUS, STOPPING, and signs of life."""

import re
import signal
import socket
import time

import pytest
from harness import FAST, Daemon, Held, NotifySocket, wait_until

VAULT = "team.name: reindeer\nsdk.x: 1"


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


# --- STATUS ---


def wait_status(notify, pattern):
    """Until the line that stands is so."""
    def told():
        return [x for x in list(notify.lines) if x.startswith("STATUS=")]
    wait_until(lambda: told() and re.fullmatch("STATUS=" + pattern, told()[-1]), pattern)
    return told()


def test_the_status_line_is_kept_current(home, conf, server, notify):
    with Held(server, "auth.login") as held:
        with notifying(home, conf, notify) as daemon:
            wait_status(notify, "starting, workspace default, generation 1")
            held.let_go()
            wait_status(notify, "ready, workspace default, generation 1")
            home.conf(conf("local: 2"))
            daemon.wait_value("local", 2)
            wait_status(notify, "ready, workspace default, generation 2")
            server.fail("drop")
            wait_status(notify, "offline, workspace default, generation 2: .+")
            server.clear_failures()
            wait_status(notify, "ready, workspace default, generation 2")
            home.conf("broken {")
            told = wait_status(notify, "degraded, workspace default, generation 2")
            assert len(told) == 6, "told when it differs, and only then"
    assert wait_status(notify, "stopping")


def test_the_status_line_tells_a_hold(home, conf, notify):
    with notifying(home, conf, notify) as daemon:
        wait_status(notify, "ready, workspace default, generation 1")
        daemon.call("Hold", reason="x")
        wait_status(notify, "ready, workspace default, generation 1, held")
        daemon.call("Release")
        wait_status(notify, "ready, workspace default, generation 1")


def test_the_status_line_follows_the_active_workspace(home, notify):
    home.settings("""\
[workspace one]
api_server = http://127.0.0.1:9
access_key = A
secret_key_file = s

[workspace two]
api_server = http://127.0.0.1:9
access_key = A
secret_key_file = s
active = yes
""")
    home.write("config/clearconf/s", "secret-of-both-0123").chmod(0o600)
    with Daemon(home, "--offline", env=notify.env) as daemon:
        wait_status(notify, "offline, workspace two, generation .*")
        home.settings(FAST)
        daemon.reload()
        wait_status(notify, "offline, workspace default, generation .*")


def test_what_a_server_says_ends_no_line_of_ours(home, conf, server, notify):
    """Neither an assignment of its own nor bytes that systemd refuses as a whole."""
    server.fail("envelope", endpoint="users.get_vaults", msg="no\nREADY=0\r\x07" + "ä" * 300)
    with notifying(home, conf, notify) as daemon:
        daemon.wait_state("degraded")
        wait_status(notify, "degraded, .*: .*")
        assert "READY=0" not in notify.lines
        longest = max(notify.lines, key=len)
        assert len(longest.encode()) < 300 and longest.isprintable()


# --- WATCHDOG ---


def signs(notify):
    return notify.lines.count("WATCHDOG=1")


def watched(home, notify, **env):
    return Daemon(home, env=dict(notify.env, **env))


def test_a_loop_that_turns_gives_signs_of_life_and_one_that_does_not_gives_none(home, notify):
    with watched(home, notify, WATCHDOG_USEC="400000") as daemon:
        begin = time.monotonic()
        notify.wait("WATCHDOG=1", 6)
        assert time.monotonic() - begin > 0.7, "every 200 ms"
        daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        before = signs(notify)
        time.sleep(0.6)
        assert signs(notify) == before
        daemon.process.send_signal(signal.SIGCONT)
        notify.wait("WATCHDOG=1", before + 2)


@pytest.mark.parametrize("env", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "no"},
                                 {"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}])
def test_without_a_watchdog_of_ours_there_are_no_signs_of_life(home, notify, env):
    with watched(home, notify, **env):
        notify.wait("READY=1")
        time.sleep(0.1)
        assert not signs(notify)


def test_the_signs_go_on_while_answers_in_flight_are_finished(home, notify):
    home.conf('big: "' + "x" * 3_000_000 + '"')
    with watched(home, notify, WATCHDOG_USEC="200000") as daemon, daemon.connect() as line:
        line.send("io.clearconf.Get", {"path": "big"})
        line.socket.recv(1, socket.MSG_PEEK)
        daemon.process.send_signal(signal.SIGTERM)
        notify.wait("STOPPING=1")
        notify.wait("WATCHDOG=1", signs(notify) + 3)
        assert len(line.receive()["value"]) == 3_000_000
        assert daemon.process.wait(30) == 0


def test_who_only_prints_or_checks_is_no_service(home, notify):
    home.conf("local: 1")
    env = dict(notify.env, WATCHDOG_USEC="1000")
    home.daemon("--print", env=env)
    home.daemon("--check", env=env)
    assert notify.lines == []
