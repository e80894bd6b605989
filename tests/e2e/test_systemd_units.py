"""The units of systemd/, as systemd's own tools judge them. tests/system boots with them."""

import os
import re
import shutil
import subprocess

import pytest
from harness import CLIENT, DAEMON, ROOT

UNITS = ROOT / "systemd"
SERVICES = ("clearconfd.service", "clearconf-dump@.service")
EXPOSURE_MAX = 1.4  # 0.2 of it so that /proc shows whose root a peer is



def version():
    """Of systemd-analyze; 0: there is none."""
    if not shutil.which("systemd-analyze"):
        return 0
    told = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True).stdout
    return int(re.match(r"systemd (\d+)", told)[1])


pytestmark = pytest.mark.skipif(version() < 250, reason="there is no systemd-analyze of systemd 250")


def analyze(*arguments, **env):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], text=True, timeout=60,
                          env=dict(os.environ, **env), capture_output=True)


@pytest.mark.parametrize("name", SERVICES)
def test_hardly_exposed(name):
    done = analyze("security", "--offline=true", UNITS / name)
    level = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level[1]) <= EXPOSURE_MAX, done.stdout


@pytest.mark.parametrize("manager", ["--system", "--user"])
def test_systemd_understands_every_line(manager, tmp_path):
    """With the programs where they are: the units name them where they are installed."""
    folder = UNITS if manager == "--system" else UNITS / "user"
    copies = []
    for unit in sorted([*folder.glob("*.service"), *folder.glob("*.socket")]):
        text = unit.read_text().replace("/usr/sbin/clearconfd", str(DAEMON)) \
                               .replace("/usr/bin/clearconf", str(CLIENT))
        copies.append(tmp_path / unit.name.replace("@", "@root"))
        copies[-1].write_text(text)
    done = analyze("verify", manager, "--man=no", *copies, XDG_RUNTIME_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("folder", [UNITS, UNITS / "user"], ids=["system", "user"])
def test_peers_are_seen_and_reloads_are_heard(folder):
    """In a user namespace every peer would be nobody; systemd 252 ignores notify-reload."""
    lines = (folder / "clearconfd.service").read_text().splitlines()
    assert "Type=notify" in lines
    assert "ExecReload=kill -HUP $MAINPID" in lines
    assert not [line for line in lines if line.startswith(("PrivateUsers=", "ProtectProc="))]
