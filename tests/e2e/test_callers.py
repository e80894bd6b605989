"""Which workspace a caller gets who names none: that of its environment, its own, the active one."""

import subprocess
import sys

import pytest
from harness import CLIENT, ROOT
from test_doctor import look, problems
from test_workspaces import two  # noqa: F401

sys.path.insert(0, str(ROOT / "client/python"))

import clearml_clearconf as clearconf  # noqa: E402


@pytest.fixture
def running(two, daemon):  # noqa: F811
    daemon.start()
    daemon.wait_state("ready")
    daemon.wait_value("team", "second", workspace="two")
    return daemon


def ask(home, *arguments, workspace="two", check=0):
    done = subprocess.run([CLIENT, *arguments], capture_output=True, text=True, timeout=60,
                          env=dict(home.env, CLEARCONF_WORKSPACE=workspace))
    assert done.returncode == check, done.stderr
    return done.stdout.strip() if check == 0 else done.stderr


# --- the client's environment -------------------------------------------------

def test_a_variable_names_the_workspace(home, running):
    assert ask(home, "get", "team") == "second"
    assert ask(home, "get", "team", workspace="") == "first"
    assert ask(home, "--workspace", "one", "get", "team") == "first"
    assert "CLEARCONF_WORKSPACE" in ask(home, "get", "team", workspace="none", check=2)


def test_exec_passes_on_what_was_named(home, running):
    show = ["sh", "-c", "echo ${CLEARCONF_WORKSPACE-none}; grep -q team $CLEARML_CONFIG_FILE"]
    assert ask(home, "exec", "--", *show).split("\n")[0] == "two"
    assert ask(home, "--workspace", "one", "exec", "--", *show).split("\n")[0] == "one"
    assert ask(home, "exec", "--", *show, workspace="").split("\n")[0] == ""
    nested = [str(CLIENT), "exec", "--", str(CLIENT), "get", "team"]
    assert ask(home, "--workspace", "two", "exec", "--", *nested, workspace="") == "second"


def test_python_and_the_library_read_it_too(home, running, monkeypatch):
    monkeypatch.setenv("CLEARCONF_WORKSPACE", "two")
    assert clearconf.Client(str(home.socket)).get("team") == "second"
    assert clearconf.Client(str(home.socket), workspace="one").get("team") == "first"
    with clearconf.Client(str(home.socket)).exec_environment({}) as env:
        assert env["CLEARCONF_WORKSPACE"] == "two"
    monkeypatch.setenv("CLEARCONF_WORKSPACE", "")
    assert clearconf.Client(str(home.socket)).get("team") == "first"


def test_doctor_shows_it(home, running):
    lines = look(home, 0, {"CLEARCONF_WORKSPACE": "two"})
    assert any("CLEARCONF_WORKSPACE=two" in text for _, text in lines)
    [problem] = problems(look(home, 1, {"CLEARCONF_WORKSPACE": "none"}))
    assert "no such workspace" in problem
