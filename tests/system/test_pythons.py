"""clearml_clearconf on the oldest and the newest Python that Debian has, and
python3-varlink, which is somebody else's client."""

import json
import os
import shutil
import subprocess

import pytest
from harness import DEADLINE, ROOT

SOCKET = "/mnt/run/clearconf/clearconf.sock"
HERE = os.path.dirname(__file__)


@pytest.mark.parametrize("suite, version", [("bullseye", "3 9"), ("trixie", "3 13")])
def test_clearml_clearconf(debian_root, home, daemon, suite, version):
    root = debian_root(suite, "python3")
    home.conf("a.int = 1\n")
    daemon.start()
    shutil.copy(ROOT / "tests/support/python_smoke.py", home.path)
    shutil.copytree(ROOT / "client/python/clearml_clearconf", home.path / "clearml_clearconf")
    done = root.run(home.path, "env", "XDG_RUNTIME_DIR=/mnt/run", "python3", "-W", "error",
                    "/mnt/python_smoke.py", "/mnt", SOCKET)
    assert (done.stdout, done.stderr) == (f"ok {version}\n", "")


def test_python3_varlink(debian_root, home, daemon):
    root = debian_root("trixie", "python3-varlink")
    home.conf('sdk { x = file, "dotted.key" = [1, 2] }\n')
    daemon.start()
    shutil.copy(f"{HERE}/python3_varlink.py", home.path)
    process = subprocess.Popen(
        root.command(home.path, "python3", "/mnt/python3_varlink.py", SOCKET),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def said(kind):
        line = process.stdout.readline()
        assert line, process.stderr.read()
        return json.loads(line)[kind]
    assert said("interfaces") == ["io.clearconf", "org.varlink.service"]
    assert said("get")["value"] == {"x": "file", "dotted.key": [1, 2]}
    assert said("error") == "io.clearconf.PathNotFound"
    assert said("watch")["value"] == {"sdk": {"x": "file", "dotted.key": [1, 2]}}
    home.conf('sdk { x = new, "dotted.key" = [1, 2] }\n')
    [change] = said("watch")["changes"]
    assert (change["path"], change["old"], change["new"]) == ("sdk.x", "file", "new")
    assert process.wait(DEADLINE) == 0
