"""A document's next text comes to a share of the hosts: one real node, whole daemons."""

import json
import signal
import socket
import subprocess

import pytest
from etcd import PREFIX, STATE, coded
from harness import CLIENT, Daemon, Home, wait_until
from share import share_of
from varlink import VarlinkError

HOST = socket.gethostname()
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
report_lease = 5s
{more}
"""


@pytest.fixture
def serve(tmp_path, ending):
    """Start a daemon with these settings in a home of its own."""
    def start(etcd, more="", home="home", socket=None):
        home = Home(tmp_path / home)
        home.settings(SETTINGS.format(etcd=etcd.url, more=more))
        daemon = Daemon(home)
        daemon.socket = socket or home.socket
        return ending.enter_context(daemon)
    return start


@pytest.fixture
def daemon(etcd, serve):
    """One that serves a document with a: old."""
    etcd.put(NAME, "a: old")
    daemon = serve(etcd)
    daemon.wait_value("a", "old")
    return daemon


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
    return json.loads(etcd.get(HOST, STATE) or "{}")


def wait_report(etcd, condition, what):
    return wait_until(lambda: report(etcd) and condition(report(etcd)) and report(etcd), what)


def place(etcd, subject=ID):
    """This machine's, in the queue for the rollout."""
    machine = wait_report(etcd, lambda told: True, "a report")["machine"]
    return share_of(machine, subject)


def test_the_share_decides(etcd, daemon, home):
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


def test_where_a_value_is_from_says_the_rollout(etcd, daemon):
    roll(etcd, "a: new")
    daemon.wait_value("a", "new")
    leaf, = daemon.call("Explain", path="a")["leaves"]
    assert leaf["origin"]["source"] == PREFIX + NAME
    assert leaf["origin"]["description"] == f"{PREFIX}{NAME} (rollout {ID})"
    assert f"{PREFIX}{NAME} (rollout {ID}):1:4" in daemon.home.client("explain", "a").stdout
    status = daemon.home.client("status").stdout
    assert f"{NAME}, {ID}, running at 100.00 %, taken here" in status
    assert f" ok       {PREFIX}{NAME} (rollout {ID})\n" in status
    finish(etcd, "a: new")
    wait_until(lambda: "description" not in daemon.call("Explain", path="a")["leaves"][0]["origin"],
               "the document's own text")


def test_its_end_is_one_step(etcd, daemon):
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


def test_it_is_reverted_by_its_key(etcd, daemon):
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


def test_stopped_it_reaches_nobody_further(etcd, serve, daemon):
    roll(etcd, "a: new")
    daemon.wait_value("a", "new")
    roll(etcd, "a: new", state="stopped", why="broken on gpu-07")
    wait_rollout(daemon, state="stopped", taken=True)
    later = serve(etcd, home="later")
    later.wait_value("a", "old")
    assert wait_rollout(later, state="stopped")["taken"] is False
    # Who has it keeps it: when all is read again, over a restart, whatever the document says.
    daemon.reload()
    etcd.put(NAME, "a: other")
    later.wait_value("a", "other")
    assert daemon.get("a") == "new"
    daemon.stop()
    daemon.start()
    daemon.wait_value("a", "new")
    assert wait_rollout(daemon, state="stopped")["taken"] is True
    roll(etcd, "a: new", 5000, state="stopped")
    wait_rollout(daemon, share=5000, taken=True)
    etcd.delete(NAME + ".rollout/")
    daemon.wait_value("a", "other")


def test_who_stood_still_takes_nothing_that_was_stopped_meanwhile(etcd, daemon):
    for number in range(5):
        daemon.process.send_signal(signal.SIGSTOP)
        roll(etcd, "a: new", id=f"run-{number}")
        for each in range(20):  # more than one piece of what is read at once
            etcd.put(f"{each}.conf", f"pad: \"{'x' * 4000}\"")
        roll(etcd, "a: new", id=f"run-{number}", state="stopped")
        daemon.process.send_signal(signal.SIGCONT)
        wait_rollout(daemon, id=f"run-{number}", state="stopped", taken=False)
        assert daemon.get("a") == "old"
    assert "event=rollout-taken" not in daemon.log()


