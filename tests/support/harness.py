"""Homes and daemons for end-to-end tests: everything in a temporary folder."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import varlink
from clearml_failures import FAILURES
from idl import Interface
from ledger import LEDGER
from varlink import Connection, VarlinkError

SUPPORT = pathlib.Path(__file__).resolve().parent
ROOT = SUPPORT.parents[1]
BUILD = pathlib.Path(os.environ.get("B", "build"))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD
DAEMON = BUILD / "clearconfd"
CLIENT = BUILD / "clearconf"
INTERFACE = Interface((ROOT / "include" / "io.clearconf.varlink").read_text())


def judge(_, method, reply):
    """Whatever a test receives is what the interface declares."""
    misfits = INTERFACE.misfits_of_reply(method, reply)
    assert not misfits, f"{method}: {misfits}"


Connection.judge = judge
VarlinkError.tell = lambda error: LEDGER.hear("an error reply", str(error))
# A sanitizer keeps what is freed, gives everything a shadow, and wants to be loaded first.
SANITIZED = any(each in DAEMON.read_bytes() for each in (b"__asan_", b"__tsan_"))
TURN_MS = 20 * (15 if SANITIZED else 1)  # a turn of the loop with 10,000 keys takes less
DEADLINE = 30  # seconds: how long a test waits for what must happen

# Settings for tests: vaults are asked for often, and again soon after a failure;
# no login at any time of the clock's choice.
FAST = """\
[poll]
interval = 150ms
jitter = 0%
timeout = 10s
backoff_max = 200ms
prove = 0
"""


def wait_until(condition, what, deadline=DEADLINE):
    """The first true value of condition(), or AssertionError."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"timed out waiting for {what}"
        time.sleep(0.01)


def held(wire, gate):
    """A failure of the stand-in server, for tests in its process: the proper
    answer, once the event is set; the call runs after that."""
    while not gate.wait(0.02):
        if wire.stopping.is_set():
            return
    wire.reply(wire.answer())


class Held:
    """While in it, requests for an endpoint wait; let_go() answers them."""

    def __init__(self, server, endpoint):
        self.server, self.endpoint = server, endpoint
        self.gate = threading.Event()

    def __enter__(self):
        FAILURES["held"] = held
        self.id = self.server.fail("held", endpoint=self.endpoint, gate=self.gate)
        return self

    def __exit__(self, *_):
        self.let_go()

    def let_go(self):
        self.server.clear_failures(id=self.id)
        self.gate.set()


class NotifySocket:
    """What a daemon tells the service manager, as systemd would hear it."""

    def __init__(self, home):
        self.path = home.run / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.env = {"NOTIFY_SOCKET": str(self.path)}
        self.lines = []  # every assignment so far, such as "READY=1"
        self.thread = threading.Thread(target=self._listen)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()

    def _listen(self):
        while data := self.socket.recv(1 << 16):
            self.lines += data.decode().splitlines()

    def wait(self, line, count=1):
        wait_until(lambda: self.lines.count(line) >= count, f"{line} x {count}")


class Home:
    """An empty home with its own runtime and state folders."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.run = self.path / "run"
        for folder in (self.run, self.path / "cwd"):
            folder.mkdir(parents=True, exist_ok=True)
        self.env = {
            "HOME": str(self.path),
            "PATH": os.environ["PATH"],
            "XDG_RUNTIME_DIR": str(self.run),
            "XDG_CONFIG_HOME": str(self.path / "config"),
            "XDG_STATE_HOME": str(self.path / "state"),
            "LANG": "C.UTF-8",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.socket = self.run / "clearconf" / "clearconf.sock"
        LEDGER.homes.append(self.path)

    def write(self, name, text):
        """Write a file of the home at one go, as an editor's save does."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".new")
        data = text if isinstance(text, bytes) else text.encode()
        LEDGER.learn_text(data.decode(errors="replace"))
        temporary.write_bytes(data)
        os.replace(temporary, path)
        return path

    def conf(self, text):
        return self.write("clearml.conf", text)

    def settings(self, text):
        return self.write("config/clearconf/clearconfd.conf", text)

    def client(self, *arguments, check=None, **options):
        """Run the command line client; the completed process."""
        done = subprocess.run([CLIENT, *map(str, arguments)], env=self.env,
                              cwd=self.path / "cwd", timeout=60,
                              capture_output=True, text=True, **options)
        LEDGER.hear(f"errors of clearconf {arguments}", done.stderr or "")
        if {"status", "doctor", "log"} & set(arguments):
            LEDGER.hear(f"clearconf {arguments}", done.stdout or "")
        if check is not None:
            assert done.returncode == check, done.stderr + done.stdout
        return done

    def daemon(self, *arguments, env=None):
        """Run clearconfd where it should end by itself; the completed process."""
        done = subprocess.run([DAEMON, "--user", *map(str, arguments)],
                              env=dict(self.env, **(env or {})),
                              cwd=self.path / "cwd", timeout=60,
                              capture_output=True, text=True)
        if "--check" not in arguments:  # which is for who may read the file
            LEDGER.hear(f"errors of clearconfd {arguments}", done.stderr)
        return done

    def resolve(self, *arguments, check=0):
        """clearconfd --print; the tree."""
        done = self.daemon("--print", *arguments)
        assert done.returncode == check, done.stderr
        return json.loads(done.stdout) if check == 0 else done


