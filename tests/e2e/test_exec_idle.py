"""clearconf exec --on-change idle: a command is restarted when it has nothing at work."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time

import pytest
from clearml_server import COMPANY_ID, USER_ID
from harness import CLIENT, FAST, Held, wait_until
from prometheus_client.openmetrics.parser import text_string_to_metric_families

# A command that tells its pid and each signal, and starts a child for each file `go` in its folder;
# the child goes on until the file `end` is there, deaf to SIGTERM where `deaf` is there.
WORKS = """
import json, os, signal, subprocess, sys, time
CHILD = '''
import os, signal, time
if os.path.exists("deaf"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("child.new", "w").write(str(os.getpid()))
os.rename("child.new", "child")
while not os.path.exists("end"):
    time.sleep(0.02)
'''
def say(**what):
    with open("said", "a") as file:
        file.write(json.dumps(what) + "\\n")
def heard(number, frame):
    say(signal=signal.Signals(number).name, pid=os.getpid())
    if number in (signal.SIGTERM, signal.SIGINT):
        sys.exit(7)
for name in ("TERM", "INT", "USR1"):
    signal.signal(getattr(signal, "SIG" + name), heard)
"""
BEGUN = """
say(pid=os.getpid(), umask=os.umask(0o77), text=open(os.environ["CLEARML_CONFIG_FILE"]).read())
child = None
while True:
    time.sleep({poll})
    if os.path.exists("go"):
        os.remove("go")
        child = subprocess.Popen([sys.executable, "-c", CHILD])
    if child and child.poll() is not None:
        child = None
