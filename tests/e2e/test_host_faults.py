"""A host whose clock jumps and whose names cannot be resolved: tests/support/host_shim.c, preloaded
into the daemon, makes one of this machine."""

import time

import pytest
from clearml_server import ClearMLServer
from harness import Home, wait_until
from host import host, library, needs_shim  # noqa: F401
from stage import LOGIN, Stage, refused_connection

HOUR = 3600

pytestmark = needs_shim


@pytest.fixture
def stage(tmp_path, host):
    with ClearMLServer() as server:
        yield Stage(Home(tmp_path / "home"), server, env=host.env)


def test_names_that_cannot_be_resolved_at_first_are_resolved_later(stage, host):
    host.take_names()
    stage.settle(f"http://clearml.invalid:{stage.server.port}")
    stage.change_vault()
    with stage.daemon:
        stage.wait_told("offline", "the name of clearml.invalid:.* cannot be resolved")
        assert stage.daemon.get() == {"local": 1}
        host.give_names()
        stage.wait_turn()


def test_nobody_waits_for_a_name_server_that_does_not_answer(stage, host):
    """Neither for a look-up that is under way, nor for one that was given up, nor at the end."""
    host.slow_names(6)
    stage.settle(f"http://clearml.invalid:{stage.server.port}")
    with stage.daemon:
        end, longest = time.monotonic() + 8, 0
        while time.monotonic() < end:
            asked = time.monotonic()
            assert stage.daemon.get("local") == 1
            longest = max(longest, time.monotonic() - asked)
            time.sleep(0.05)
        assert longest < 1
        stage.wait_told("offline", "no whole answer|no answer")
        host.slow_names(0)
        stage.change_vault()
        stage.wait_turn()
        host.slow_names(6)
        time.sleep(1)  # a poll is under way
        asked = time.monotonic()
    assert time.monotonic() - asked < 4


def states(daemon):
    return [line for line in daemon.log().splitlines() if "event=workspace-state" in line]


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_clock_that_jumps_changes_nothing(stage, host, seconds):
    """A token is renewed by the clock that nobody can set: one login is all."""
    stage.server.state.token_lifetime = HOUR / 2
    stage.change_vault()
    with stage.daemon:
        stage.wait_turn()
        before, told = stage.served(), states(stage.daemon)
        host.set_clock(seconds)
        stage.wait_tries(4)
        stage.wait_told("ready", None)
        assert stage.served() == before
        stage.change_vault()
        stage.wait_turn()
        assert stage.server.count(LOGIN) == 1
        assert states(stage.daemon) == told


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_clock_that_jumps_during_a_fault_does_not_hide_it(stage, host, seconds):
    stage.change_vault()
    with stage.daemon:
        stage.wait_turn()
        before = stage.served()
        with refused_connection(stage):
            stage.wait_told("offline", "refused")
            host.set_clock(seconds)
            stage.change_vault()
            stage.wait_told("offline", "refused")
            assert stage.served() == before
        stage.wait_turn()


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_ages_do_not_jump_with_the_clock(stage, host, seconds):
    """What is told as an age is one: neither negative nor an hour too much."""
    stage.change_vault()
    with stage.daemon:
        stage.wait_turn()
        with refused_connection(stage):
            stage.wait_told("offline", "refused")
            host.set_clock(seconds)
            stale = wait_until(lambda: stage.daemon.call("Get").get("stale"), "stale", 4)
            assert 0 < stale < HOUR / 2
            ages = [each["age"] for each in stage.told()["layers"] if "age" in each]
            assert ages and all(0 <= age < HOUR / 2 for age in ages)
            assert 0 <= stage.daemon.status()["uptime"] < HOUR / 2


def test_names_that_can_no_longer_be_resolved_change_nothing(stage, host):
    stage.settle(f"http://clearml.invalid:{stage.server.port}")
    stage.change_vault()
    with stage.daemon:
        stage.wait_turn()
        before = stage.served()
        host.take_names()
        stage.wait_told("offline", "the name of clearml.invalid:.* cannot be resolved")
        stage.change_vault()
        assert stage.served() == before
        host.give_names()
        stage.wait_turn()
