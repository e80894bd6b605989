"""Ten thousand watchers at once: readers that have stopped cost next to nothing, and nobody is
left out. The load tools of tests/bench do the reading and the counting."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from serve import Ours, run, watching  # noqa: E402

WATCHERS, CHANGES = 10_000, 1_000


def read_all(line):
    """All messages that are there or still to come."""
    replies = []
    line.socket.settimeout(1)
    try:
        while True:
            replies.append(line.receive())
    except TimeoutError:
        return replies


def test_stopped_readers_grow_by_a_kib_at_most_and_then_get_the_newest_at_one_go(tmp_path):
    """Each change is read at once, by Reload; each is of 4,000 bytes, so that a queue of them would
    show. The tool fails unless every reader, when it reads again, comes to the last change."""
    with Ours(tmp_path, 'k: "x"') as ours:
        some = [ours.daemon.connect() for _ in range(20)]
        for line in some:
            line.watch(paths=["k"], values=True)
        grown = run("fanout", "-s", ours.socket, "-N", WATCHERS, "-R", CHANGES, "-P", ours.pid,
                    "-S", "-m", f"-{CHANGES - 1:06d}", *watching(ours, 4000))
        assert grown["grown_each"] <= 1024
        newest = ours.daemon.call("Get", path="k")
        for line in some:
            told = read_all(line)
            for before, reply in zip(told, told[1:]):
                assert reply["skipped"] == reply["generation"] - before["generation"] - 1
                assert reply["resync"] or reply["changes"][0]["old"] == before["changes"][0]["new"]
            # It was told of a generation that the history has forgotten.
            assert told[-1]["resync"] and told[-1]["value"] == {"k": newest["value"]}
            assert told[-1]["generation"] == newest["generation"]
            assert told[-1]["skipped"] > CHANGES / 2, "one message for most of them"
            line.close()


def test_a_change_reaches_everybody(tmp_path):
    with Ours(tmp_path, 'k: "x"') as ours:
        told = run("fanout", "-s", ours.socket, "-N", WATCHERS, "-R", 5, "-P", ours.pid,
                   *watching(ours, 150))
        assert told["last_ms"] < 10_000
        assert told["rss_each"] <= 800
        assert ours.daemon.status()["watchers"] <= WATCHERS
