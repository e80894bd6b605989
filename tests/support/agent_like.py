#!/usr/bin/python3
"""A program that does as clearml-agent 3.0.3 does, where that matters to who runs it; only standard
library. tests/long/test_exec_agent_long.py holds the two side by side.

    agent_like.py daemon --queue Q [--use-owner-token] [--detached] [--poll S]

polls a queue and runs each task, the Python text in its `script.diff`, as a child of its own:

    agent_like.py --config-file COPY execute --id TASK

What of the real one's ways is here:

- Configuration is a file ($CLEARML_CONFIG_FILE, else ~/clearml.conf), CLEARML_AGENT__A__B over it,
  vaults over that, variables with names of their own over those, monitoring vaults over all. Login
  comes before vaults. A vault's values of IDENTITY are ignored.
- At its start it writes all that to a file in the temporary folder and never again. A task's child
  reads this copy, and the vaults anew: those of the task's owner, if --use-owner-token says so.
- SIGTERM: the task is `stopped`, "user abort", every descendant is killed, the worker unregisters,
  its copy is removed, and the exit status is 254. SIGINT does so to the task and goes on polling.
  Any other signal ends it there and then: its task runs on, its copy lies about.
- Between popping a task and starting its child there is a moment; `task` of the worker is set in it.
- Two of one worker's name are NAME:0 and NAME:1; of one worker's id the second one ends with 1.

In a task, `sdk_config()` is the configuration as the SDK reads it.
"""

import argparse
import base64
import contextlib
import glob
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

INTERRUPTED = 254
IDENTITY = ("cuda_version", "cudnn_version", "default_python", "worker_id", "worker_name", "debug")
NAMED = {
    "api.api_server": ("CLEARML_API_HOST", "TRAINS_API_HOST"),
    "api.credentials.access_key": ("CLEARML_API_ACCESS_KEY", "TRAINS_API_ACCESS_KEY"),
    "api.credentials.secret_key": ("CLEARML_API_SECRET_KEY", "TRAINS_API_SECRET_KEY"),
    "agent.worker_name": ("CLEARML_WORKER_NAME", "TRAINS_WORKER_NAME"),
    "agent.worker_id": ("CLEARML_WORKER_ID", "TRAINS_WORKER_ID"),
    "agent.cuda_version": ("CLEARML_CUDA_VERSION", "TRAINS_CUDA_VERSION", "CUDA_VERSION"),
    "sdk.aws.s3.key": ("AWS_ACCESS_KEY_ID",),
    "sdk.aws.s3.secret": ("AWS_SECRET_ACCESS_KEY",),
    "sdk.google.storage.credentials_json": ("GOOGLE_APPLICATION_CREDENTIALS",),
}
REPORT_EVERY = 30            # seconds
OUTCOMES = {None: ("stopped", "user abort"), 0: ("completed", "worker execution done")}


# -- configuration ------------------------------------------------------------------------------

TOKEN = re.compile(r'\s*(?:#[^\n]*\s*)*("(?:[^"\\]|\\.)*"|[{}\[\],=:]|[^\s{}\[\],=:"#][^\n{}\[\],=:"#]*)')


class Reader:
    """JSON, and of HOCON what a machine writes: bare keys, `=`, values on lines of their own."""

    def __init__(self, text):
        self.tokens = TOKEN.findall(text)

    def document(self):
        """The whole text, with or without braces around it."""
        inside = self._take("{") if self.tokens[:1] == ["{"] else None
        return self._object("}" if inside else None)

    def _take(self, *wanted):
        if self.tokens and self.tokens[0] in wanted:
            return self.tokens.pop(0)
        return None

    def _object(self, end):
        tree = {}
        while self.tokens and self.tokens[0] != end:
            if self._take(","):
                continue
            key = self.tokens.pop(0).strip()
            path = [json.loads(key)] if key.startswith('"') else key.split(".")
            self._take("=", ":")
            merge(tree, nested(path, self._value()))
        self._take(end)
        return tree

    def _value(self):
        if self._take("{"):
            return self._object("}")
        if self._take("["):
            return self._list()
        token = self.tokens.pop(0).strip()
        while self.tokens and self.tokens[0] in (":", "="):   # as in http://host:80
            token += self.tokens.pop(0) + self.tokens.pop(0).strip()
        try:
            return json.loads(token)
        except ValueError:
            return token

    def _list(self):
        items = []
        while not self._take("]"):
            if not self._take(","):
                items.append(self._value())
        return items


