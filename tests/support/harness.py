"""Homes and daemons for end-to-end tests: everything in a temporary folder."""

import json
import os
import pathlib
import signal
import subprocess
import time

from varlink import Connection

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("B", "build"))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD
DAEMON = BUILD / "clearconfd"
CLIENT = BUILD / "clearconf"
DEADLINE = 30  # seconds: how long a test waits for what must happen


def wait_until(condition, what, deadline=DEADLINE):
    """The first true value of condition(), or AssertionError."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"timed out waiting for {what}"
        time.sleep(0.01)


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
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.socket = self.run / "clearconf" / "clearconf.sock"

    def write(self, name, text):
        """Write a file of the home at one go, as an editor's save does."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".new")
        data = text if isinstance(text, bytes) else text.encode()
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
        if check is not None:
            assert done.returncode == check, done.stderr + done.stdout
        return done

    def resolve(self, *arguments, check=0):
        """clearconfd --print; the tree."""
        done = subprocess.run([DAEMON, "--user", "--print", *arguments],
                              env=self.env, cwd=self.path / "cwd", timeout=60,
                              capture_output=True, text=True)
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
        self.expected_status = 0

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if self.process and self.process.poll() is None:
            status = self.stop()
            assert kind or status == self.expected_status, self.log()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [DAEMON, "--user", *map(str, self.arguments)], env=self.env,
                cwd=self.home.path / "cwd", stderr=log)
        wait_until(self.answers, "the socket to answer")
        return self

    def answers(self):
        assert self.process.poll() is None, self.log()
        try:
            with Connection(self.home.socket):
                return True
        except OSError:
            return False

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=DEADLINE)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def connect(self, **options):
        return Connection(self.home.socket, **options)

    def call(self, method, **parameters):
        with self.connect() as connection:
            return connection.call(method, **parameters)

    def get(self, path="", **parameters):
        return self.call("Get", path=path, **parameters)["value"]

    def status(self):
        return self.call("GetStatus")["status"]

    def layers(self):
        return self.status()["workspaces"][0]["layers"]

    def layer(self, source):
        """The layer whose source ends so."""
        found = [x for x in self.layers() if x["source"].endswith(source)]
        return found[0] if found else None

    def wait_state(self, *states):
        return wait_until(lambda: self.status()["state"] in states and self.status(),
                          f"state {states}")

    def wait_value(self, path, value):
        def there():
            tree = self.get()
            for key in path.split("."):
                tree = tree.get(key) if isinstance(tree, dict) else None
            return tree == value
        wait_until(there, f"{path} = {value!r}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
