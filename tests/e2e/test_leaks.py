"""What must not pile up: descriptors, memory, half-dead connections."""

import os
import time

import pytest
from harness import FAST, SANITIZED, wait_until

needs_proc = pytest.mark.skipif(os.geteuid() != 0,
                                reason="the daemon's /proc is root's: it is not dumpable")


@pytest.fixture
def busy(home, conf, server, daemon):
    server.state.set_vaults(["team { name: red, list: [1, 2, 3] }"])
    home.settings(FAST)
    home.write("team.conf", "included: 1")
    home.conf(conf('include "team.conf"\n' + "\n".join(f"k{i}: {i}" for i in range(200))))
    daemon.start()
    daemon.wait_state("ready")
    return daemon


def descriptors_at_rest(daemon, server):
    """The fewest while it polls a few times: each request opens one for a
    moment, and so does each client."""
    wait_until(lambda: daemon.status()["connections"] == 1, "connections to be gone")
    fewest, end = daemon.descriptors(), server.count() + 6
    while server.count() < end:
        fewest = min(fewest, daemon.descriptors())
        time.sleep(0.002)
    return fewest


def connect_and_ask(daemon, number):
    with daemon.connect() as line:
        if number % 10 == 0:
            line.send_raw(b'{"method": "io.clearconf.G')  # dies amid a message
        elif number % 10 == 1:
            line.watch()
        elif number % 10 == 2:
            line.send("io.clearconf.Get")  # dies before its answer
        elif number % 10 > 3:
            line.call("Get")


@needs_proc
def test_a_thousand_connects_leave_no_descriptor(server, busy):
    before = descriptors_at_rest(busy, server)
    for number in range(1000):
        connect_and_ask(busy, number)
    assert descriptors_at_rest(busy, server) == before
    assert busy.status()["watchers"] == 0


@needs_proc
def test_two_hundred_reloads_leave_no_descriptor(server, busy):
    busy.reload()
    before = descriptors_at_rest(busy, server)
    for _ in range(200):
        busy.reload()
    busy.wait_state("ready")
    assert descriptors_at_rest(busy, server) == before


@needs_proc
def test_files_that_change_leave_no_descriptor(home, conf, server, busy):
    before = descriptors_at_rest(busy, server)
    for number in range(30):
        home.write(f"folder{number}/inside.conf", f"n: {number}")
        home.conf(conf(f'include "folder{number}/inside.conf"'))
        busy.wait_value("n", number)
    home.conf(conf('include "team.conf"'))
    busy.wait_value("included", 1)
    assert descriptors_at_rest(busy, server) == before


@needs_proc
@pytest.mark.skipif(SANITIZED, reason="a sanitizer keeps what is freed")
def test_memory_does_not_grow_with_what_has_been(home, conf, busy):
    def work():
        for number in range(300):
            connect_and_ask(busy, number)
        for _ in range(50):
            busy.reload()

    work()
    before = busy.resident()
    for _ in range(3):
        work()
    assert busy.resident() - before < 2048