def nested(path, value):
    """{"a": {"b": value}} of ["a", "b"]."""
    for key in reversed(path):
        value = {key: value}
    return value


def merge(tree, over):
    """Lay one tree over another, in place."""
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            merge(tree[key], value)
        else:
            tree[key] = value


def look_up(tree, path, default=None):
    """The value at a.b.c."""
    for key in path.split("."):
        if not isinstance(tree, dict) or key not in tree:
            return default
        tree = tree[key]
    return tree


def apply_named(tree):
    """Variables with names of their own."""
    for path, names in NAMED.items():
        value = next((os.environ[name] for name in names if os.environ.get(name)), None)
        if value is not None:
            merge(tree, nested(path.split("."), value))


def below_vaults(path, generic):
    """The tree of a file and of this process's variables."""
    with open(path, encoding="utf-8") as file:
        tree = Reader(file.read()).document()
    for name in sorted(os.environ) if generic else ():
        if name.startswith("CLEARML_AGENT__"):
            path = name[len("CLEARML_AGENT__"):].lower().split("__")
            merge(tree, nested(path, Reader(f"v: {os.environ[name]}").document()["v"]))
    return tree


def lay_vaults(tree, api, switch):
    """Config vaults over a tree, unless a variable says no; the monitoring ones, for later."""
    if os.environ.get(switch, "").lower() not in ("", "0", "false", "no"):
        return []
    for text in api.vaults("config"):
        merge(tree, Reader(text).document())
    return [Reader(text).document() for text in api.vaults("monitoring")]


def agent_config(path, session):
    """The agent's own configuration; `session` logs in with what is below the vaults."""
    tree = below_vaults(path, generic=True)
    apply_named(tree)
    own = dict(tree.get("agent", {}))
    api = session(tree)
    monitoring = lay_vaults(tree, api, "CLEARML_AGENT_DISABLE_VAULT_SUPPORT")
    apply_named(tree)
    agent = tree.setdefault("agent", {})
    for key in IDENTITY:
        if agent.get(key) != own.get(key):
            print(f"Ignoring vault value for '{key}'", flush=True)
            agent.pop(key) if own.get(key) is None else agent.update({key: own[key]})
    for each in monitoring:
        merge(tree, each)
    return tree, api


def sdk_config():
    """For tasks: the configuration as the SDK reads it."""
    tree = below_vaults(config_path(), generic=False)
    named = json.loads(json.dumps(tree))
    apply_named(named)
    lay_vaults(tree, Api(named), "CLEARML_DISABLE_VAULT_SUPPORT")
    return tree


def config_path():
    """Where the configuration is."""
    return os.environ.get("CLEARML_CONFIG_FILE") or os.path.expanduser("~/clearml.conf")


# -- the server ---------------------------------------------------------------------------------

class Refused(Exception):
    """The server said no."""


class Api:
    """Calls to the ClearML server, with a token of this process's own or one it was given."""

    def __init__(self, tree):
        self.host = look_up(tree, "api.api_server")
        self.pair = [look_up(tree, f"api.credentials.{key}", "") for key in ("access_key", "secret_key")]
        self.token = os.environ.get("CLEARML_AUTH_TOKEN") or self.login()

    def login(self, **headers):
        """A new token."""
        pair = base64.b64encode(":".join(self.pair).encode()).decode()
        return self._send("auth.login", {}, {"Authorization": f"Basic {pair}", **headers})["token"]

    def login_as(self, user):
        """A token of another user's, for who may."""
        headers = {"Authorization": f"Bearer {self.token}", "X-Clearml-Impersonate-As": user}
        return self._send("auth.login", {}, headers)["token"]

    def call(self, action, token=None, **data):
        """The `data` of an answer."""
        return self._send(action, data, {"Authorization": f"Bearer {token or self.token}"})

    def vaults(self, kind):
        """The texts of the vaults of a kind; none where the server has none."""
        try:
            answer = self.call("users.get_vaults", enabled=True, types=[kind])
        except (Refused, OSError) as error:
            print(f"Failed getting vaults: {error}", flush=True)
            return []
        return [each["data"] for each in answer["vaults"] if each.get("data")]

    def _send(self, action, data, headers):
        body = data if isinstance(data, str) else json.dumps(data)
        request = urllib.request.Request(f"{self.host}/v2.15/{action}", body.encode(),
                                         {"Content-Type": "application/json", **headers})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise Refused(f"{action}: {error.code} {error.read()[:300]!r}") from None


