"""What the log tells of a day: a line for what happened, none for what goes on."""

import re

from harness import FAST

POLLS = 10  # of nothing new, between any two events

STORY = [
    "started", "snapshot:start", "workspace-state:starting",
    "snapshot:vault", "workspace-state:ready", "ready:ready",
    "snapshot:vault",                              # edited
    "layer-broken", "workspace-state:degraded",    # the file
    "snapshot:file", "workspace-state:ready",
    "server-failed", "workspace-state:degraded",   # 503
    "server-recovered", "workspace-state:ready",
    "reload", "stopping",
]


def story(daemon):
    """[event or event:detail], as a person reads it."""
    told = []
    for line in daemon.log().splitlines():
        event = re.search(r"event=(\S+)", line)[1]
        if event in ("libcurl-old", "changed"):
            continue  # told at the start, where it is; told by another thread, when it is done
        detail = re.search(r"(?:cause|state)=(\S+)", line)
        told.append(f"{event}:{detail[1]}" if detail else event)
    return told


def test_the_story_of_a_day(home, server, daemon, conf):
    """A morning's start, a vault edited, a file broken and repaired, a server away, a reload, an
    evening's end; and hundreds of polls between."""
    def nothing_new():
        server.wait_for("users.get_vaults", server.count("users.get_vaults") + POLLS)

    server.state.set_vaults(["turn: 1"])
    home.settings(FAST)
    home.conf(conf("morning: 1"))
    with daemon:
        daemon.wait_value("turn", 1)
        daemon.wait_state("ready")
        nothing_new()
        server.state.set_vaults(["turn: 2"])
        daemon.wait_value("turn", 2)
        nothing_new()
        home.conf(conf("morning: ["))
        daemon.wait_state("degraded")
        nothing_new()
        home.conf(conf("morning: 2"))
        daemon.wait_state("ready")
        server.fail("page", status=503)
        daemon.wait_state("degraded", "offline")
        nothing_new()
        server.clear_failures()
        daemon.wait_state("ready")
        nothing_new()
        for _ in range(200):
            assert daemon.get("turn") == 2
        daemon.reload()
        nothing_new()
    assert story(daemon) == STORY
    assert sum("event=changed " in line for line in daemon.log().splitlines()) == 3  # turn, twice, and morning