class Daemon:
    """A clearconfd that serves a Home; ended, and checked, on exit."""

    def __init__(self, home, *arguments, env=None):
        self.home = home
        self.arguments = arguments
        self.env = dict(home.env, **(env or {}))
        self.process = None
        self.log_path = home.path / "daemon.log"
        self.socket = home.socket
        if "--socket" in arguments:
            self.socket = arguments[arguments.index("--socket") + 1]
        self.expected_status = 0

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if self.process and self.process.poll() is None:
            status = self.stop()
            assert kind or status == self.expected_status, self.log()

    def spawn(self, before=(), **options):
        """Start the process, by the command `before` it, and wait for nothing."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*before, DAEMON, "--user", *map(str, self.arguments)], env=self.env,
                cwd=self.home.path / "cwd", stderr=log, **options)

    def start(self):
        self.spawn()
        wait_until(self.answers, "the socket to answer")
        return self

    def answers(self):
        assert self.process.poll() is None, self.log()
        try:
            with Connection(self.socket) as connection:
                return connection.call("org.varlink.service.GetInfo")
        except OSError:
            return False

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=DEADLINE)

    def longest_turn_ms(self):
        """Of its loop since the start, by what its thread worked: the machine of the tests may have
        given the processor to somebody else in between."""
        return self.status()["counters"]["longest_turn_cpu_us"] / 1000

    def reload(self):
        """SIGHUP, and wait until it has been obeyed."""
        before = self.reloads()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.reloads() > before, "the reload")

    def reloads(self):
        return self.status()["counters"]["reloads"]

    def log(self):
        return self.log_path.read_text(errors="replace")

    def connect(self, **options):
        return Connection(self.socket, **options)

    def call(self, method, **parameters):
        with self.connect() as connection:
            return connection.call(method, **parameters)

    def get(self, path="", **parameters):
        return self.call("Get", path=path, **parameters)["value"]

    def status(self):
        status = self.call("GetStatus")["status"]
        LEDGER.hear("GetStatus", status)
        return status

    def workspace(self, name=None):
        """What status says of a workspace, the active one without a name."""
        return next(each for each in self.status()["workspaces"]
                    if (each["name"] == name if name else each["active"]))

    def last_error(self):
        return self.workspace()["server"].get("last_error")

    def layers(self):
        return self.workspace()["layers"]

    def layer(self, source):
        """The layer whose source ends so."""
        found = [x for x in self.layers() if x["source"].endswith(source)]
        return found[0] if found else None

    def wait_state(self, *states):
        return wait_until(lambda: self.status()["state"] in states and self.status(),
                          f"state {states}")

    def wait_value(self, path, value, **parameters):
        """Until this is the value; None: until there is none."""
        def there():
            tree = self.get(**parameters)
            for key in path.split("."):
                tree = tree.get(key) if isinstance(tree, dict) else None
            return tree == value
        wait_until(there, f"{path} = {value!r}")

    def wait_layer(self, source, state):
        """Until the layer whose source ends so is in this state; the layer."""
        def there():
            layer = self.layer(source)
            return layer and layer["state"] == state and layer
        return wait_until(there, f"{source} {state}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self):
        """Kilobytes of memory."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


class Strangers:
    """Other users of this host, for who is root: each call is a process of that
    uid. They share a folder with the daemon, for its socket."""

    SPEAK = """
import sys
method, parameters, flags = json.loads(sys.argv[2])
connection = Connection(sys.argv[1])
try:
    connection.send(method, parameters, **flags)
except BrokenPipeError:
    pass  # refused at once: what it said is there to be read
while raw := connection.receive_raw():
    print(raw.decode(), flush=True)
    if not json.loads(raw).get("continues"):
        break
"""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="clearconf-e2e."))
        self.folder.chmod(0o755)
        self.socket = self.folder / "sock"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def _start(self, uid, command):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        return subprocess.Popen(command, user=uid, group=uid, extra_groups=[], env=env,
                                cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def send(self, uid, method, parameters, **flags):
        """The process; its output is the replies, a line each."""
        program = pathlib.Path(varlink.__file__).read_text() + self.SPEAK
        if "." not in method:
            method = "io.clearconf." + method
        return self._start(uid, ["/usr/bin/python3", "-I", "-c", program, self.socket,
                                 json.dumps([method, parameters, flags])])

    def call(self, uid, method, **parameters):
        output, problem = self.send(uid, method, parameters).communicate(timeout=DEADLINE)
        assert output, problem
        return self.understand(output)

    ASK_IN_TURN = """
import sys
connection = Connection(sys.argv[1])
for method, parameters in json.loads(sys.argv[2]):
    connection.send("io.clearconf." + method, parameters)
    print(connection.receive_raw().decode(), flush=True)
"""

    def ask_in_turn(self, uid, calls):
        """The replies, texts, to all (method, parameters), by one process on one connection."""
        program = pathlib.Path(varlink.__file__).read_text() + self.ASK_IN_TURN
        process = self._start(uid, ["/usr/bin/python3", "-I", "-c", program, self.socket,
                                    json.dumps(calls)])
        output, problem = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, problem
        return output.splitlines()

    @staticmethod
    def understand(line):
        """Parameters of a reply; VarlinkError for an error."""
        reply = json.loads(line)
        if "error" in reply:
            raise VarlinkError(reply["error"], reply["parameters"])
        return reply["parameters"]

    def client(self, uid, *arguments):
        """The command line client; (exit status, output, errors)."""
        program = self.folder / "clearconf"
        if not program.exists():
            shutil.copy(CLIENT, program)
        process = self._start(uid, [program, "--socket", self.socket, *arguments])
        output, errors = process.communicate(timeout=DEADLINE)
        LEDGER.hear(f"errors of clearconf {arguments}", errors)
        return process.returncode, output, errors
