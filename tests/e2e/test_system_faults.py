"""The system says no: no descriptors, no room, a bad disk, no watches, no randomness.

What is served stays as it is and current; what cannot be kept is said once, and again when it is
over. tests/support/host_shim.c makes the calls fail.
"""

import contextlib
import ctypes
import errno
import os
import re
import resource
import subprocess
import time

import pytest
from clearml_server import ClearMLServer
from harness import DAEMON, Home, wait_until
from host import host, library, needs_shim  # noqa: F401
from stage import Stage

pytestmark = needs_shim


@pytest.fixture
def stage(tmp_path, host):  # noqa: F811
    with ClearMLServer() as server:
        yield Stage(Home(tmp_path / "home"), server, env=host.env)


def events(daemon, name):
    return [line for line in daemon.log().splitlines() if f"event={name} " in line + " "]


DISK_FAULTS = [("write", errno.ENOSPC, "No space left"), ("fsync", errno.EIO, "Input/output error"),
               ("create", errno.EROFS, "Read-only file system"),
               ("getrandom", errno.ENOSYS, "Function not implemented")]


@pytest.mark.parametrize("call, error, words", DISK_FAULTS, ids=[each[0] for each in DISK_FAULTS])
def test_what_cannot_be_kept_is_served_all_the_same(stage, host, call, error, words):  # noqa: F811
    """The old cache stays whole, the problem is told once, and it ends by itself."""
    cache = stage.home.path / "state/clearconf/cache/table.cache"
    stage.change_vault()
    with stage.daemon as daemon:
        stage.wait_turn()
        wait_until(cache.exists, "the cache")
        before = cache.read_bytes()
        host.fail(call, error)
        for _ in range(2):
            stage.change_vault()
            stage.wait_turn()
        wait_until(lambda: events(daemon, "cache-not-written"), "the warning")
        assert cache.read_bytes() == before
        host.heal()
        stage.change_vault()
        stage.wait_turn()
        wait_until(lambda: events(daemon, "cache-recovered"), "the cache")
        [warning] = events(daemon, "cache-not-written")
        assert words in warning
        assert f"turn: {stage.turn}".encode() in cache.read_bytes()
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


def test_a_state_folder_that_is_read_only_from_the_start(stage, host):  # noqa: F811
    """It serves; generations start at the clock in milliseconds, and so grow over a restart that
    remembers nothing."""
    host.fail("create", errno.EROFS)
    stage.change_vault()
    with stage.daemon as daemon:
        stage.wait_turn()
        generation = daemon.status()["generation"]
        assert abs(generation / 1000 - time.time()) < 60
        assert len(events(daemon, "generation-not-kept")) == 1
    with stage.daemon:
        stage.wait_turn()
        assert stage.daemon.status()["generation"] > generation


def libuv():
    """Its version, as the daemon has it."""
    linked = subprocess.run(["ldd", DAEMON], capture_output=True, text=True, check=True).stdout
    number = ctypes.CDLL(re.search(r"(/\S*libuv\S*)", linked)[1]).uv_version()
    return number >> 16, number >> 8 & 255


@pytest.mark.parametrize("call, error", [("inotify_add_watch", errno.ENOSPC),
                                         ("inotify_init1", errno.EMFILE)])
def test_without_inotify_files_are_polled(stage, host, call, error):  # noqa: F811
    if libuv() < (1, 35):
        pytest.skip("before 1.35 libuv made its own system calls, which no shim sees")
    host.fail(call, error)
    with stage.daemon as daemon:
        daemon.wait_value("local", 1)
        stage.home.conf("local: 2")
        daemon.wait_value("local", 2)
        stage.home.conf("local: 3")
        daemon.wait_value("local", 3)
        [warning] = events(daemon, "watch-limited")
        assert "files are looked at at each poll interval" in warning


def take_descriptors(daemon):
    """A process that runs gets no more of them; the limit of before."""
    pid = daemon.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    last = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (last + 1, before[1]))
    return before


def was_dropped(connection):
    try:
        connection.send("io.clearconf.Get")
        return connection.receive_raw() == b""
    except (BrokenPipeError, ConnectionResetError):
        return True


@pytest.mark.skipif(os.geteuid() != 0, reason="the daemon's /proc is root's")
def test_without_descriptors_clients_that_are_there_are_served(stage):
    """Who comes is dropped at once; the server is asked again when there are some again."""
    stage.change_vault()
    with stage.daemon as daemon, daemon.connect() as client:
        stage.wait_turn()
        assert client.call("Get")["value"]["turn"] == 1
        before = take_descriptors(daemon)
        with contextlib.ExitStack() as stack:
            late = [stack.enter_context(daemon.connect()) for _ in range(20)]
            assert was_dropped(late[-1]), "it has some in reserve, but not twenty"

            def is_out_of_reach():
                """What a request to the server gives back is taken at once."""
                late.append(stack.enter_context(daemon.connect()))
                return "server-failed" in daemon.log()
            stage.change_vault()
            wait_until(is_out_of_reach, "the server to be out of reach")
            assert client.call("Get")["value"]["turn"] in (1, 2)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, before)
        stage.wait_turn()
        assert len(events(daemon, "connections-dropped")) == 1
        assert daemon.status()["counters"]["refused"] >= 1


def test_a_hook_that_is_killed_is_one_that_failed(home, daemon, tmp_path):
    """As the kernel does it when memory is short: dump goes on, exec ends as its command did."""
    out, seen = tmp_path / "out.json", tmp_path / "seen"
    home.conf("a: 1")
    daemon.start()
    done = home.client("exec", "--", "sh", "-c", "kill -9 $$")
    assert done.returncode == 128 + 9
    done = home.client("dump", "--output", out, "--exec", f"echo x >> {seen}; kill -9 $$")
    assert done.returncode == 1 and "a" in out.read_text() and seen.read_text() == "x\n"
    assert "signal 9" in done.stderr
