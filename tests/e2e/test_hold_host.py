"""Holds on a host whose clock jumps, or whose disk fails: tests/support/host_shim.c makes one."""

import errno
import os
import re
import subprocess
import time

import pytest
from harness import CLIENT, FAST, Daemon, Home, wait_until
from host import host, library, needs_shim  # noqa: F401
from varlink import VarlinkError

HOUR, DAY = 3600, 86400

pytestmark = needs_shim


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    home.settings(FAST)
    home.conf("a: 1\n")
    return home


@pytest.fixture
def daemon(home, host):  # noqa: F811
    daemon = Daemon(home, env=host.env)
    yield daemon.start()
    daemon.__exit__(None)


def hold(daemon):
    return daemon.workspace().get("hold")


def hold_for(daemon, home, seconds):
    """A hold of a: 1, with a: 2 behind it."""
    daemon.call("Hold", reason="x", **({"duration": seconds} if seconds else {}))
    home.conf("a: 2\n")
    wait_until(lambda: hold(daemon)["differs"], "what is kept back")


# --- the clocks ---


@pytest.mark.parametrize("seconds", [-2 * DAY, 2 * DAY])
def test_a_wall_clock_that_is_set_changes_nothing(daemon, home, host, seconds):  # noqa: F811
    hold_for(daemon, home, HOUR)
    host.set_clock(seconds)
    until = hold(daemon)["until"]
    assert HOUR - 60 < until - (time.time() + seconds) < HOUR + 60
    home.conf("a: 3\n")
    time.sleep(0.3)
    assert daemon.get("a") == 1


def test_the_time_that_a_host_sleeps_counts(daemon, home, host):  # noqa: F811
    hold_for(daemon, home, HOUR)
    host.sleep(HOUR + 1)
    daemon.wait_value("a", 2)
    assert re.search("hold-ended .*its time is over", daemon.log())


@pytest.mark.parametrize("seconds, still", [(HOUR // 2, True), (2 * HOUR, False), (-HOUR // 2, True)])
def test_over_a_restart_the_wall_clock_counts(daemon, home, host, seconds, still):  # noqa: F811
    hold_for(daemon, home, HOUR)
    daemon.stop()
    host.set_clock(seconds)
    daemon.start()
    daemon.wait_value("a", 1 if still else 2)
    if still:
        left = hold(daemon)["until"] - (time.time() + seconds)
        assert left < HOUR - max(seconds, 0) + 10  # and never longer than it was to be
    else:
        assert "its time is over" in daemon.log()


def test_a_clock_that_has_not_been_set_yet_says_nothing(daemon, home, host):  # noqa: F811
    hold_for(daemon, home, 0)
    daemon.stop()
    host.set_clock(-int(time.time()) + HOUR)  # 1970
    daemon.start()
    assert daemon.get("a") == 1


def test_one_of_the_future_is_not_believed(daemon, home, host):  # noqa: F811
    host.set_clock(3 * DAY)
    hold_for(daemon, home, 0)
    daemon.stop()
    host.set_clock(0)
    daemon.start()
    daemon.wait_value("a", 2)
    assert re.search("hold-not-used .*made in the future", daemon.log())


def test_doctor_asks_about_an_old_one(daemon, home, host):  # noqa: F811
    daemon.call("Hold", reason="long ago")
    host.set_clock(8 * DAY)
    done = subprocess.run([CLIENT, "doctor"], env={**home.env, **host.env}, text=True,
                          stdout=subprocess.PIPE, check=False)
    assert re.search(r"warning +hold: workspace default holds generation 1 for 8 d \(uid \d+: "
                     r"long ago\): has it been forgotten\?", done.stdout)


# --- the disk ---


@pytest.mark.parametrize("call, error", [("write", errno.ENOSPC), ("fsync", errno.EIO),
                                         ("create", errno.EROFS)])
def test_what_cannot_be_written_is_not_held(daemon, home, host, call, error):  # noqa: F811
    host.fail(call, error)
    with pytest.raises(VarlinkError) as caught:
        daemon.call("Hold", reason="x")
    assert caught.value.name == "io.clearconf.NotReady"
    assert os.strerror(error) in caught.value.parameters["reason"]
    assert hold(daemon) is None and not list(home.path.rglob("*.hold*"))
    home.conf("a: 2\n")
    daemon.wait_value("a", 2)
    host.heal()
    daemon.call("Hold", reason="x")


def test_what_cannot_be_replaced_stays_what_it_was(daemon, home, host):  # noqa: F811
    hold_for(daemon, home, HOUR)
    host.fail("write", errno.ENOSPC)
    with pytest.raises(VarlinkError):
        daemon.call("Hold", reason="another")
    assert hold(daemon)["reason"] == "x" and daemon.get("a") == 1
    host.heal()
    daemon.stop()
    daemon.start()
    assert hold(daemon)["reason"] == "x" and daemon.get("a") == 1


def test_a_release_that_is_not_on_disk_is_none(daemon, home, host):  # noqa: F811
    hold_for(daemon, home, 0)
    host.fail("fsync", errno.EIO)
    with pytest.raises(VarlinkError) as caught:
        daemon.call("Release")
    assert "cannot be removed" in caught.value.parameters["reason"]
    assert daemon.get("a") == 1 and hold(daemon)
    host.heal()
    assert daemon.call("Release")["released"] and daemon.get("a") == 2
