"""A document's next text comes to a share of the hosts: one real node, whole daemons."""

import hashlib
import json
import socket

import pytest
from etcd import PREFIX, Node, coded
from harness import Daemon, Home, wait_until

HOST = socket.gethostname()
BESIDE = PREFIX[:-1] + ".state/"
NAME = "20-gpu.conf"
ID = "9f3c2a5b7d114e60"
SETTINGS = """\
[poll]
timeout = 3s
[site]
etcd = {etcd}
probe = 100ms
groups = gpu
report = yes
{more}
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with Node(tmp_path_factory.mktemp("etcd")) as node:
        yield node


@pytest.fixture
def etcd(node):
    """The node, without documents and reports."""
    node.clear()
    node.clear(BESIDE)
    return node


@pytest.fixture
def serve(tmp_path):
    """Start a daemon with these settings in a home of its own; ended at the end."""
    daemons = []

    def start(etcd, more="", home="home"):
        home = Home(tmp_path / home)
        home.settings(SETTINGS.format(etcd=etcd.url, more=more))
        daemons.append(Daemon(home))
        return daemons[-1].__enter__()
    yield start
    for daemon in daemons:
        daemon.__exit__(None)


def roll(etcd, text, share=10000, name=NAME, **more):
    """Put a rollout; its revision."""
    value = {"format": 1, "id": ID, "state": "running", "share": share, "text": text, "of": 0,
             "every": 600}
    return etcd.put(name + ".rollout/", json.dumps({**value, **more}))


def finish(etcd, text, name=NAME):
    etcd.call("kv/txn", success=[
        {"request_put": {"key": coded(PREFIX + name), "value": coded(text)}},
        {"request_delete_range": {"key": coded(PREFIX + name + ".rollout/")}}])


def rollout(daemon):
    """What status says of the one there is."""
    there = daemon.status()["site"].get("rollouts", [])
    return there[0] if there else {}


def wait_rollout(daemon, **members):
    return wait_until(lambda: members.items() <= rollout(daemon).items() and rollout(daemon),
                      f"a rollout with {members}")


def report(etcd):
    return json.loads(etcd.get(HOST, BESIDE) or "{}")


def wait_report(etcd, condition, what):
    return wait_until(lambda: report(etcd) and condition(report(etcd)) and report(etcd), what)


def place(etcd, subject=ID):
    """This machine's, in the queue for the rollout: base/share.h."""
    machine = wait_report(etcd, lambda told: True, "a report")["machine"]
    digest = hashlib.sha256(machine.encode() + b"\0" + subject.encode()).digest()
    return int.from_bytes(digest[:8], "big") * 10000 >> 64


def test_the_share_decides(etcd, serve, home):
    etcd.put(NAME, "a: old")
    daemon = serve(etcd)
    daemon.wait_value("a", "old")
    mine = place(etcd)
    roll(etcd, "a: new", mine)
    wait_rollout(daemon, id=ID, share=mine, taken=False, state="running", name=NAME)
    daemon.wait_value("a", "old")
    revision = roll(etcd, "a: new", mine + 1)
    daemon.wait_value("a", "new")
    assert rollout(daemon) == {"name": NAME, "id": ID, "state": "running", "share": mine + 1,
                               "taken": True}
    told = wait_report(etcd, lambda told: told["site"]["revision"] == revision, "the rollout")
    assert told["site"]["documents"] == [{"name": NAME, "revision": revision, "rollout": ID}]
    assert told["bad"] == []
    roll(etcd, "a: new", mine)
    daemon.wait_value("a", "old")


def test_where_a_value_is_from_says_the_rollout(etcd, serve):
    etcd.put(NAME, "a: old")
    daemon = serve(etcd)
    daemon.wait_value("a", "old")
    roll(etcd, "a: new")
    daemon.wait_value("a", "new")
    leaf, = daemon.call("Explain", path="a")["leaves"]
    assert leaf["origin"]["source"] == PREFIX + NAME
    assert leaf["origin"]["description"] == f"{PREFIX}{NAME} (rollout {ID})"
    assert f"{PREFIX}{NAME} (rollout {ID}):1:4" in daemon.home.client("explain", "a").stdout
    assert f"{NAME}, {ID}, running at 100.00 %, taken here" in daemon.home.client("status").stdout
    finish(etcd, "a: new")
    wait_until(lambda: "description" not in daemon.call("Explain", path="a")["leaves"][0]["origin"],
               "the document's own text")


def test_its_end_is_one_step(etcd, serve):
    etcd.put(NAME, "a: old")
    daemon = serve(etcd)
    daemon.wait_value("a", "old")
    roll(etcd, "a: new")
    daemon.wait_value("a", "new")
    with daemon.connect() as watcher:
        watcher.send("io.clearconf.Watch", {"paths": ["a"], "values": True}, more=True)
        watcher.receive()
        finish(etcd, "a: new")
        wait_until(lambda: not rollout(daemon), "the end")
        etcd.put(NAME, "a: newer")
        change, = watcher.receive()["changes"]
    assert (change["old"], change["new"]) == ("new", "newer")


