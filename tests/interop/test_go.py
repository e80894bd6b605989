"""A client nobody here wrote: Debian's Go varlink library, with types that its
generator makes of our interface."""

import json
import os
import shutil
import subprocess

import pytest
from harness import BUILD, DEADLINE, ROOT

GOPATH = "/usr/share/gocode"
GENERATOR = "github.com/varlink/go/cmd/varlink-go-interface-generator"


@pytest.fixture(scope="session")
def go_client():
    """Path of the built client."""
    go = shutil.which("go")
    if not go or not os.path.isdir(GOPATH + "/src/github.com/varlink/go"):
        pytest.skip("golang-go and golang-github-varlink-go-dev are not installed")
    work = BUILD / "interop"
    types = work / "src/ioclearconf"
    types.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ, GO111MODULE="off", GOPATH=f"{work}:{GOPATH}", GOFLAGS="",
               GOCACHE=str(work / "cache"))

    def run(*command):
        subprocess.run(command, env=env, check=True, cwd=work, timeout=300)

    shutil.copy(ROOT / "include/io.clearconf.varlink", types)
    run(go, "build", "-o", "generator", GENERATOR)
    run(work / "generator", types / "io.clearconf.varlink")
    run(go, "build", "-o", "client", ROOT / "tests/interop/client.go")
    return work / "client"


@pytest.fixture
def ask(go_client, home, daemon):
    home.conf("a = 1\nsdk { x = file, \"dotted.key\" = [1, 2] }\n")
    daemon.start()

    def run(*arguments):
        done = subprocess.run([go_client, f"unix:{home.socket}", *arguments],
                              capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]
    return run


def test_introspection(ask):
    [answer] = ask("introspect")
    assert answer["product"] == "clearconfd"
    assert set(answer["interfaces"]) == {"org.varlink.service", "io.clearconf"}
    assert answer["description"] == (ROOT / "include/io.clearconf.varlink").read_text()


def test_get(ask):
    [answer] = ask("get", 'sdk."dotted.key"')
    assert answer["value"] == [1, 2]
    assert answer["state"] == "ready" and answer["masked"] is False
    assert answer["generation"] > 0


def test_errors_have_our_types(ask):
    assert ask("get-error", "sdk.nothing") == [
        {"error": "PathNotFound", "path": "sdk.nothing"}]
    assert ask("get-error", "a..b") == [{"error": "InvalidPath", "offset": 2}]


def test_watch(ask, go_client, home):
    process = subprocess.Popen([go_client, f"unix:{home.socket}", "watch", "sdk", "2"],
                               stdout=subprocess.PIPE, text=True)
    first = json.loads(process.stdout.readline())
    assert first["continues"] and first["changes"] == []
    assert first["value"] == {"sdk": {"x": "file", "dotted.key": [1, 2]}}
    home.conf("a = 1\nsdk { x = new, \"dotted.key\" = [1, 2] }\n")
    second = json.loads(process.stdout.readline())
    assert process.wait(DEADLINE) == 0
    [change] = second["changes"]
    assert (change["path"], change["kind"]) == ("sdk.x", "changed")
    assert (change["old"], change["new"]) == ("file", "new")
    assert second["generation"] > first["generation"]
