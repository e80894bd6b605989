"""Whole programs, killed as they enter each system call that they make (strace(1) does it).

tests/unit/test_killed_writers.c kills the writers alone; here the rest of their process is there too. A call
is named by its name and by the how manieth it is of its thread.
"""

import collections
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time

import pytest
from harness import CLIENT, FAST, Daemon, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")

# Those by which the daemon changes anything on the disk, or could leave a thing half done.
CHANGING = ("openat", "mkdir", "mkdirat", "write", "fchmod", "fchmodat", "fchown", "fsync", "linkat",
            "rename", "renameat", "renameat2", "unlink", "unlinkat", "close")
LINE = re.compile(r"^(\d+) +(?:[0-9.]+ )?(\w+)\(", re.M)


def traced(log, *inject):
    return ["strace", "-f", "-qq", "-o", str(log), *inject]


def calls(log):
    """[(name, number)] of every call of the thread that made most of that name."""
    counts = collections.Counter(LINE.findall(log.read_text(errors="replace")))
    most = {}
    for (_, name), count in counts.items():
        most[name] = max(count, most.get(name, 0))
    return [(name, number) for name, count in sorted(most.items())
            for number in range(1, count + 1)]


def killing(name, number):
    return ["-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}"]


def modes(folder):
    return {path.name: stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")
            if path.is_file()}


def test_a_dump_is_old_or_new(home, daemon, tmp_path):
    folder, log = tmp_path / "out", tmp_path / "trace"
    folder.mkdir(mode=0o755)
    path = folder / "clearml.conf"
    command = [CLIENT, "dump", "--output", path, "--format", "json"]
    home.conf("turn = new\nsecret = hush-hush-1\n")
    daemon.start()

    def dump(*before):
        path.unlink(missing_ok=True)
        path.write_text("old")
        path.chmod(0o600)
        return subprocess.run([*before, *command], env=home.env, umask=0, stderr=subprocess.PIPE)
    assert dump(*traced(log)).returncode == 0
    new = path.read_text()
    assert '"new"' in new
    points, found, killed = calls(log), collections.Counter(), 0
    for name, number in points:
        done = dump(*traced(log, *killing(name, number)))
        killed += done.returncode != 0
        text = path.read_text()
        assert text in ("old", new), (name, number)
        found[text] += 1
        assert set(modes(folder).values()) == {0o600}, (name, number)
        for beside in folder.glob(".*"):
            assert beside.read_text() == new, (name, number)
            beside.unlink()
    print(f"{killed} of {len(points)} calls of clearconf dump killed it: {found['old']} times the "
          f"old file, {found[new]} times the new one")
    assert killed > 0.9 * len(points) > 90 and min(found.values()) > 2


def test_the_cache_is_old_or_new(home, server, conf, tmp_path):
    state, log = home.path / "state/clearconf", tmp_path / "trace"
    home.settings(FAST)
    home.conf(conf())

    def prepare():
        """A state folder in which the old vault is the last known good."""
        shutil.rmtree(state, ignore_errors=True)
        shutil.copytree(tmp_path / "kept", state)

    def live(before):
        """The daemon, until it has kept the new vault or was killed: its exit status."""
        daemon = Daemon(home, env={"UV_THREADPOOL_SIZE": "1"})
        daemon.spawn(before)
        cache = state / "cache/default.cache"
        wait_until(lambda: daemon.process.poll() is not None or kept_is_new(cache), "the end")
        if daemon.process.poll() is None:
            # strace's child is the daemon.
            [pid] = children(daemon.process.pid)
            os.kill(pid, signal.SIGTERM)
        return daemon.process.wait(30)

    def kept_is_new(cache):
        try:
            return b"turn: 2" in cache.read_bytes()
        except FileNotFoundError:
            return False

    server.state.set_vaults(["turn: 1"])
    with Daemon(home) as daemon:
        daemon.wait_value("turn", 1)
        wait_until((state / "cache/default.cache").exists, "the cache")
    shutil.copytree(state, tmp_path / "kept")
    server.state.set_vaults(["turn: 2"])
    prepare()
    assert live(traced(log, "-e", "trace=" + ",".join(CHANGING))) == 0
    points, found, killed = calls(log), collections.Counter(), 0
    for name, number in points:
        prepare()
        killed += live(traced(log, *killing(name, number))) != 0
        assert {mode & 0o077 for mode in modes(state).values()} == {0}, (name, number)
        turn = home.resolve("--offline")["turn"]
        assert turn in (1, 2), (name, number)
        found[turn] += 1
    print(f"{killed} of {len(points)} calls of clearconfd killed it: {found[1]} times the old "
          f"vault is kept, {found[2]} times the new one")
    assert killed > len(points) / 2 > 20 and min(found.values()) > 2