"""
PLAIN = WORKS + BEGUN.format(poll=0.02)
# As ClearML's agent has it: who holds a worker's id holds a file of this name open.
AGENT = "#!/usr/bin/python3\n" + WORKS + """
if "--detached" in sys.argv:
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
slot = open(os.environ["TMPDIR"] + "/.clearmlagent_%d_x.tmp" % os.getpid(), "w")
slot.write("vm:0\\n0")
slot.flush()
""" + BEGUN.format(poll=0.4)


class Running:
    """An exec around one of these; .said is what its command has told."""

    def __init__(self, home, *options, command=None, words=("daemon",)):
        self.home, self.cwd = home, home.path / "cwd"
        (home.path / "tmp").mkdir(exist_ok=True)
        if command is None:
            program = home.write("bin/clearml-agent", AGENT)
            program.chmod(0o755)
            command = [str(program), *words]
        self.err = open(home.path / "exec.err", "w+")
        self.process = subprocess.Popen(
            [CLIENT, "exec", *options, "--", *command], cwd=self.cwd, stderr=self.err,
            env=dict(home.env, TMPDIR=str(home.path / "tmp")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in [*self.pids(), self.child()]:
            with contextlib.suppress(ProcessLookupError, TypeError):
                os.kill(pid, signal.SIGKILL)
        self.err.close()

    def said(self, kind):
        path = self.cwd / "said"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line[kind] for line in map(json.loads, lines) if kind in line]

    def pids(self):
        """Of the command, each that it had."""
        return list(dict.fromkeys(self.said("pid")))

    def texts(self):
        return self.said("text")

    def wait_starts(self, count):
        def there():
            assert self.process.poll() is None or len(self.texts()) >= count, self.errors()
            return len(self.texts()) >= count
        wait_until(there, f"{count} starts")
        return self.pids()[-1]

    def child(self):
        path = self.cwd / "child"
        return int(path.read_text()) if path.exists() else None

    def work(self):
        """The command has a child at work from now on; its pid."""
        for name in ("end", "child"):
            (self.cwd / name).unlink(missing_ok=True)
        (self.cwd / "go").touch()
        return wait_until(self.child, "the child")

    def rest(self):
        (self.cwd / "end").touch()

    def errors(self):
        return open(self.err.name).read()

    def file(self):
        folder, = [x for x in os.listdir(self.home.run / "clearconf") if x.startswith("exec.")]
        return (self.home.run / "clearconf" / folder / "clearml.conf").read_text()

    def wait_file(self, part):
        wait_until(lambda: part in self.file(), part)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def folders(home):
    return [x for x in os.listdir(home.run / "clearconf") if x.startswith("exec.")]


def consumer(daemon):
    """The one that status tells of, or None."""
    return next(iter(daemon.status()["consumers"]), None)


def wait_pending(daemon, words):
    return wait_until(lambda: (one := consumer(daemon)) and "pending_since" in one
                      and words in one["waiting_for"] and one, f"pending for {words}")


@pytest.fixture
def plain(home, daemon):
    home.conf("a: 1")
    return daemon.start()


@pytest.fixture
def yard(home, conf, daemon, server):
    """A daemon with a server that knows the worker, and no task of it."""
    home.settings(FAST)
    home.conf(conf("a: 1"))
    daemon.start()
    daemon.wait_state("ready")
    return server.state.work.register("vm:0", USER_ID, COMPANY_ID)


def run_plain(home, *options):
    return Running(home, "--on-change", "idle", *options,
                   command=["/usr/bin/python3", "-c", PLAIN])


# --- any command -----------------------------------------------------------------


def test_a_command_is_left_alone_while_a_child_is_at_work(home, plain):
    with run_plain(home) as one:
        first = one.wait_starts(1)
        child = one.work()
        for turn in range(2, 22):
            home.conf(f"a: {turn}")
            time.sleep(0.1)
        one.wait_file("a = 21\n")
        told = wait_pending(plain, f"process {child} (python3)")
        assert told["command"] == "python3" and told["child"] == first
        time.sleep(2)
        assert one.said("signal") == [] and len(one.texts()) == 1
        one.rest()
        assert one.wait_starts(2) != first
        assert "a = 21\n" in one.texts()[1] and one.said("signal") == ["SIGTERM"]
        wait_until(lambda: "pending_since" not in consumer(plain), "it to be done")
        time.sleep(1)
        assert len(one.texts()) == 2 and "waiting for process" in one.errors()
        log = plain.log()
        assert re.search('event=restart-pending .* waiting_for="process [0-9]+ ', log), log
        assert "event=restart-pending" in log and "event=restart-no-longer-pending" in log
        assert one.end() == 7


def test_status_and_metrics_tell_of_what_is_pending(home, plain):
    with run_plain(home) as one:
        one.wait_starts(1)
        child = one.work()
        home.conf("a: 2")
        pending = wait_pending(plain, str(child))
        text = home.client("status", check=0).stdout
        assert f"waiting for process {child} (python3)" in text
        metrics = home.client("status", "--openmetrics", check=0).stdout
        assert (f'clearconf_consumer_restart_pending{{pid="{one.process.pid}",uid="{os.geteuid()}",'
                f'command="python3"}} 1\n') in metrics
        families = {each.name: each for each in text_string_to_metric_families(metrics)}
        [since] = families["clearconf_consumer_restart_pending_timestamp_seconds"].samples
        assert since.value == pending["pending_since"]
        assert abs(pending["pending_since"] - time.time()) < 30
        assert pending["pid"] == one.process.pid
    wait_until(lambda: consumer(plain) is None, "it to be forgotten")


def test_a_change_taken_back_causes_no_restart(home, plain):
    with run_plain(home) as one:
        one.wait_starts(1)
        child = one.work()
        home.conf("a: 2")
        wait_pending(plain, str(child))
        home.conf("a: 1")
        one.wait_file("a = 1\n")
        wait_until(lambda: "pending_since" not in consumer(plain), "it to be taken back")
        one.rest()
        time.sleep(4)
        assert len(one.texts()) == 1 and one.said("signal") == []


def test_only_some_paths_are_waited_for(home, plain):
    home.conf("a: 1, b { c: 1 }")
    plain.wait_value("b.c", 1)
    with Running(home, "--only", "b.c", "--only", "d", command=["/usr/bin/python3", "-c", PLAIN]) as one:
        one.wait_starts(1)
        home.conf("a: 2, b { c: 1 }")
        one.wait_file("a = 2\n")
        time.sleep(1.2)
        assert len(one.texts()) == 1
        home.conf("a: 2, b { c: 2 }")
        one.wait_starts(2)
        home.conf("a: 2, b { c: 2 }, d: 1")
        one.wait_starts(3)


def test_max_wait_has_the_last_word(home, plain):
    with run_plain(home, "--max-wait", "2") as one:
        one.wait_starts(1)
        child = one.work()
        (one.cwd / "deaf").touch()
        home.conf("a: 2")
        one.wait_starts(2)
        assert "--max-wait is over" in one.errors() and not lives(child)


def test_splay_waits_for_its_share(home, plain):
    waited = []
    for turn in range(1, 4):
        (home.path / "cwd" / "said").unlink(missing_ok=True)
        with Running(home, "--splay", "3", command=["/usr/bin/python3", "-c", PLAIN]) as one:
            one.wait_starts(1)
            began = time.monotonic()
            home.conf(f"a: {turn + 1}")
            one.wait_starts(2)
            waited.append(time.monotonic() - began)
            one.end()
    assert 0.5 <= min(waited) and max(waited) < 6 and max(waited) - min(waited) > 0.05


@pytest.mark.parametrize("test, idle", [("test -e free", True), ("sleep 60", False), ("exit 3", False)])
def test_a_test_of_ones_own(home, plain, test, idle):
    with Running(home, "--idle", f"echo $CLEARCONF_PID > judged; {test}",
                 command=["/usr/bin/python3", "-c", PLAIN]) as one:
        first = one.wait_starts(1)
        one.work()  # its own test knows better
        home.conf("a: 2")
        judged = one.cwd / "judged"
        wait_until(lambda: judged.exists() and judged.read_text(), "the test")
        assert int(judged.read_text()) == first
        time.sleep(1)
        assert len(one.texts()) == 1
        (one.cwd / "free").touch()
        if idle:
            one.wait_starts(2)
        else:
            time.sleep(11 if "sleep" in test else 6)
            assert len(one.texts()) == 1
            assert ("10 seconds" in one.errors()) == ("sleep" in test)


# --- what a command leaves -------------------------------------------------------


def test_grandchildren_that_are_deaf_do_not_live_beside_a_new_copy(home, plain):
    (home.path / "cwd" / "deaf").touch()
    with Running(home, "--grace", "1", command=["/usr/bin/python3", "-c", PLAIN]) as one:
        one.wait_starts(1)
        child = one.work()
        home.conf("a: 2")
        one.wait_starts(2)
        assert not lives(child)
        assert f"process {child} (python3)" in one.errors()


def test_nothing_is_left_when_the_end_is_asked_for(home, plain):
    with Running(home, command=["/usr/bin/python3", "-c", PLAIN]) as one:
        one.wait_starts(1)
        child = one.work()
        assert one.end() == 7
        assert not lives(child) and folders(home) == []


def test_a_command_that_goes_into_the_background_is_followed(home, plain):
    script = "(trap 'exit 5' TERM; echo $$ > back; while :; do sleep 0.05; done) & exit 0"
    with Running(home, command=["sh", "-c", script]) as one:
        wait_until(lambda: "is followed" in one.errors(), "the background")
        home.conf("a: 2")
        one.wait_file("a = 2\n")
        wait_until(lambda: one.errors().count("is followed") == 2, "the restart")
        assert one.process.poll() is None and len(folders(home)) == 1
        assert one.end() == 5
        assert folders(home) == []


def test_what_outlives_a_command_that_failed_is_told_and_waited_for(home, plain):
    with run_plain(home) as one:
        first = one.wait_starts(1)
        child = one.work()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: f"process {child} (python3) that it started goes on" in one.errors(), "the word")
        home.conf("a: 2")
        one.wait_file("a = 2\n")
        time.sleep(4)
        assert lives(child) and one.process.poll() is None and len(one.texts()) == 1
        one.rest()
        assert one.process.wait(timeout=30) == 128 + signal.SIGKILL
        assert folders(home) == []


# --- an agent --------------------------------------------------------------------


def test_an_agent_is_restarted_between_two_tasks(home, daemon, yard, server):
    with Running(home) as one:
        first = one.wait_starts(1)
        yard.task = server.state.work.add_task()
        child = one.work()
        for turn in range(2, 8):
            home.write("clearml.conf", (home.path / "clearml.conf").read_text() + f"a: {turn}\n")
            time.sleep(0.1)
        wait_pending(daemon, f"process {child}")
        one.rest()
        wait_pending(daemon, "the end of the task")  # the child has gone, the server does not know yet
        time.sleep(3)
        assert one.said("signal") == []
        yard.task = None
        assert one.wait_starts(2) != first
        assert one.said("signal") == ["SIGTERM"] and "a = 7\n" in one.texts()[1]
        assert one.said("umask") == [0o77, 0o77]
        assert consumer(daemon)["command"] == "clearml-agent"
        assert one.end() == 7


def test_an_agent_that_nobody_can_be_asked_about_is_left_alone(home, daemon, yard, server):
    with Running(home) as one:
        one.wait_starts(1)
        server.state.work.unregister("vm:0", USER_ID, COMPANY_ID)
        home.write("clearml.conf", (home.path / "clearml.conf").read_text() + "a: 2\n")
        wait_pending(daemon, "to know the worker")
        server.state.work.register("vm:0", USER_ID, COMPANY_ID)
        server.fail("page", endpoint="workers.get_all", status=502)
        wait_pending(daemon, "an answer of the ClearML server")
        assert one.said("signal") == []
        server.clear_failures()
        one.wait_starts(2)


def test_a_held_agent_goes_on_when_exec_is_killed(home, daemon, yard, server):
    with Running(home) as one:
        pid = one.wait_starts(1)
        home.write("clearml.conf", (home.path / "clearml.conf").read_text() + "a: 2\n")

        def state():
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rpartition(") ")[2][0]
        wait_until(lambda: server.count("workers.get_all"), "the first question")
        with Held(server, "workers.get_all"):
            wait_until(lambda: state() == "T", "it to be held")
            one.process.kill()
            one.process.wait()
            wait_until(lambda: state() != "T", "it to go on")
        assert lives(pid) and one.said("signal") == []
        # Its file stays, also when another exec sweeps, and the daemon tells of it.
        wait_until(lambda: "event=consumer-gone-child-lives" in daemon.log(), "the log")
        assert f"child={pid} " in daemon.log()
        subprocess.run([CLIENT, "exec", "true"], env=home.env, check=True)
        assert "a = 2\n" in one.file()
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not lives(pid), "its end")
        subprocess.run([CLIENT, "exec", "true"], env=home.env, check=True)
        assert folders(home) == []


def test_an_agent_outlives_exec_and_the_daemon(home, daemon, yard):
    with Running(home) as one:
        pid = one.wait_starts(1)
        child = one.work()
        daemon.stop(signal.SIGKILL)
        one.process.kill()
        one.process.wait()
        time.sleep(0.5)
        assert lives(pid) and lives(child) and one.said("signal") == []


def test_a_detached_agent_is_followed_and_restarted(home, daemon, yard):
    with Running(home, words=("daemon", "--detached")) as one:
        first = one.wait_starts(1)
        wait_until(lambda: "is followed" in one.errors(), "the background")
        assert one.process.poll() is None
        home.write("clearml.conf", (home.path / "clearml.conf").read_text() + "a: 2\n")
        second = one.wait_starts(2)
        assert not lives(first) and "a = 2\n" in one.texts()[1]
        wait_until(lambda: f"process {second} " in one.errors(), "it to be followed again")
        assert one.end() == 7
        assert not lives(second) and folders(home) == []


@pytest.mark.parametrize("name", ["HUP", "USR1", "TERM", "STOP"])
def test_a_signal_that_an_agent_dies_of_is_refused(home, plain, name):
    with Running(home, "--on-change", f"signal:{name}") as one:
        assert one.process.wait(timeout=30) == 125
        assert "--on-change idle" in one.errors() and one.texts() == []


def test_a_signal_that_an_agent_dies_of_is_not_passed_on(home, daemon, yard):
    with Running(home) as one:
        pid = one.wait_starts(1)
        one.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "signal 1 is not passed on" in one.errors(), "the word")
        assert lives(pid) and one.said("signal") == []
        assert one.end(signal.SIGQUIT) == 7
        assert one.said("signal") == ["SIGTERM"]


@pytest.mark.parametrize("words", [("daemon", "--services-mode"), ("daemon", "--dynamic-gpus"),
                                   ("execute", "--id", "t")])
def test_what_is_never_idle_says_so_and_is_not_restarted(home, daemon, yard, words):
    with Running(home, "--on-change", "idle", words=words) as one:
        one.wait_starts(1)
        assert "is never idle" in one.errors()
        home.write("clearml.conf", (home.path / "clearml.conf").read_text() + "a: 2\n")
        wait_pending(daemon, "never idle")
        time.sleep(4)
        assert one.said("signal") == [] and len(one.texts()) == 1


def test_one_task_is_not_restarted(home, plain):
    with Running(home, words=("execute", "--id", "t")) as one:
        one.wait_starts(1)
        home.conf("a: 2")
        one.wait_file("a = 2\n")
        time.sleep(1.5)
        assert one.said("signal") == [] and "pending_since" not in consumer(plain)


def test_a_restart_that_ends_tasks_is_warned_of(home, plain):
    with Running(home, "--on-change", "restart") as one:
        one.wait_starts(1)
        assert "ends the task that the agent has at work" in one.errors()
        home.conf("a: 2")
        one.wait_starts(2)
