"""What a daemon has served, over restarts: History, Watch since, and what lies on the disk."""

import os
import shutil
import signal
import stat

import pytest
from clearml_server import ACCESS_KEY, COMPANY_ID
from harness import DEADLINE, FAST, Daemon, wait_until


@pytest.fixture
def folder(home):
    return home.path / "state/clearconf/history/default.history"


def records(folder):
    return sorted(int(path.stem) for path in folder.glob("*.generation"))


def documents(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.document")}


def history(daemon, **parameters):
    return daemon.call("History", **parameters)["generations"]


def generation(daemon):
    return daemon.call("Get", path="")["generation"]


def wait_kept(folder, daemon):
    """Until the generation that is served is on disk."""
    wait_until(lambda: generation(daemon) in records(folder), "the history on disk")


def wait_history(daemon, count):
    return wait_until(lambda: len(history(daemon)) >= count and history(daemon), f"{count} generations")


@pytest.fixture
def lived(home, server, conf, folder):
    """A home whose daemon has served three generations; what History said of them."""
    def live(*texts, settings=FAST, kill=False):
        home.settings(settings)
        server.state.set_vaults([{"id": "v", "description": "team", "data": "turn: 1\nvault_pass: first-swordfish"}])
        home.conf(conf("a = 1"))
        with Daemon(home) as daemon:
            daemon.wait_value("turn", 1)
            for turn in (2, 3):
                server.state.set_vaults([{"id": "v", "description": "team",
                                          "data": f"turn: {turn}\nvault_pass: other-swordfish"}])
                daemon.wait_value("turn", turn)
            wait_kept(folder, daemon)
            told, number = history(daemon, reveal=True), generation(daemon)
            if kill:
                daemon.stop(signal.SIGKILL)
        return told, number
    return live


@pytest.mark.parametrize("kill", [False, True])
def test_what_was_served_is_told_after_a_restart(lived, home, folder, kill):
    told, number = lived(kill=kill)
    with Daemon(home) as daemon:
        now = wait_history(daemon, len(told) + 1)
        assert history(daemon, reveal=True)[1:] == told
        assert now[0]["cause"] == "start" and now[0]["changes"] == []
        assert "first-swordfish" not in str(now)
        wait_kept(folder, daemon)
    # Nothing came of that start: it takes no place.
    with Daemon(home) as daemon:
        wait_history(daemon, len(told) + 1)
        assert history(daemon, reveal=True)[1:] == told


def missed(daemon, since):
    """What a watcher is told at first."""
    with daemon.connect() as connection:
        return connection.watch(since=since)


def test_who_watched_is_told_what_changed_meanwhile(lived, home, conf, server):
    told, number = lived()
    earlier = told[1]["generation"]
    home.conf(conf("a = 2"))
    server.fail("drop")
    with Daemon(home) as daemon:
        wait_history(daemon, len(told) + 1)
        reply = missed(daemon, number)
        assert [(change["path"], change["kind"]) for change in reply["changes"]] == [("a", "changed")]
        reply = missed(daemon, earlier)
        assert [change["path"] for change in reply["changes"]] == ["a", "turn"]
        # What nobody knows: it may have served that before it was killed.
        reply = missed(daemon, number + 1)
        assert reply.get("resync")