def test_a_skip_that_was_answered_is_kept(home, server, conf, tmp_path):
    """Killed before it answers, the revision waits or is skipped; after that it is skipped, for ever."""
    state, log = home.path / "state/clearconf", tmp_path / "trace"
    home.settings(FAST + "[change]\nstage = 0.01 % for 30d\n")
    home.conf(conf())

    def arriving(daemon):
        try:
            return daemon.workspace().get("arriving")
        except (OSError, AssertionError):
            return None

    def live(before):
        """The daemon, until it has skipped what waits or was killed: did it answer?"""
        daemon = Daemon(home, env={"UV_THREADPOOL_SIZE": "1"})
        daemon.spawn(before)
        wait_until(lambda: daemon.process.poll() is not None or arriving(daemon), "what waits")
        answered = home.client("change", "skip").returncode == 0
        if daemon.process.poll() is None and children(daemon.process.pid):
            os.kill(children(daemon.process.pid)[0], signal.SIGTERM)
        daemon.process.wait(30)
        return answered

    def kept():
        text = (state / "cache/default.cache").read_text()
        return json.loads(text.partition("\n")[2])

    server.state.set_vaults(["turn: 1"])
    with Daemon(home) as daemon:
        daemon.wait_value("turn", 1)
        server.state.set_vaults(["turn: 2"])
        wait_until(lambda: arriving(daemon), "what waits")
    assert kept()["arrivals"]["config"]["skipped"] is False
    shutil.copytree(state, tmp_path / "kept")
    assert live(traced(log, "-e", "trace=" + ",".join(CHANGING)))
    points, found, answers = calls(log), collections.Counter(), 0
    for name, number in points:
        shutil.rmtree(state)
        shutil.copytree(tmp_path / "kept", state)
        answered = live(traced(log, *killing(name, number)))
        arrival = kept()["arrivals"]["config"]
        assert len(arrival["next"]) == 32 and kept()["vaults"]["config"][0]["data"] == "turn: 1"
        assert arrival["skipped"] or not answered, (name, number)
        found[arrival["skipped"]] += 1
        answers += answered
    print(f"of {sum(found.values())} daemons that were killed {found[True]} have kept the skip, "
          f"{answers} had answered it")
    assert min(found.values()) > 5 and answers > 1


def test_the_history_is_what_was_served_and_nothing_else(home, tmp_path):
    """Each generation that is found after a kill was served, with just that value; none is damaged."""
    state, log = home.path / "state/clearconf", tmp_path / "trace"
    folder = state / "history/default.history"
    home.settings(FAST)
    served = {}  # generation: turn, of the life before the one that is looked at

    def turn(daemon, number):
        """The generation with this value; None: it was killed first."""
        home.conf(f"turn: {number}\nkey: hush-hush-{number}\n")
        end = time.monotonic() + 20
        while daemon.process.poll() is None and time.monotonic() < end:
            try:
                answer = daemon.call("Get")
            except OSError:
                continue
            served[answer["generation"]] = answer["value"].get("turn")
            if answer["value"].get("turn") == number:
                return answer["generation"]
        return None

    def live(before):
        daemon = Daemon(home, env={"UV_THREADPOOL_SIZE": "1"})
        home.conf("turn: 10\nkey: hush-hush-10\n")
        daemon.spawn(before)
        for number in (11, 12, 13):
            turn(daemon, number)
        wait_until(lambda: daemon.process.poll() is not None or len(list(folder.glob("*.generation"))) >= 5,
                   "what is kept")
        if daemon.process.poll() is None and children(daemon.process.pid):
            os.kill(children(daemon.process.pid)[0], signal.SIGTERM)
        daemon.process.wait(30)

    def found():
        """(generation, turn) of what the next process finds, the oldest first."""
        with Daemon(home) as daemon:
            home.conf("turn: 20\n")
            daemon.wait_value("turn", 20)
            newest = folder / f"{daemon.call('Get')['generation']:020}.generation"
            wait_until(newest.exists, "what is kept once all is read")
            told = daemon.call("History", reveal=True)["generations"]
            assert "history-not-used" not in daemon.log()
        turns = {}
        for each in told:
            for change in each["changes"]:
                if change["path"] == "turn":
                    turns[each["generation"]] = change["new"]
        return turns

    with Daemon(home) as daemon:
        turn(daemon, 1)
        turn(daemon, 2)
        wait_until(lambda: len(list(folder.glob("*.generation"))) >= 2, "what is kept")
    kept, first = dict(served), tmp_path / "kept"
    shutil.copytree(state, first)
    live(traced(log, "-e", "trace=" + ",".join(CHANGING)))
    points, counts = calls(log)[::5], collections.Counter()  # all of them take seven minutes
    for name, number in points:
        shutil.rmtree(state)
        shutil.copytree(first, state)
        served.clear()
        served.update(kept)
        live(traced(log, *killing(name, number)))
        assert {mode & 0o077 for mode in modes(state).values()} == {0}, (name, number)
        assert not list(folder.glob("*.bad")), (name, number)
        turns = found()
        for generation, value in turns.items():
            assert served.get(generation, value) == value, (name, number)
        in_order = [turns[generation] for generation in sorted(turns)]
        assert in_order == sorted(set(in_order)) and set(in_order) <= {1, 2, 10, 11, 12, 13, 20}
        assert {1, 2, 20} <= set(in_order), (name, number)
        counts[len(turns)] += 1
    print(f"{len(points)} kills; generations found after them: {dict(counts)}")


