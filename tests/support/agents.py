"""Agents and where they work: for tests of `clearconf exec` around one.

LIKE is agent_like.py; REAL is ClearML's own, of the checkouts of its agent and its SDK
(checkouts.py). A Yard is a stand-in server with a queue, and a home with a
temporary folder of its own, in which one of them runs, under exec or by itself.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

import checkouts
from clearml_server import ACCESS_KEY, SECRET_KEY
from clearml_work import ENDED
from harness import CLIENT, FAST, SUPPORT, wait_until
from ledger import LEDGER

PYTHON = "/usr/bin/python3"
QUEUE = "gpu"
VAULT_SECRET = "vault-of-the-yard-0123456789"


class Like:
    """agent_like.py, by the name of the agent."""

    name = "agent-like"
    env = {}
    read = "from agent_like import sdk_config as read\n"

    @staticmethod
    def command(home):
        """The words before those of the agent."""
        program = home.path / "bin" / "clearml-agent"
        if not program.exists():
            program.parent.mkdir()
            program.symlink_to(SUPPORT / "agent_like.py")
        return [program]


class Real:
    """ClearML's own agent, whose tasks are run by Python as it is: no environment is made."""

    name = "clearml-agent"
    env = {"CLEARML_AGENT_QUEUE_POLL_FREQ_SEC": "0.5", "CLEARML_AGENT_SKIP_PYTHON_ENV_INSTALL": "1",
           "PYTHONUNBUFFERED": "1"}
    read = ("from clearml.backend_api import Session\n"
            "def read(): return Session().config.to_dict()\n")

    @staticmethod
    def command(home):
        """The words before those of the agent."""
        return [PYTHON, "-m", "clearml_agent"]


CONF = """\
api {{ api_server: "{url}", web_server: "{url}", files_server: "{url}"
  credentials {{ access_key: {key}, secret_key: "{secret}" }} }}
agent {{ worker_name: vm, disable_agent_update_check: true, venvs_dir: "{home}/venvs"
  venvs_cache.path: "", vcs_cache.path: "{home}/vcs", pip_download_cache.path: "{home}/pip" }}
"""


# Of a task; says what it has to say in one step, so that nobody reads half of it.
PROGRAM = """
import json, os, time
def say(kind, value):
    path = {said!r} + "/" + os.environ["CLEARML_TASK_ID"] + "." + kind
    with open(path + ".new", "w") as file:
        json.dump(dict(value=value, env=dict(os.environ)), file)
    os.rename(path + ".new", path)
value = read()
for key in {path!r}:
    value = (value or {{}}).get(key)
say("begin", value)
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    time.sleep(0.05)
say("end", value)
"""


