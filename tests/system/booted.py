"""A Debian root that is booted by systemd-nspawn, and what is done inside of it.

The machine shares nothing with its host but the kernel: its network is its own loopback. It is not
registered anywhere and runs in its caller's control group, so it needs no systemd outside.
"""

import json
import os
import pathlib
import shutil
import subprocess

from clearml_state import ACCESS_KEY, SECRET_KEY
from harness import ROOT, SUPPORT, wait_until

BOOT_SECONDS = 120
# What the package depends on, and what it recommends.
NEEDS = ("libcurl4", "libinih1", "libjansson4", "libuv1", "libyaml-0-2", "procps", "systemd")
PORT = 8008
SOCKET = "/run/clearconf/clearconf.sock"
VAULT_SECRET = "vault-secret-24680"

# reader may read, keeper may see secrets too, stranger nothing.
USERS = ("reader", "keeper", "stranger")
SETTINGS = f"""\
[local]
files = /etc/clearconf/clearml.conf
[poll]
interval = 1s
jitter = 0%
timeout = 2s
backoff_max = 1s
[access]
read = reader keeper
secrets = keeper
[workspace lab]
api_server = http://127.0.0.1:{PORT}
access_key = {ACCESS_KEY}
secret_key_file = lab
active = yes
"""

# The key pair's secret is root's alone: only LoadCredential can hand it over. The shipped
# WatchdogSec would do too, but nobody wants to wait for it.
DROP_IN = """\
[Service]
LoadCredential=secret_lab:/etc/clearconf/secrets/lab
WatchdogSec=4s
"""

# Started is: listening.
STAND_IN = f"""\
[Unit]
Description=A ClearML server for the tests
Before=clearconfd.service
[Service]
RuntimeDirectory=stand-in
ExecStart=/usr/bin/python3 /opt/stand-in/clearml_server.py --port {PORT} \\
 --vaults /opt/vaults.json --port-file /run/stand-in/port
ExecStartPost=sh -c 'until [ -s /run/stand-in/port ]; do sleep 0.1; done'
[Install]
WantedBy=multi-user.target
"""


def vault_text(turn):
    return f'turn: {turn}\nteam.name: reindeer\nteam.token: "{VAULT_SECRET}"\n'


def copy_root(base, path):
    """A copy of a root, to spoil; the one of before goes."""
    shutil.rmtree(path, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", base, path], check=True, timeout=300)
    (path / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
    return path


def chroot(root, *command, check=True, **env):
    """Run a command in a root that is not booted."""
    enter = 'mount -t proc proc "$1/proc"; exec chroot "$@"'  # the mount ends with the process
    done = subprocess.run(["unshare", "--mount", "sh", "-ec", enter, "sh", str(root), "env", "-i",
                           "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive",
                           *(f"{k}={v}" for k, v in env.items()), *map(str, command)],
                          capture_output=True, text=True, timeout=120)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def install(root, *packages):
    for each in packages:
        shutil.copy(each, root / "tmp")
    chroot(root, "dpkg", "--force-confold", "--install", *(f"/tmp/{each.name}" for each in packages))


def serves(root, name):
    """What is installed there passes a test of systemd/deb/tests."""
    shutil.copytree(ROOT / "systemd/deb/tests", root / "tmp/tests", dirs_exist_ok=True)
    chroot(root, f"/tmp/tests/{name}")


def write(root, name, text, mode=0o644):
    path = pathlib.Path(root) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def furnish(root):
    """What an administrator does after the package is installed, and a server to log in to."""
    for user in USERS:
        chroot(root, "useradd", "--create-home", user)
    write(root, "etc/clearconf/clearconfd.conf", SETTINGS)
    write(root, "etc/clearconf/clearml.conf", "local: 1\n", 0o640)
    chroot(root, "chgrp", "clearconf", "/etc/clearconf/clearml.conf")
    secrets = write(root, "etc/clearconf/secrets/lab", SECRET_KEY + "\n", 0o600)
    secrets.parent.chmod(0o700)
    write(root, "etc/systemd/system/clearconfd.service.d/test.conf", DROP_IN)
    write(root, "etc/systemd/system/stand-in.service", STAND_IN)
    shutil.copytree(SUPPORT, root / "opt/stand-in", dirs_exist_ok=True)
    write(root, "opt/vaults.json", json.dumps([vault_text(1)]))
    chroot(root, "systemctl", "enable", "stand-in.service")


class Machine:
    """A booted root; powered off on exit."""

    def __init__(self, root, log):
        self.root, self.log = root, log
        self.process = self.leader = None

    def __enter__(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network",
                 "--console=pipe", "--boot", f"--directory={self.root}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self._is_up, "the boot", BOOT_SECONDS)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """SIGTERM makes systemd-nspawn power the machine off."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _is_up(self):
        """The first child of systemd-nspawn is not the one that stays."""
        assert self.process.poll() is None, self.log.read_text(errors="replace")
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        self.leader = pathlib.Path(children).read_text().partition(" ")[0]
        return self.leader and self.state() in ("running", "degraded")

    def state(self):
        return self.run("systemctl", "is-system-running", check=False).stdout.strip()

    def run(self, *command, user=None, check=True, env=()):
        """Run a command inside, as root or as that user."""
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        done = subprocess.run(
            ["nsenter", f"--target={self.leader}", "--all", "env", "-i", "LANG=C.UTF-8",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *env, *become, *map(str, command)],
            cwd="/", capture_output=True, text=True, timeout=120)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def get(self, path, *options, user="keeper"):
        return json.loads(self.run("clearconf", "get", "--format", "json", *options, path,
                                   user=user).stdout)

    def status(self):
        return json.loads(self.run("clearconf", "status", "--json").stdout)

    def show(self, name, unit="clearconfd.service"):
        """A property of a unit, as systemd tells it."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def main_pid(self):
        return int(self.show("MainPID"))

    def is_active(self, unit):
        return self.run("systemctl", "is-active", unit, check=False).stdout.strip() == "active"

    def journal(self, *options):
        return self.run("journalctl", "--no-pager", "-o", "cat", *options).stdout

    def wait_turn(self, turn):
        wait_until(lambda: self.run("clearconf", "get", "turn", check=False).stdout == f"{turn}\n",
                   f"vault {turn}")

    def order(self, **orders):
        """Give orders to the stand-in server."""
        program = ("import sys, urllib.request; print(urllib.request.urlopen("
                   f"'http://127.0.0.1:{PORT}/_control', sys.argv[1].encode()).read().decode())")
        return json.loads(self.run("python3", "-c", program, json.dumps(orders)).stdout)

    def kill(self, signal):
        """Hit the daemon; the number of restarts and the process of before."""
        before = int(self.show("NRestarts")), self.main_pid()
        self.run("kill", f"-{signal}", before[1])
        return before

    def wait_restarted(self, before, seconds=30):
        """Until another process is ready."""
        restarts, pid = before
        wait_until(lambda: self.main_pid() not in (0, pid) and self.is_active("clearconfd.service"),
                   "another process", seconds)
        assert int(self.show("NRestarts")) == restarts + 1


def repack(package, version, folder):
    """The same package as of another version."""
    tree = folder / "repack"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN/control"
    lines = [f"Version: {version}" if line.startswith("Version:") else line
             for line in control.read_text().splitlines()]
    control.write_text("\n".join(lines) + "\n")
    out = folder / f"clearconf_{version}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, out], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return out


def is_possible():
    """Why no machine can be booted here, or None."""
    if os.geteuid() != 0:
        return "only root can boot a machine"
    if not shutil.which("systemd-nspawn"):
        return "systemd-nspawn is not installed"
    return None
