"""`clearconf consumers`: who has the configuration, and which generation."""

import contextlib
import json
import os
import socket
import sys
import time

import pytest
from background import Background
from harness import FAST, ROOT, SANITIZED, Daemon, wait_until
from host import host, library, needs_shim  # noqa: F401
from kernels import kernel, next_of  # noqa: F401
from test_interface import ready  # noqa: F401
from test_metrics import metrics
from varlink import VarlinkError

sys.path.insert(0, str(ROOT / "client/python"))

import clearml_clearconf as clearconf  # noqa: E402


def listed(daemon):
    return daemon.call("ListConsumers")["consumers"]


def one(daemon, **wanted):
    """The one consumer of this kind, when it is there."""
    def find():
        found = [each for each in listed(daemon)
                 if all(each.get(key) == value for key, value in wanted.items())]
        return found[0] if len(found) == 1 else None
    return wait_until(find, wanted)


def test_every_connection_that_was_given_something_is_listed(ready, home):  # noqa: F811
    with ready.connect() as getter, ready.connect() as watcher, ready.connect() as asker:
        asker.call("io.clearconf.GetStatus")
        generation = getter.call("io.clearconf.Get")["generation"]
        watcher.watch()
        mine = sorted((each["how"], each["pid"], each["uid"], each["workspace"], each["generation"],
                       each["command"]) for each in listed(ready))
        name = open("/proc/self/comm").read().strip()
        assert mine == [(how, os.getpid(), os.getuid(), "default", generation, name)
                        for how in ("get", "watch")]
        home.conf("k = 2\n")
        ready.wait_value("k", 2)
        new = one(ready, how="watch", pid=os.getpid())
        old = one(ready, how="get", generation=generation, pid=os.getpid())
        assert new["generation"] > generation and "behind" not in new
        assert 0 <= old["behind"] <= time.time() - new["held_since"] + 1
        found = metrics(home)
        behind = {dict(labels)["age"]: value for (metric, labels), value in found.items()
                  if metric == "workspace_consumers_behind"}
        assert behind == {"minute": 1, "hour": 0, "day": 0, "longer": 0}
    wait_until(lambda: listed(ready) == [], "nobody")


def test_exec_and_dump_tell_what_they_have(ready, home, tmp_path):  # noqa: F811
    generation = ready.call("Get")["generation"]
    dumped = tmp_path / "dumped"
    with Background(home, "dump", "--watch", "--output", str(dumped)), \
            Background(home, "exec", "--on-change", "none", "--", "sleep", "1000"):
        dump = one(ready, how="dump", generation=generation)
        run = one(ready, how="exec", command="sleep", generation=generation)
        assert run["child_generation"] == generation and run["child"] != run["pid"]
        assert dump["pid"] not in (run["pid"], run["child"])
        home.conf("k = 3\n")
        ready.wait_value("k", 3)
        now = ready.call("Get")["generation"]
        one(ready, how="dump", generation=now, pid=dump["pid"])
        run = one(ready, how="exec", generation=now, pid=run["pid"])
        assert run["child_generation"] == generation and run["behind"] >= 0
        assert "behind" not in one(ready, how="dump") and one(ready, command="clearconf")
        assert metrics(home)["workspace_consumers_behind", (("age", "minute"),
                                                            ("workspace", "default"))] == 1
        assert [each["how"] for each in listed(ready)].count("watch") == 0
        text = home.client("consumers", check=0).stdout
        [line] = [line for line in text.splitlines() if " exec " in line]
        assert f"(generation {generation})" in line and f" {now} " in line
        assert json.loads(home.client("consumers", "--json", check=0).stdout)["consumers"]
        assert home.client("--workspace", "none", "consumers", check=0).stdout == ""


def test_a_restart_that_is_pending_is_told(ready, home):  # noqa: F811
    with Background(home, "exec", "--on-change", "restart", "--check", "! grep -q other $1", "--",
                    "sleep", "1000"):
        before = one(ready, how="exec")
        home.conf("other = 3\n")
        run = wait_until(lambda: next((each for each in listed(ready)
                                       if each.get("pending_since")), None), "a refusal")
        assert "check" in run["waiting_for"] or "grep" in run["waiting_for"], run
        assert run["generation"] == before["generation"] == run["child_generation"]
        assert "behind" in run
        assert "restart pending" in home.client("consumers", check=0).stdout
        home.conf("k = 4\n")
        now = wait_until(lambda: next((each for each in listed(ready)
                                       if each["how"] == "exec" and "behind" not in each
                                       and each["child_generation"] == each["generation"]
                                       and "pending_since" not in each), None), "the restart")
        assert now["child"] != before["child"] and now["generation"] > before["generation"]


def test_python_lists_them(ready, home):  # noqa: F811
    client = clearconf.Client(str(home.socket))
    with client.reporting("notebook", "x.ipynb", generation=7, child=1, child_generation=6):
        [consumer] = client.consumers()
    assert (consumer.how, consumer.command, consumer.generation) == ("notebook", "x.ipynb", 7)
    assert (consumer.child, consumer.child_generation, consumer.pid) == (1, 6, os.getpid())