class Yard:
    """A server, a home, a kind of agent."""

    def __init__(self, home, server, kind):
        self.home, self.server, self.kind = home, server, kind
        self.work, self.state = server.state.work, server.state
        self.temporary = home.path / "tmp"
        self.said_folder = home.path / "said"
        for folder in (self.temporary, self.said_folder):
            folder.mkdir()
        self.env = dict(home.env, TMPDIR=str(self.temporary), **kind.env, **self.sources())
        self.work.add_queue(QUEUE)
        self.write_conf()
        home.settings(FAST)

    def sources(self):
        """Where Python finds the real one."""
        if self.kind is not Real:
            return {}
        found = map(checkouts.find, ("AGENT", "SDK"))
        return {"PYTHONPATH": checkouts.python_path(self.home.path, *found)}

    def write_conf(self, more=""):
        """The local configuration."""
        self.home.conf(CONF.format(url=self.server.url, key=ACCESS_KEY, secret=SECRET_KEY,
                                   home=self.home.path) + more)

    def edit(self, turn, **more):
        """The vault's text is another one."""
        self.vault({"turn": turn, "secret": VAULT_SECRET, **more})

    def vault(self, tree, **fields):
        """The one config vault of the server holds this."""
        self.state.set_vaults([{"id": "v", "data": json.dumps(tree), **fields}])

    def task(self, seconds=0.0, says="turn", **fields):
        """A queued task whose program tells what a path of its configuration holds, takes so long,
        and tells that it has come to its end; its id."""
        script = self.kind.read + PROGRAM.format(path=says.split("."), seconds=seconds,
                                                 said=str(self.said_folder))
        return self.work.add_task(script, queue=QUEUE, **fields)

    def said(self, task, kind="begin"):
        """What a task has told: the dict {"value", "env"}, or None; at its begin, or its end."""
        path = self.said_folder / f"{task}.{kind}"
        return json.loads(path.read_text()) if path.exists() else None

    def value(self, task):
        """What it found in its configuration."""
        return self.said(task)["value"]

    def log_of(self, task):
        """What a task has printed, as far as its agent has told the server."""
        return self.work.task(task).log

    def ended(self, task):
        """Has its program come to its end?"""
        return self.said(task, "end") is not None

    def wait_status(self, task, *wanted, deadline=60):
        """Until a task has come so far."""
        wait_until(lambda: self.work.task(task).status in wanted, f"{wanted} of {task}", deadline)

    def wait_begun(self, task):
        """Until the task's own program runs."""
        def there():
            assert self.said(task) or self.work.task(task).status not in ENDED, self.log_of(task)
            return self.said(task)
        wait_until(there, "the task's program", 60)

    def wait_end(self, *tasks, deadline=60):
        """Until they have ended; assert how."""
        for task in tasks:
            self.wait_status(task, *ENDED, deadline=deadline)
        assert {self.work.task(task).status for task in tasks} == {"completed"}, [
            self.work.task(task).history for task in tasks]

    def queued(self):
        """The tasks that wait in the queue."""
        queue, = self.work.queues.values()
        return [each["task"] for each in queue.entries]

    @property
    def workers(self):
        """(id, task) of each worker that the server knows."""
        return [(each.id, each.task) for each in self.work.workers.values()]

    def wait_idle(self, count=1):
        """Until so many workers are there, and have nothing to do."""
        wait_until(lambda: [task for _, task in self.workers] == [None] * count, "an idle worker")

    def starts(self):
        """How often an agent has started."""
        return self.server.count("workers.register")

    def agent(self, *words, exec=None, env=None):
        """An agent that goes on: under exec with these options, or by itself without."""
        before = [CLIENT, "exec", *exec, "--"] if exec is not None else []
        return Running(self, [*before, *self.kind.command(self.home), "daemon", "--queue", QUEUE,
                              "--foreground", *words], env)

    def readable(self):
        """The files that others may read and that tell a secret, of those the agent and exec make."""
        runtime = self.home.run / "clearconf"
        return [str(path) for folder in (self.temporary, runtime) for path in folder.rglob("*")
                if is_open(path) and tells(path)]

    def files(self):
        """Names of what is in the temporary folder, what is random in them left out."""
        return sorted(re.sub(r"(\.clearml\w*?)[._][\w.]*", r"\1", path.name)
                      for path in self.temporary.iterdir())


def is_open(path):
    """May others read it, or what is in its folder?"""
    try:
        return path.is_file() and path.stat().st_mode & 0o044 and path.parent.stat().st_mode & 0o011
    except FileNotFoundError:
        return False


def tells(path):
    """Does it hold a secret?"""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return False
    return VAULT_SECRET in text or SECRET_KEY in text


class Running:
    """A process and what it says; killed, with all below it, at the end."""

    def __init__(self, yard, command, env):
        self.yard = yard
        self.path = yard.home.path / f"running.{time.monotonic_ns()}"
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                list(map(str, command)), env={**yard.env, **(env or {})}, cwd=yard.home.path / "cwd",
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in [self.process.pid, *self.below()]:
            kill(pid)
        self.process.wait()
        LEDGER.hear("exec and its agent", self.output_of_exec())

    def output(self):
        """What it, and those below it, have said."""
        return self.path.read_text(errors="replace")

    def output_of_exec(self):
        """Only clearconf's lines."""
        return "\n".join(line for line in self.output().splitlines() if line.startswith("clearconf"))

    def below(self):
        """Processes of this yard, wherever they hang: their environment names its folder."""
        mark = f"TMPDIR={self.yard.temporary}".encode()
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
                if pid != self.process.pid and mark in read_environment(pid).split(b"\0")]

    def pid_of(self, word):
        """The process below it with this word in its command line; None."""
        for pid in [self.process.pid, *self.below()]:
            words = read_words(pid)
            if word in words and "exec" not in words:
                return pid
        return None

    def wait_agent(self):
        """Until the agent is at work; its process."""
        return wait_until(lambda: self.pid_of("daemon"), "the agent")

    def send(self, number):
        """A signal to it alone."""
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM):
        """By a signal; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def read_environment(pid):
    """Of a process; nothing where there is none."""
    try:
        return pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def read_words(pid):
    """A process's command line."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return []


def kill(pid):
    """SIGKILL; it may be gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