def test_it_is_reverted_by_its_key(etcd, serve):
    etcd.put(NAME, "a: old")
    daemon = serve(etcd)
    daemon.wait_value("a", "old")
    roll(etcd, "a: new")
    daemon.wait_value("a", "new")
    etcd.put(NAME, "a: other")
    roll(etcd, "a: new", why="nothing")
    etcd.delete(NAME + ".rollout/")
    daemon.wait_value("a", "other")


def test_a_document_may_begin_and_a_group_may_have_one(etcd, serve):
    etcd.put("10-base.conf", "b: 1")
    daemon = serve(etcd)
    daemon.wait_value("b", 1)
    roll(etcd, "a: new", name="groups/gpu/30.conf")
    daemon.wait_value("a", "new")
    roll(etcd, "c: new", name="groups/other/30.conf")
    etcd.delete("groups/gpu/30.conf.rollout/")
    wait_until(lambda: "a" not in daemon.get(), "the revert")
    assert "c" not in daemon.get()
    assert not rollout(daemon)


def test_stopped_it_reaches_nobody_further(etcd, serve):
    etcd.put(NAME, "a: old")
    first = serve(etcd)
    first.wait_value("a", "old")
    roll(etcd, "a: new")
    first.wait_value("a", "new")
    roll(etcd, "a: new", state="stopped", why="broken on gpu-07")
    wait_rollout(first, state="stopped", taken=True)
    later = serve(etcd, home="later")
    later.wait_value("a", "old")
    assert wait_rollout(later, state="stopped")["taken"] is False
    # Who has it keeps it: when all is read again, over a restart, whatever the document says.
    first.reload()
    etcd.put(NAME, "a: other")
    later.wait_value("a", "other")
    assert first.get("a") == "new"
    first.stop()
    first.start()
    first.wait_value("a", "new")
    assert wait_rollout(first, state="stopped")["taken"] is True
    roll(etcd, "a: new", 5000, state="stopped")
    wait_rollout(first, share=5000, taken=True)
    etcd.delete(NAME + ".rollout/")
    first.wait_value("a", "other")


def test_a_text_that_is_broken_is_reported_as_bad(etcd, serve):
    etcd.put(NAME, "a: old")
    daemon = serve(etcd)
    daemon.wait_value("a", "old")
    roll(etcd, "a: new\nb: {")
    it = wait_rollout(daemon, taken=True, bad="broken")
    assert it["reason"].startswith("2:")
    told = wait_report(etcd, lambda told: told["bad"], "a bad rollout")
    bad, = told["bad"]
    assert (bad["rollout"], bad["name"], bad["kind"]) == (ID, NAME, "broken")
    assert bad["reason"] == it["reason"] and bad["time"] <= told["time"]
    assert told["site"]["documents"][0]["state"] == "broken"
    assert daemon.get("a") == "old"
    roll(etcd, "a: new", id="another-one")
    daemon.wait_value("a", "new")
    wait_report(etcd, lambda told: not told["bad"], "a good one")


def test_a_text_that_is_ill_typed_is_bad_where_types_are_refused(etcd, serve):
    etcd.put(NAME, 'agent.default_docker.image: "old"')
    daemon = serve(etcd, "[resolve]\ntypes = refuse")
    daemon.wait_value("agent.default_docker.image", "old")
    roll(etcd, "agent.default_docker.image: 5")
    wait_rollout(daemon, taken=True, bad="ill-typed")
    bad, = wait_report(etcd, lambda told: told["bad"], "a bad rollout")["bad"]
    assert bad["kind"] == "ill-typed" and "image" in bad["reason"]
    assert daemon.get("agent.default_docker.image") == "old"


@pytest.mark.parametrize("value, words", [
    ("{", "no JSON object"),
    ("[]", "no JSON object"),
    ('{"format": 2, "id": "x"}', "newer version"),
    ('{"format": 1, "state": "running", "share": 1, "text": ""}', "no id"),
    ('{"format": 1, "id": "x", "state": "running", "share": 1}', "no text"),
    ('{"format": 1, "id": "x", "state": "odd", "share": 1, "text": ""}', "state"),
    ('{"format": 1, "id": "x", "state": "running", "share": 10001, "text": ""}', "share"),
    ('{"format": 1, "id": "x", "state": "running", "share": "all", "text": ""}', "share"),
])
def test_what_is_no_rollout_reaches_nobody_and_is_told(etcd, serve, value, words):
    etcd.put(NAME, "a: old")
    daemon = serve(etcd)
    daemon.wait_value("a", "old")
    etcd.put(NAME + ".rollout/", value)
    it = wait_until(lambda: words in rollout(daemon).get("error", "") and rollout(daemon), words)
    assert not it["taken"]
    assert "event=rollout-not-understood" in daemon.log()
    roll(etcd, "a: new")
    daemon.wait_value("a", "new")
    etcd.put(NAME + ".rollout/", value)
    wait_until(lambda: words in rollout(daemon).get("error", ""), words)
    assert rollout(daemon)["taken"], "who has it keeps it"
    etcd.delete(NAME + ".rollout/")
    daemon.wait_value("a", "old")