# -- the agent ----------------------------------------------------------------------------------

class Terminated(BaseException):
    """SIGTERM."""


def on_sigterm(*_):
    """As the real one: what is under way is left as if by an exception."""
    for path in temporary:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
    raise Terminated


temporary = []               # paths of files that SIGTERM removes at once


def children():
    """The processes of this host by their parents."""
    table = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path, encoding="latin-1") as file:
            number, _, rest = file.read().partition(" (")
            table.setdefault(int(rest.rpartition(") ")[2].split()[1]), []).append(int(number))
    return table


def kill_descendants():
    """SIGKILL for everything below this process."""
    table, below = children(), [os.getpid()]
    for pid in below:
        below += table.get(pid, [])
    for pid in below[1:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Slot:
    """This process among those of the host: a file that it holds open, whose first line is its
    worker's id, and by whose name others see whether it lives."""

    def __init__(self, agent):
        taken = {id for pid, id in self._others() if os.path.exists(f"/proc/{pid}")}
        fixed = agent.get("worker_id")
        if fixed in taken:
            sys.exit(f"Instance with the same WORKER_ID [{fixed}] is already running")
        name = agent.get("worker_name") or os.uname().nodename
        number = next(each for each in range(len(taken) + 1) if f"{name}:{each}" not in taken)
        self.id = fixed or f"{name}:{number}"
        self.file = tempfile.NamedTemporaryFile("w", prefix=f".clearmlagent_{os.getpid()}_",
                                                suffix=".tmp", delete=False)
        print(self.id, number, sep="\n", file=self.file, flush=True)
        self.path = self.file.name
        temporary.append(self.path)

    def rename(self):
        """Let the file's name be that of the process that calls."""
        folder, name = os.path.split(self.path)
        path = os.path.join(folder, f".clearmlagent_{os.getpid()}_{name.rpartition('_')[2]}")
        os.rename(self.path, path)
        temporary[:] = [path]

    @staticmethod
    def _others():
        for path in glob.glob(os.path.join(tempfile.gettempdir(), ".clearmlagent_*_*.tmp")):
            with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
                yield os.path.basename(path).split("_")[1], file.readline().strip()


class Daemon:
    """Polls a queue and runs what it finds."""

    def __init__(self, options):
        signal.signal(signal.SIGTERM, on_sigterm)
        self.options = options
        self.config, self.api = agent_config(config_path(), Api)
        self.slot = Slot(self.config["agent"])
        queues = self.api.call("queues.get_all", name=f"^{re.escape(options.queue)}$")["queues"]
        self.queue = queues[0]["id"]
        self.task = None
        self.reported = 0.0

    def run(self):
        """Until a signal ends it."""
        self.api.call("workers.register", worker=self.slot.id, queues=[self.queue])
        self.copy = self._write_copy()
        if self.options.detached:
            self._detach()
        print(f"Worker {self.slot.id} pid {os.getpid()}", flush=True)
        try:
            while True:
                self._turn()
        finally:
            kill_descendants()
            self.api.call("workers.unregister", worker=self.slot.id)
            os.remove(self.copy)

    def _write_copy(self):
        path = tempfile.mktemp(".cfg", ".clearml_agent.")
        tree = json.loads(json.dumps(self.config))
        if self.options.use_owner_token:
            tree.get("api", {}).pop("credentials", None)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(tree, file)
        return path

    def _detach(self):
        if os.fork():
            os._exit(0)
        os.setsid()
        if os.fork():
            os._exit(0)
        self.slot.rename()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)

    def _turn(self):
        answer = self._say("queues.get_next_task", queue=self.queue, get_task_info=True)
        if answer and "entry" in answer:
            self._run_task(answer["entry"]["task"], answer["task_info"])
            return
        if time.monotonic() - self.reported > REPORT_EVERY:
            self._report()
        time.sleep(self.options.poll)

    def _report(self):
        data = {"task": self.task, "queue": self.queue} if self.task else {}
        self._say("workers.status_report", worker=self.slot.id, queues=[self.queue],
                  timestamp=int(time.time() * 1000), **data)
        self.reported = time.monotonic()

    def _say(self, action, token=None, **data):
        """A call that may fail; None then."""
        try:
            return self.api.call(action, token, **data)
        except (Refused, OSError) as error:
            print(f"{action} failed: {error}", flush=True)
            return None

    def _run_task(self, task, info):
        token = self.api.login_as(info["user"]) if self.options.use_owner_token else None
        self._say("tasks.started", token, task=task, status_message="pulled by agent", force=True)
        self.task = task
        self._report()
        output = tempfile.mktemp(".txt", ".clearml_agent_out.")
        status = None
        try:
            status = self._follow(self._start(task, token, output), task, token)
        except KeyboardInterrupt:
            kill_descendants()
        finally:
            self._tell(task, token, output)
            step, reason = OUTCOMES.get(status, ("failed", f"worker execution exit code {status}"))
            self._say(f"tasks.{step}", token, task=task, status_reason=reason)
        kill_descendants()
        self.task = None
        self._report()

    def _tell(self, task, token, output):
        """Send what the task has printed, and forget it."""
        with open(output, encoding="utf-8", errors="replace") as file:
            self._say("events.add_batch", token, type="log", task=task, msg=file.read())
        os.remove(output)

    def _start(self, task, token, output):
        env = dict(os.environ, CLEARML_WORKER_ID=self.slot.id)
        if token:
            env["CLEARML_AUTH_TOKEN"] = token
        with open(output, "w", encoding="utf-8") as file:
            return subprocess.Popen([sys.executable, os.path.abspath(__file__), "--config-file",
                                     self.copy, "execute", "--id", task],
                                    env=env, stdout=file, stderr=file)

    def _follow(self, child, task, token):
        """Until the child ends; its exit status, None for a task that is to stop."""
        while child.poll() is None:
            time.sleep(self.options.poll)
            answer = self._say("tasks.get_by_id", token, task=task)
            if answer and answer["task"]["status_message"] == "stopping":
                kill_descendants()
                return None
            if time.monotonic() - self.reported > REPORT_EVERY:
                self._report()
        return child.returncode


