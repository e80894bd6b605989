"""Explain and History of large configurations, which another thread answers while the loop
goes on: each answer is of one moment, and who does not wait for his leaves nothing behind."""

import threading

import pytest
from harness import SANITIZED, Daemon, wait_until
from varlink import VarlinkError

STRANGER = 65533
KEYS = 1000 if SANITIZED else 3000
SECRET = "not-for-strangers"


def text(mark):
    return "\n".join(f'section{i // 100} {{ key{i} : "{mark} {i}" }}' for i in range(KEYS)) + (
        f"\napi.credentials.secret_key: {SECRET}-{mark}\n")


@pytest.fixture
def large(home, strangers):
    home.settings(f"[access]\nread = {STRANGER}\n[limits]\nbytes_per_user = 64M\n")
    home.conf(text(0))
    with Daemon(home, "--socket", strangers.socket) as daemon:
        yield daemon


def check_explained(leaves):
    marks = set()
    for leaf in leaves[1:]:
        mark, number = leaf["value"].split()
        marks.add(mark)
        assert leaf["path"] == f"section{int(number) // 100}.key{number}"
        assert leaf["origin"]["line"] == int(number) + 1 and leaf["overridden"] == []
    assert leaves[0]["path"] == "api.credentials.secret_key"
    assert len(leaves) == KEYS + 1 and len(marks) == 1


def check_short(leaves):
    """What the loop itself answers, of the same texts and at the same time."""
    assert [leaf["origin"]["line"] for leaf in leaves] == [8]


def check_past(generations):
    assert generations[-1]["changes"] == []
    marks = []
    for generation in generations[:-1]:
        changed = [x for x in generation["changes"] if x["path"].startswith("section")]
        steps = {(x["old"].split()[0], x["new"].split()[0]) for x in changed}
        assert len(changed) == KEYS and len(steps) == 1
        marks += steps
    assert all(newer[0] == older[1] for newer, older in zip(marks, marks[1:]))


def test_each_answer_is_of_one_moment(home, large):
    done, failed, answers = threading.Event(), [], {"Explain": 0, "History": 0}

    def ask(method, answer, check, **parameters):
        try:
            with large.connect() as line:
                while not done.is_set():
                    check(line.call(method, **parameters)[answer])
                    answers[method] += 1
        except Exception as error:  # pylint: disable=broad-except
            failed.append(error)

    peers = [threading.Thread(target=ask, args=arguments) for arguments in
             [("Explain", "leaves", check_explained), ("History", "generations", check_past)] * 2]
    peers.append(threading.Thread(target=ask, args=("Explain", "leaves", check_short),
                                  kwargs={"path": "section0.key7"}))
    for peer in peers:
        peer.start()
    for mark in range(1, 6):
        home.conf(text(mark))
        wait_until(lambda mark=mark: large.get("section0.key0") == f"{mark} 0", "the change")
    wait_until(lambda: failed or min(answers.values()) > 4, "answers")
    done.set()
    for peer in peers:
        peer.join()
    assert not failed, failed


def test_who_hangs_up_leaves_nothing_behind(large):
    for turn in range(20):
        lines = [large.connect() for _ in range(5)]
        for line in lines:
            line.send("io.clearconf.Explain" if turn % 2 else "io.clearconf.History", {})
        for line in lines:
            line.close()
    assert len(large.call("Explain")["leaves"]) == KEYS + 1
    wait_until(lambda: large.status()["connections"] == 1, "them to be gone")


def test_the_daemon_may_stop_meanwhile(large):
    lines = [large.connect() for _ in range(5)]
    for line in lines:
        line.send("io.clearconf.Explain", {})
    assert large.stop() == 0
    for line in lines:
        try:
            line.receive()
        except (VarlinkError, ConnectionError):
            pass
        line.close()


def test_a_stranger_sees_no_secret(home, large, strangers):
    home.conf(text("other"))
    wait_until(lambda: large.get("section0.key0") == "other 0", "the change")
    for method in ("Explain", "History"):
        assert SECRET in str(large.call(method, reveal=True))
        shown = str(strangers.call(STRANGER, "io.clearconf." + method))
        assert "other 7" in shown and SECRET not in shown
        with pytest.raises(VarlinkError, match="AccessDenied"):
            strangers.call(STRANGER, "io.clearconf." + method, reveal=True)


def test_calls_behind_a_long_one_wait_for_it(large):
    with large.connect() as line:
        line.send("io.clearconf.Explain", oneway=True)
        line.send("io.clearconf.Explain", more=True)
        line.send("io.clearconf.Get", {"path": "section0.key0"})
        line.send("io.clearconf.History", {"limit": 0})
        line.send("io.clearconf.Explain", {"path": 'section0."a\\u0000b"'})
        line.send("io.clearconf.Explain", {"path": 'section0."a\0b"'})
        assert len(line.receive()["leaves"]) == KEYS + 1
        assert line.receive()["value"] == "0 0"
        assert line.receive()["generations"] == []
        with pytest.raises(VarlinkError, match="PathNotFound"):
            line.receive()
        with pytest.raises(VarlinkError, match="InvalidPath"):
            line.receive()