@pytest.fixture
def holding(home, tmp_path):
    """try_each(words, judge): clearconf of these words, asked of a daemon that is killed as it enters
    each of its system calls; judge(answered, what) is told whether it answered, and what a start
    after that serves and holds."""
    state, log = home.path / "state/clearconf", tmp_path / "trace"

    def live(before, words):
        daemon = Daemon(home, env={"UV_THREADPOOL_SIZE": "1"})
        daemon.spawn(before)
        wait_until(lambda: daemon.process.poll() is not None or home.socket.exists(), "the socket")
        answered = home.client(*words).returncode == 0
        if daemon.process.poll() is None and children(daemon.process.pid):
            os.kill(children(daemon.process.pid)[0], signal.SIGTERM)
        daemon.process.wait(30)
        return answered

    def look():
        """(a, the reason of the hold): after a restart, whatever the file says now."""
        home.conf("a = 3\n")
        with Daemon(home) as daemon:
            hold = daemon.workspace().get("hold")
            assert not list(state.glob("*.bad")), daemon.log()
            return daemon.get("a"), hold and (hold["generation"], hold["reason"])

    def prepare():
        shutil.rmtree(state)
        shutil.copytree(tmp_path / "kept", state)
        home.conf("a = 2\n")

    def try_each(words, judge):
        shutil.copytree(state, tmp_path / "kept")
        prepare()
        assert live(traced(log, "-e", "trace=" + ",".join(CHANGING)), words)
        points, killed = calls(log), 0
        for name, number in points:
            prepare()
            answered = live(traced(log, *killing(name, number)), words)
            killed += not answered
            assert {mode & 0o077 for mode in modes(state).values()} == {0}, (name, number)
            judge(answered, look())
        assert len(points) > 20 and killed > 5
        return killed
    return try_each


def begin_holding(home, *words):
    """The state folder of a daemon that served a: 1 and a: 2, and did as it was told in between."""
    home.settings(FAST)
    home.conf("a = 1\n")
    with Daemon(home) as daemon:
        if words:
            home.client(*words, check=0)
        home.conf("a = 2\n")
        wait_until(lambda: "event=kept-back" in daemon.log() if words else daemon.get("a") == 2,
                   "the second")


def test_a_hold_that_was_answered_holds(home, holding):
    begin_holding(home)
    found = collections.Counter()

    def judge(answered, seen):
        assert seen[0] == (2 if seen[1] else 3) and (seen[1] or not answered), seen
        found[bool(seen[1])] += 1
    killed = holding(["hold", "--reason", "x"], judge)
    print(f"{killed} times killed before the answer, {found[True]} times held after it, "
          f"{found[False]} times not")
    assert min(found.values()) > 2


def test_a_hold_that_replaces_another_is_the_one_or_the_other(home, holding):
    begin_holding(home, "hold", "--reason", "first")
    found = collections.Counter()

    def judge(answered, seen):
        assert seen[0] == 1 and seen[1][1] in ("first", "second"), seen
        assert not answered or seen[1][1] == "second", seen
        found[seen[1][1]] += 1
    killed = holding(["hold", "--reason", "second"], judge)
    print(f"{killed} times killed before the answer: {dict(found)}")
    assert min(found.values()) > 2


def test_a_release_that_was_answered_is_one(home, holding):
    begin_holding(home, "hold", "--reason", "x")
    found = collections.Counter()

    def judge(answered, seen):
        assert seen[0] == (1 if seen[1] else 3) and (not seen[1] or not answered), seen
        found[bool(seen[1])] += 1
    killed = holding(["release"], judge)
    print(f"{killed} times killed before the answer, {found[True]} times held after it, "
          f"{found[False]} times not")
    assert min(found.values()) > 2


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(each) for each in file.read().split()]