def execute(options):
    """The task's child: reads the agent's copy and the vaults, becomes the task's program."""
    os.environ["CLEARML_CONFIG_FILE"] = options.config_file
    config, api = agent_config(options.config_file, Api)
    task = api.call("tasks.get_by_id", task=options.id)["task"]
    api.call("tasks.started", task=options.id, status_reason="worker started execution", force=True)
    env = dict(os.environ, CLEARML_TASK_ID=options.id,
               PYTHONPATH=os.path.dirname(os.path.realpath(__file__)))
    env.update({key: str(value) for key, value in config.get("environment", {}).items()})
    with tempfile.NamedTemporaryFile("w", prefix="train.", suffix=".py", delete=False) as file:
        file.write(f"import os; os.remove({file.name!r})\n{task['script']['diff']}")
    os.execve(sys.executable, [sys.executable, "-u", file.name], env)


def main():
    """Do as told."""
    parser = argparse.ArgumentParser(prog="clearml-agent")
    parser.add_argument("--config-file", default=config_path())
    commands = parser.add_subparsers(dest="command", required=True)
    daemon = commands.add_parser("daemon")
    daemon.add_argument("--queue", required=True)
    daemon.add_argument("--poll", type=float, default=0.2)
    for flag in ("--foreground", "--detached", "--use-owner-token"):
        daemon.add_argument(flag, action="store_true")
    commands.add_parser("execute").add_argument("--id", required=True)
    options = parser.parse_args()
    try:
        return execute(options) if options.command == "execute" else Daemon(options).run()
    except (KeyboardInterrupt, Terminated):
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