def test_those_of_one_workspace_are_listed_and_a_misspelt_one_is_told(ready, home):  # noqa: F811
    with ready.connect() as connection:
        connection.call("Get")
        assert "get" in home.client("consumers", "--workspace", "default", check=0).stdout
        none = home.client("consumers", "--workspace", "defalt", check=0)
    assert not none.stdout and "'defalt'" in none.stderr and "'clearconf workspace'" in none.stderr


def test_of_one_user_so_many_say_more_of_themselves(ready, home):  # noqa: F811
    """The number is in clearconf-consumers(1)."""
    with contextlib.ExitStack() as living:
        for _ in range(64):
            living.enter_context(ready.connect()).call("ReportConsumer", how="exec")
        one_more = living.enter_context(ready.connect())
        one_more.call("Get")
        with pytest.raises(VarlinkError, match="QuotaExceeded"):
            one_more.call("ReportConsumer", how="exec")
        hows = [each["how"] for each in listed(ready)]
        assert hows.count("exec") == 64


@contextlib.contextmanager
def left_by_its_process(daemon, buried=True):
    """A connection that goes on in a child of the process that made it, whose PID this is."""
    r, w = os.pipe()
    child = os.fork()
    if not child:
        connected = daemon.connect()
        connected.call("io.clearconf.Get")
        if os.fork():
            os._exit(0)
        os.close(w)
        os.read(r, 1)
        os._exit(0)
    os.close(r)
    os.waitid(os.P_PID, child, os.WEXITED | (0 if buried else os.WNOWAIT))
    try:
        yield child
    finally:
        os.close(w)
        if not buried:
            os.waitpid(child, 0)


def nameless(daemon, others):
    """The one consumer that is not of this process is told without PID and name; beside so many
    others, of which each is not asked for at its socket."""
    with contextlib.ExitStack() as living:
        for _ in range(others):
            living.enter_context(daemon.connect()).call("Get")
        rows = listed(daemon)
    assert len(rows) == others + 1
    [consumer] = [each for each in rows if each.get("pid") != os.getpid()]
    assert consumer["how"] == "get"
    assert "pid" not in consumer and "command" not in consumer


@pytest.mark.parametrize("buried", [True, False])
@pytest.mark.parametrize("others", [0, 40])
def test_a_process_that_has_ended_gives_no_name_to_another(ready, home, others, buried):  # noqa: F811
    with left_by_its_process(ready, buried):
        nameless(ready, others)
    wait_until(lambda: listed(ready) == [], "its end")


@needs_shim
@pytest.mark.parametrize("others", [0, 40])
def test_one_that_has_its_pid_by_now_is_not_taken_for_it(kernel, ready, others):  # noqa: F811
    with left_by_its_process(ready) as pid, next_of(pid):
        nameless(ready, others)


def test_a_thousand_come_and_go(home, server, daemon, conf):
    home.settings(FAST + "[limits]\nconnections_per_user = 2000\nwatchers_per_user = 2000\n")
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    ask = b'{"method":"io.clearconf.Get","parameters":{"path":"api"}}\0'
    watch = b'{"method":"io.clearconf.Watch","more":true}\0'
    sizes = []
    before = daemon.descriptors()
    for _ in range(4):
        many = []
        for i in range(1000):
            one = socket.socket(socket.AF_UNIX)
            one.connect(str(home.socket))
            one.sendall(watch if i % 2 else ask)
            many.append(one)
        wait_until(lambda: len(listed(daemon)) == 1000, "all of them")
        hows = [each["how"] for each in listed(daemon)]
        assert hows.count("get") == hows.count("watch") == 500
        assert {each["pid"] for each in listed(daemon)} == {os.getpid()}
        for each in many:
            each.close()
        wait_until(lambda: listed(daemon) == [], "nobody")
        sizes.append(daemon.resident())
    wait_until(lambda: daemon.descriptors() <= before, "no descriptor more")
    assert SANITIZED or sizes[-1] <= sizes[1] + 512, sizes


def test_without_read_one_sees_ones_own(home, conf, strangers):
    """STRANGER may read while it is given something, and then not any more."""
    stranger, other = 4242, 4343
    home.settings(FAST + f"[access]\nread = {stranger}\n")
    home.conf("k = 1\n")
    with Daemon(home, "--socket", strangers.socket) as daemon, daemon.connect() as mine:
        mine.call("Get")
        watching = strangers.send(stranger, "Watch", {}, more=True)
        everybody = wait_until(lambda: len(listed(daemon)) == 2 and listed(daemon), "both")
        assert strangers.call(stranger, "ListConsumers")["consumers"] == everybody
        assert strangers.call(other, "ListConsumers")["consumers"] == []
        home.settings(FAST)
        with daemon.connect() as theirs:
            theirs.close()
        daemon.reload()
        watching.communicate()
        assert strangers.call(stranger, "ListConsumers")["consumers"] == []