def test_a_text_that_is_broken_is_reported_as_bad(etcd, daemon):
    roll(etcd, "a: new\nb: {")
    it = wait_rollout(daemon, taken=True, bad="broken")
    assert it["reason"].startswith("2:")
    told = wait_report(etcd, lambda told: told["bad"], "a bad rollout")
    bad, = told["bad"]
    assert (bad["rollout"], bad["name"], bad["kind"]) == (ID, NAME, "broken")
    assert bad["reason"] == it["reason"] and bad["time"] <= told["time"]
    assert told["site"]["documents"][0]["state"] == "broken"
    assert daemon.get("a") == "old"
    metrics = daemon.home.client("status", "--openmetrics").stdout
    assert "\nclearconf_rollouts_taken 1\n" in metrics and "\nclearconf_rollouts_bad 1\n" in metrics
    assert "\nclearconf_report_kept 1\n" in metrics
    roll(etcd, "a: new", id="another-one")
    daemon.wait_value("a", "new")
    wait_report(etcd, lambda told: not told["bad"], "a good one")


def test_who_begins_with_a_text_that_is_broken_serves_the_documents_own(etcd, serve):
    etcd.put(NAME, "a: old")
    roll(etcd, "a: new\nb: {")
    daemon = serve(etcd)
    wait_rollout(daemon, taken=True, bad="broken")
    assert daemon.get("a") == "old"
    # Of two that are broken the document's own is the one that can be mended.
    etcd.put("30.conf", "b: {")
    roll(etcd, "b: {", name="30.conf")
    wait_until(lambda: len(daemon.status()["site"]["rollouts"]) == 2, "the second")
    etcd.put("30.conf", "b: own")
    daemon.wait_value("b", "own")
    roll(etcd, "a: new", id="another-one")
    daemon.wait_value("a", "new")


def test_a_file_that_mends_a_text_makes_it_good(etcd, serve, tmp_path):
    etcd.put(NAME, "a: old")
    daemon = serve(etcd, f"[local]\nsite = {tmp_path / 'home'}/site.d")
    daemon.home.write("site.d/10.conf", "c: 1")
    daemon.wait_value("c", 1)
    roll(etcd, "a: ${b}")
    wait_rollout(daemon, taken=True, bad="broken")
    wait_report(etcd, lambda told: told["bad"], "a bad rollout")
    daemon.home.write("site.d/20.conf", "b: new")
    daemon.wait_value("a", "new")
    wait_until(lambda: "bad" not in rollout(daemon), "a good one")
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
def test_what_is_no_rollout_reaches_nobody_and_is_told(etcd, daemon, value, words):
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


# --- what programs say of it ---------------------------------------------------

@pytest.fixture
def consume():
    """Run the client in a home until the test is over."""
    running = []

    def start(daemon, *arguments):
        running.append(subprocess.Popen([CLIENT, *map(str, arguments)], env=daemon.home.env,
                                        cwd=daemon.home.path / "cwd", stderr=subprocess.PIPE,
                                        text=True))
        return running[-1]
    yield start
    for process in running:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def wait_consumers(etcd, **members):
    return wait_report(etcd, lambda told: members.items() <= told["consumers"].items(),
                       f"consumers with {members}")


def bad_of(etcd, kind):
    def there(told):
        return any(bad["kind"] == kind and bad["rollout"] == ID for bad in told["bad"])
    return wait_report(etcd, there, f"{kind} in the report")["bad"][0]


def test_a_check_that_says_no_makes_it_bad(etcd, daemon, consume, tmp_path):
    target = tmp_path / "clearml.conf"
    consume(daemon, "dump", "--watch", "--output", target, "--check",
            "grep -q old $1 || { echo it is not old; exit 3; }")
    wait_until(target.exists, "the dump")
    wait_consumers(etcd, count=1, behind=0)
    roll(etcd, "a: new")
    bad = bad_of(etcd, "check")
    assert "it is not old" in bad["reason"] and "status 3" in bad["reason"]
    assert rollout(daemon)["bad"] == "check"
    wait_consumers(etcd, count=1, behind=1)
    etcd.delete(NAME + ".rollout/")
    wait_consumers(etcd, behind=0)
    assert report(etcd)["bad"] == []


def test_a_program_that_leaves_makes_it_bad(etcd, daemon, consume):
    command = 'grep -q new "$CLEARML_CONFIG_FILE" && exit 3; exec sleep 600'
    process = consume(daemon, "exec", "--on-change", "restart", "--", "sh", "-c", command)
    wait_consumers(etcd, count=1)
    roll(etcd, "a: new")
    bad = bad_of(etcd, "left")
    assert "it ended with status 3" in bad["reason"]
    assert process.wait(timeout=30) == 3
    wait_consumers(etcd, count=0)
    assert bad_of(etcd, "left"), "it stays until the rollout goes"


