"""Watch, and GetStatus with `more`: what a watcher is told, and when; slow
readers, filters, `since`."""

import time

import pytest
from harness import FAST, wait_until


@pytest.fixture
def running(home, daemon):
    home.conf("k: 1\nsub { a: x, list: [1, 2, { deep: yes }] }\n\"a.b\": quoted")
    return daemon.start()


@pytest.fixture
def line(running):
    """A connection to it."""
    with running.connect() as connection:
        yield connection


@pytest.fixture
def watcher(line):
    """A connection that watches everything, values included."""
    line.watch(values=True)
    return line


def test_the_first_reply_is_the_state_of_now(line, running):
    reply = line.watch(values=True)
    now = running.call("Get")
    assert reply["value"] == now["value"] and reply["generation"] == now["generation"]
    assert (reply["state"], reply["resync"], reply["skipped"], reply["changes"]) \
        == ("ready", False, 0, [])


def test_without_values_only_paths_and_kinds_are_told(line, running):
    assert "value" not in line.watch()
    running.home.conf("k: 2\nnew { b: 1, c: {} }")
    reply = line.receive()
    assert reply["skipped"] == 0 and not reply["resync"]
    assert [(x["kind"], x["path"]) for x in reply["changes"]] == [
        ("removed", '"a.b"'), ("removed", "sub.a"), ("removed", "sub.list"),
        ("changed", "k"), ("added", "new.b"), ("added", "new.c")]
    assert not any("old" in x or "new" in x for x in reply["changes"])
    places = {x["path"]: (x["origin"]["layer"], x["origin"]["line"], x["origin"]["column"])
              for x in reply["changes"]}
    assert places["k"] == ("file", 1, 4)       # where it is now
    assert places["sub.a"] == ("file", 2, 10)  # where it was
    assert places["new.c"] == ("file", 2, 16)


def test_old_and_new_come_with_values(watcher, running):
    running.home.conf("k: [1]\nsub { a: x, list: [1, 2, { deep: yes }] }\n\"a.b\": quoted")
    change, = watcher.receive()["changes"]
    assert (change["path"], change["old"], change["new"]) == ("k", 1, [1])


def test_paths_filter_what_is_told(line, running):
    reply = line.watch(paths=["sub", "nowhere", "new.b"], values=True)
    assert reply["value"] == {"sub": {"a": "x", "list": [1, 2, {"deep": "yes"}]}}
    running.home.conf("k: 2\nsub { a: x, list: [1, 2, { deep: yes }] }")
    running.wait_value("k", 2)
    running.home.conf("k: 3\nsub { a: y }\nnew.b: 1")
    reply = line.receive()
    assert [(x["kind"], x["path"]) for x in reply["changes"]] == [
        ("removed", "sub.list"), ("added", "new.b"), ("changed", "sub.a")]


def test_since_an_old_generation_tells_what_changed(line, running):
    before = running.call("Get")["generation"]
    running.home.conf("k: 2")
    running.wait_value("k", 2)
    reply = line.watch(since=before)
    assert not reply["resync"] and "value" not in reply
    assert ("changed", "k") in [(x["kind"], x["path"]) for x in reply["changes"]]


def test_since_now_tells_nothing(line, running):
    reply = line.watch(since=running.call("Get")["generation"])
    assert (reply["changes"], reply["resync"]) == ([], False) and "value" not in reply


@pytest.mark.parametrize("since", [0, 1 << 50])
def test_since_what_nobody_remembers_is_a_resync_with_the_value(line, running, since):
    reply = line.watch(since=since)
    assert reply["resync"] and reply["value"] == running.get() and reply["changes"] == []


def test_since_what_the_history_has_forgotten_is_a_resync(home, daemon):
    home.settings("[limits]\nhistory = 2\n")
    home.conf("k: 0")
    daemon.start()
    first = daemon.call("Get")["generation"]
    for number in range(1, 5):
        home.conf(f"k: {number}")
        daemon.wait_value("k", number)
    with daemon.connect() as line:
        reply = line.watch(since=first)
        assert reply["resync"] and reply["value"] == {"k": 4}


def test_since_with_values_gives_the_value_only(line, running):
    before = running.call("Get")["generation"]
    running.home.conf("k: 2")
    running.wait_value("k", 2)
    reply = line.watch(since=before, values=True)
    assert reply["value"] == {"k": 2} and reply["changes"] == []


