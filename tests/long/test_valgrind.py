"""The client under valgrind: no command reads what it should not, or loses memory."""

import json
import os
import subprocess

import pytest
from clearml_server import ACCESS_KEY
from harness import CLIENT, FAST, wait_until

pytestmark = pytest.mark.skipif(bool(os.environ.get("SAN")), reason="sanitizers look already")
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible"]
CONF = """
sdk.aws.s3 { region: x, credentials: [{ host: "h:9000", key: a, secret: b }] }
environment { A: 1 }, agent.apply_environment: true
files.a { path: "~/written", contents: x }
list: [1, [], { a: "b c" }], "odd\u001b": "\u009b"
"""
FORMATS = [["get", "--format", name] for name in ("json", "hocon", "yaml", "env", "properties")]
COMMANDS = FORMATS + [
    ["get", "sdk.aws.s3.region"], ["get", "none"], ["get", "--env"], ["get", "none", "-d", "x"],
    ["explain"], ["explain", "--json"], ["status"], ["status", "--json"], ["status", "--wait", "5"],
    ["log"], ["log", "--json"], ["doctor"], ["storage", "s3://h:9000/b/x"], ["workspace"],
    ["workspace", "use", "none"], ["profile"], ["profile", "--json"], ["token"], ["credentials"],
    ["credentials", "create", "--label", "l"], ["credentials", "revoke", ACCESS_KEY], ["reload"],
    ["dump", "--output", "x"], ["dump", "--output", "clearml.conf"], ["dump", "--output", "no/x"],
    ["exec", "--files", "true"], ["exec", "no-such-command"], ["--help"], ["get", "--help"], ["none"],
    ["--socket", "/none", "get"], ["statsu"], ["help", "exec"], ["get", "sdk.asw"], ["explain", "--env"],
    ["report"], ["report", "--json"], ["report", "--html", "r.html"], ["doctor", "--json"],
    ["__complete", "--", "get", "sdk."], ["__complete", "--", "workspace", "use", ""]]


@pytest.fixture
def ready(home, conf, daemon):
    home.settings(FAST)
    home.conf(conf(CONF))
    daemon.start()
    daemon.wait_state("ready")
    return daemon


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command(home, ready, words):
    done = subprocess.run([*VALGRIND, CLIENT, *words], env=home.env, cwd=home.path,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode != 99 and "==" not in done.stderr, done.stderr


@pytest.mark.parametrize("words", [
    ["watch", "--values"], ["watch", "--json"], ["status", "--watch"],
    ["dump", "--watch", "--output", "x"],
    ["exec", "--on-change=none", "sleep", "60"]], ids=" ".join)
def test_a_command_that_goes_on_over_a_change_and_a_restart(home, ready, words):
    with open(home.path / "told", "w") as told, open(home.path / "errors", "w") as errors:
        process = subprocess.Popen([*VALGRIND, CLIENT, *words], env=home.env, cwd=home.path,
                                   stdout=told, stderr=errors)
        try:
            wait_until(lambda: ready.status()["watchers"] >= 1, "the watcher")
            tree = json.loads(home.client("get", "--format", "json", check=0).stdout)
            home.write("clearml.conf", json.dumps(dict(tree, more=1)))
            ready.wait_value("more", 1)
            ready.stop()
            ready.start()
            wait_until(lambda: ready.status()["watchers"] >= 1, "the watcher again")
        finally:
            process.terminate()
            process.wait()
    assert process.returncode != 99
    assert "==" not in (home.path / "errors").read_text()