def test_what_left_for_another_reason_does_not(etcd, daemon, consume):
    # It runs on what was there before the rollout, and its end was asked for.
    process = consume(daemon, "exec", "--on-change", "none", "--", "sh", "-c", "read x; exit 3")
    process.wait(timeout=30)
    roll(etcd, "a: new")
    daemon.wait_value("a", "new")
    process = consume(daemon, "exec", "--", "sleep", "600")
    wait_consumers(etcd, count=1)
    process.terminate()
    process.wait(timeout=30)
    wait_consumers(etcd, count=0)
    assert rollout(daemon).get("bad") is None


def test_a_program_that_ran_on_an_older_one_is_not_believed(etcd, daemon):
    roll(etcd, "a: new")
    daemon.wait_value("a", "new")
    generation = daemon.status()["generation"]
    with daemon.connect() as connection:
        connection.call("ReportConsumer", how="exec", child_generation=generation - 1, bad="left",
                        bad_reason="it ran on an older one")
        assert rollout(daemon).get("bad") is None
        connection.call("ReportConsumer", how="exec", child_generation=generation, bad="left",
                        bad_reason="status 1")
        assert wait_rollout(daemon, bad="left")["reason"] == "status 1"
        with pytest.raises(VarlinkError, match="InvalidParameter"):
            connection.call("ReportConsumer", how="exec", bad="odd")


@pytest.fixture
def of_two_workspaces(etcd, serve, tmp_path):
    """A daemon of two workspaces, of which the active one is made last."""
    etcd.put(NAME, "a: old")
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text("s")
    login = f"api_server = http://127.0.0.1:9\naccess_key = k\nsecret_key_file = {secret}\n"
    daemon = serve(etcd, f"[workspace two]\n{login}[workspace one]\n{login}active = yes\n")
    daemon.wait_value("a", "old")
    return daemon


@pytest.mark.parametrize("held, other", [("one", "two"), ("two", "one")])
def test_a_program_of_a_workspace_that_is_held_is_not_believed(etcd, of_two_workspaces, held, other):
    daemon = of_two_workspaces
    with daemon.connect() as connection:
        connection.call("Hold", reason="x", workspace=held)
        roll(etcd, "a: new")
        wait_rollout(daemon, taken=True)
        connection.call("ReportConsumer", how="exec", bad="check", bad_reason="of what is held",
                        workspace=held)
        assert rollout(daemon).get("bad") is None
        connection.call("ReportConsumer", how="exec", bad="check", bad_reason="of what is new",
                        workspace=other)
        assert wait_rollout(daemon, bad="check")["reason"] == "of what is new"


@pytest.mark.parametrize("name", ["one", "two"])
def test_a_program_that_left_is_believed_in_each_workspace(etcd, of_two_workspaces, name):
    daemon = of_two_workspaces
    with daemon.connect() as connection:
        before = connection.call("Get", path="a", workspace=name)["generation"]
        roll(etcd, "a: new")
        wait_rollout(daemon, taken=True)
        after = connection.call("Get", path="a", workspace=name)["generation"]
        connection.call("ReportConsumer", how="exec", child_generation=before, bad="left",
                        bad_reason="of before", workspace=name)
        assert rollout(daemon).get("bad") is None
        connection.call("ReportConsumer", how="exec", child_generation=after, bad="left",
                        bad_reason="status 1", workspace=name)
        assert wait_rollout(daemon, bad="left")["reason"] == "status 1"


def test_only_who_may_have_secrets_is_believed(etcd, serve, strangers):
    etcd.put(NAME, "a: old")
    daemon = serve(etcd, f"[daemon]\nsocket = {strangers.socket}\n"
                         "[access]\nread = *\nsecrets = 65532\n", socket=strangers.socket)
    daemon.wait_value("a", "old")
    roll(etcd, "a: new")
    daemon.wait_value("a", "new")
    strangers.call(65533, "ReportConsumer", how="exec", bad="check", bad_reason="I do not like it")
    assert rollout(daemon).get("bad") is None
    strangers.call(65532, "ReportConsumer", how="exec", bad="check", bad_reason="it is wrong")
    assert wait_rollout(daemon, bad="check")["reason"] == "it is wrong"
