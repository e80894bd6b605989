"""Completion for bash: what Tab offers."""

import shutil
import subprocess

import pytest
from harness import BUILD, CLIENT, ROOT

SCRIPT = ROOT / "client/completion/clearconf.bash"
ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_clearconf
printf '%s\\n' "${COMPREPLY[@]}"
"""

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="no bash")


@pytest.fixture
def offer(home):
    """What Tab offers after these words, the last of which is half typed."""
    def after(*words):
        done = subprocess.run(["bash", "-c", ASK, "bash", SCRIPT, CLIENT, *words], env=home.env,
                              capture_output=True, text=True, timeout=60, cwd=home.path / "cwd")
        assert done.stderr == ""
        return done.stdout.split()
    return after


def test_commands_and_options_are_those_of_the_help(home, offer):
    assert {"get", "dump", "exec", "workspace", "token"} <= set(offer(""))
    assert offer("wat") == ["watch"]
    assert set(offer("--")) == {"--socket", "--workspace", "--timeout", "--any-server", "--no-pager",
                                "--help", "--version"}
    assert {"--on-change", "--grace", "--files", "--socket"} <= set(offer("exec", "--"))
    assert offer("dump", "--exec-") == ["--exec-timeout"]
    for command in offer(""):
        assert "--help" in offer(command, "--h")


def test_arguments_of_options(home, offer):
    assert offer("get", "--format", "") == ["json", "hocon", "yaml", "env", "properties", "raw"]
    assert offer("get", "a", "--format", "=", "pro") == ["properties"]
    assert offer("exec", "--on-change", "") == ["restart", "idle", "none", "signal:"]
    assert offer("exec", "--vaults", "") == ["merged", "live"]
    home.write("cwd/file.conf", "")
    assert offer("dump", "--output", "fi") == ["file.conf"]


def test_paths_come_from_the_daemon(home, daemon, offer):
    home.conf('sdk { aws { s3 { key: k, region: r } }, axis: 1, list: [x, y] }, '
              'agent.name: n, "a.b": 1')
    assert offer("get", "sdk.a") == []  # nobody answers
    daemon.start()
    assert offer("get", "") == ["sdk.", "agent."]
    assert offer("get", "sdk.a") == ["sdk.aws.", "sdk.axis"]
    assert offer("get", "sdk.aws.s3.") == ["sdk.aws.s3.key", "sdk.aws.s3.region"]
    assert offer("watch", "agent.name", "sdk.l") == ["sdk.list."]
    assert offer("get", "--mask", "--default", "sdk.x", "sdk.ax") == ["sdk.axis"]
    assert offer("--socket", str(home.socket), "get", "ag") == ["agent."]
    assert offer("--socket", "/nowhere", "get", "ag") == []


def test_verbs_and_workspaces(home, daemon, offer):
    home.conf("a: 1")
    daemon.start()
    assert offer("workspace", "") == ["list", "use"]
    assert offer("workspace", "use", "") == ["default"]
    assert offer("--workspace", "d") == ["default"]
    assert offer("credentials", "re") == ["revoke"] and offer("credentials", "ro") == ["rotate"]
    assert offer("credentials", "revoke", "") == []


def test_exec_completes_commands(offer):
    assert "sleep" in offer("exec", "slee")
    assert "sleep" in offer("exec", "--files", "--grace", "3", "slee")


def test_it_is_installed():
    done = subprocess.run(["make", "-n", "-s", "install", "DESTDIR=/d", "PREFIX=/usr",
                           f"B={BUILD}"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "/d/usr/share/bash-completion/completions/clearconf" in done.stdout
