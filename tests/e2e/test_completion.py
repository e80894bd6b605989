"""Completion for bash, zsh and fish: what Tab offers."""

import os
import pty
import re
import shutil
import subprocess
import threading

import pytest
from harness import BUILD, CLIENT, DAEMON, ROOT, wait_until

FOLDER = ROOT / "client/completion"
SCRIPT = FOLDER / "clearconf.bash"
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


def test_a_command_line_of_its_own_is_left_to_the_shell(home):
    """And a prefix of an option's word is kept, for shells that do not split it."""
    def said(*words):
        return home.client("__complete", "--", *words, check=0).stdout.splitlines()
    assert said("exec", "--", "ls", "x") == [":words 3"]
    assert said("exec", "-c", "none", "ls", "--x") == [":words 4"]
    assert said("get", "--format=y") == ["--format=yaml"]
    assert said("dump", "--output", "x") == [":files"] == said("site", "check", "x")
    assert said("site", "put", "a.conf", "x") == [":files"] == said("fleet", "--ca", "x")
    assert said("rollout", "re") == ["resume", "revert"]
    assert said("--timeout", "5", "fleet", "--wat") == ["--watch\tlist: print it again whenever something changes"]
    assert said("get", "--fo") == ["--format\tjson, hocon, yaml, env, properties, raw"]
    assert said("wat") == ["watch\tprint what changes, as it changes"] == said("help", "wat")
    listed = home.client("help").stdout.partition("Commands")[2].partition("\n\n")[0]
    assert said("") == ["\t".join(pair) for pair in re.findall(r"^  ([a-z]+) +(.*)$", listed, re.M)]
    assert said("nothing", "") == said("") and said() == []


# --- fish and zsh ---


@pytest.fixture
def shells(home, daemon):
    """The environment of a shell that finds our programs by their names, and a daemon."""
    home.conf("sdk { aws { region: r } }, agent: 1")
    home.write("cwd/file.conf", "")
    daemon.start()
    return dict(home.env, PATH=f"{CLIENT.parent}:{home.env['PATH']}")


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish")
def test_fish(home, shells):
    def offer(line):
        done = subprocess.run(
            ["fish", "--no-config", "-c",
             f"source {FOLDER}/clearconf.fish; source {FOLDER}/clearconfd.fish; complete -C '{line}'"],
            env=shells, capture_output=True, text=True, timeout=60, cwd=home.path / "cwd")
        assert done.stderr == ""
        return [each.split("\t")[0] for each in done.stdout.splitlines()]
    assert offer("clearconf wat") == ["watch"]
    assert offer("clearconf get sdk.") == ["sdk.aws."]
    assert offer("clearconf get --format=y") == ["--format=yaml"]
    assert "--on-change" in offer("clearconf exec --on")
    assert offer("clearconf dump --output fi") == ["file.conf"]
    assert "file.conf" in offer("clearconf exec cat fi")
    assert offer("clearconfd --mode ") == ["agent", "sdk"]
    assert offer("clearconfd --log") == ["--log-level"]
    assert {"warning", "debug"} <= set(offer("clearconfd --log-level "))
    assert offer("clearconfd --config fi") == ["file.conf"] == offer("clearconfd --check fi")


class Zsh:
    """An interactive zsh, whose line as it stands after Tab a widget writes to a file."""

    START = """
PS1='> '; fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D; bindkey '^I' complete-word
show() {{ print -rn -- "$BUFFER<end>" > {line}; zle kill-buffer }}; zle -N show; bindkey '^X' show
print -rn "<end>" > {line}
"""

    def __init__(self, home, env):
        self.line = home.path / "line"
        start = home.write("start.zsh", self.START.format(folder=FOLDER, line=self.line))
        self.master, end = pty.openpty()
        self.process = subprocess.Popen(["zsh", "-f", "-i"], env=dict(env, TERM="xterm"), stdin=end,
                                        stdout=end, stderr=end, cwd=home.path / "cwd", start_new_session=True)
        os.close(end)
        self.thread = threading.Thread(target=self._drain)
        self.thread.start()
        self._say(f"source {start}\n")

    def _drain(self):
        try:
            while os.read(self.master, 1 << 16):
                pass
        except OSError:
            pass  # EIO: the other end is closed

    def _say(self, text):
        os.write(self.master, text.encode())
        wait_until(lambda: self.line.exists() and self.line.read_text().endswith("<end>"), "zsh")

    def tab(self, text):
        self.line.unlink(missing_ok=True)
        self._say(text + "\t\x18")
        return self.line.read_text().removesuffix("<end>")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        os.close(self.master)


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh")
def test_zsh(home, shells):
    """On a terminal of its own, as it is used."""
    with Zsh(home, shells) as zsh:
        for typed, line in (
                ("clearconf wat", "clearconf watch "), ("clearconf get sdk.a", "clearconf get sdk.aws."),
                ("clearconf get --format=y", "clearconf get --format=yaml "),
                ("clearconf exec --on-c", "clearconf exec --on-change "),
                ("clearconf dump --output fi", "clearconf dump --output file.conf "),
                ("clearconf exec cat fi", "clearconf exec cat file.conf "),
                ("clearconfd --mode a", "clearconfd --mode agent "),
                ("clearconfd --log-level de", "clearconfd --log-level debug "),
                ("clearconfd --off", "clearconfd --offline "),
                ("clearconfd --config fi", "clearconfd --config file.conf ")):
            assert zsh.tab(typed) == line


def test_bash_for_the_daemon(home):
    def offer(*words):
        done = subprocess.run(["bash", "-c", ASK.replace("_clearconf\n", "_clearconfd\n"), "bash",
                               FOLDER / "clearconfd.bash", DAEMON, *words], env=home.env,
                              capture_output=True, text=True, timeout=60, cwd=home.path / "cwd")
        assert done.stderr == ""
        return done.stdout.split()
    home.write("cwd/file.conf", "")
    assert offer("--mode", "") == ["agent", "sdk"] == offer("--mode", "=", "")
    assert offer("--log-level", "wa") == ["warning"] and offer("--workspace", "x") == []
    formats = home.client("__complete", "--", "get", "--format", "", check=0).stdout.split()
    assert offer("--format", "") == formats
    assert offer("--config", "fi") == ["file.conf"] == offer("--check", "fi") == offer("--config", "=", "fi")
    told = [x for x in home.daemon("--help").stdout.splitlines() if x.startswith("  --")]
    assert set(offer("--")) == set(re.findall(r"--[a-z-]+", "\n".join(told)))


def test_it_is_installed():
    done = subprocess.run(["make", "-n", "-s", "install", "DESTDIR=/d", "PREFIX=/usr",
                           f"B={BUILD}"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    for program in ("clearconf", "clearconfd"):  # a loop of the shell
        shown = done.stdout.replace("$program", program)
        for path in (f"bash-completion/completions/{program}", f"zsh/vendor-completions/_{program}",
                     f"fish/vendor_completions.d/{program}.fish"):
            assert f"/d/usr/share/{path}" in shown