def test_without_more_one_reply_comes_at_the_next_change(line, running):
    line.send("io.clearconf.Watch", {"values": True})
    line.send("io.clearconf.Get", {"path": "k"})
    wait_until(lambda: running.status()["watchers"] == 1, "the watch")
    running.home.conf("k: 2")
    reply = line.receive()
    assert [x["path"] for x in reply["changes"]] and "k" in [x["path"] for x in reply["changes"]]
    assert line.receive()["value"] == 2, "the call behind it is answered then"
    assert running.status()["watchers"] == 0


def test_without_more_and_since_the_past_the_reply_comes_at_once(line, running):
    before = running.call("Get")["generation"]
    running.home.conf("k: 2")
    running.wait_value("k", 2)
    reply = line.call("Watch", since=before)
    assert "k" in [x["path"] for x in reply["changes"]]


def test_a_save_that_changes_nothing_is_not_told(watcher, running):
    before = running.call("Get")["generation"]
    text = (running.home.path / "clearml.conf").read_text()
    running.home.conf("# only a comment\n" + text)
    wait_until(lambda: running.layer("clearml.conf")["age"] == 0, "the file to be read")
    running.home.conf(text + "\nmarker: 1")
    reply = watcher.receive()
    assert [x["path"] for x in reply["changes"]] == ["marker"]
    assert reply["generation"] == before + 1


BIG = "x" * 2_000_000


def test_a_slow_reader_gets_one_reply_for_all_it_missed(watcher, running):
    running.home.conf(f"k: 1, big: \"{BIG}\"")
    running.wait_value("big", BIG)
    for number in range(2, 7):
        running.home.conf(f"k: {number}, big: \"{BIG}\"")
        running.wait_value("k", number)
    generation = running.call("Get", path="k")["generation"]
    assert "big" in [x["path"] for x in watcher.receive()["changes"]]
    reply = watcher.receive()
    assert reply["skipped"] == 4 and reply["generation"] == generation
    assert [(x["path"], x["old"], x["new"]) for x in reply["changes"]] == [("k", 1, 6)]


def test_what_cancels_out_while_a_reader_is_slow_is_not_told(watcher, running):
    running.home.conf(f"k: 1, big: \"{BIG}\"")
    running.wait_value("big", BIG)
    running.home.conf(f"k: 2, big: \"{BIG}\"")
    running.wait_value("k", 2)
    running.home.conf(f"k: 1, big: \"{BIG}\"")
    running.wait_value("k", 1)
    assert "big" in [x["path"] for x in watcher.receive()["changes"]]
    running.home.conf(f"k: 1, big: \"{BIG}\", marker: 1")
    assert [x["path"] for x in watcher.receive()["changes"]] == ["marker"]


def test_a_slow_reader_does_not_hold_up_another(watcher, running):
    with running.connect() as quick:
        quick.watch()
        for number in range(3):
            running.home.conf(f"k: {number}, big: \"{BIG}{number}\"")
            quick.receive()
            running.wait_value("k", number)


def test_status_with_more_is_told_at_each_change_of_state_and_only_then(home, conf, server, daemon):
    home.settings(FAST)
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    with daemon.connect() as line:
        line.send("io.clearconf.GetStatus", more=True)
        assert line.receive()["status"]["state"] == "ready"
        server.wait_for("users.get_vaults", server.count("users.get_vaults") + 3)
        server.fail("drop")
        assert line.receive()["status"]["state"] == "offline"
        server.wait_for(None, server.count() + 3)
        server.clear_failures()
        assert line.receive()["status"]["state"] == "ready"


def test_the_status_is_what_the_interface_promises(home, conf, server, daemon):
    home.settings(FAST)
    home.conf(conf())
    start = int(time.time())
    daemon.start()
    status = daemon.wait_state("ready")
    assert status["pid"] == daemon.process.pid and status["instance"] == "user"
    assert start <= status["since"] <= time.time() and status["uptime"] >= 0
    workspace, = status["workspaces"]
    assert (workspace["name"], workspace["active"]) == ("default", True)
    assert workspace["company_name"] == "stand-in" and workspace["user_name"] == "Jane Doe"
    assert workspace["access_key_origin"]["source"] == str(home.path / "clearml.conf")
    assert workspace["access_key_origin"]["layer"] == "file"
    assert workspace["server"]["api_server"] == server.url
    assert start <= workspace["server"]["last_success"] <= time.time()
    assert workspace["server"]["feature_set"] == "advanced"
    assert workspace["server"]["token_expires_at"] > time.time()
