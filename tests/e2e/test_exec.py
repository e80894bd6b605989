"""clearconf exec: what the command sees, how it is told, how it ends."""

import base64
import fcntl
import json
import os
import pty
import signal
import stat
import subprocess
import termios
import time

import pytest
from clearml_server import SECRET_KEY
from harness import CLIENT, FAST, Held, wait_until

# A command that tells what it is given: its environment, its file, and each
# signal, a line of JSON each; it ends by SIGTERM, or when its file `end` is there.
TELL = """
import json, os, signal, sys, time
def say(**what):
    os.write(1, (json.dumps(what) + "\\n").encode())  # also amid another one
def heard(number, frame):
    say(signal=signal.Signals(number).name)
    if number == signal.SIGTERM:
        sys.exit(7)
for name in ("TERM", "HUP", "INT", "USR1", "USR2"):
    signal.signal(getattr(signal, "SIG" + name), heard)
say(env=dict(os.environ), pid=os.getpid(), text=open(os.environ["CLEARML_CONFIG_FILE"]).read())
while True:
    time.sleep(0.02)
"""


class Running:
    """An exec that goes on; what its command says is in .said. The command ends with it."""

    def __init__(self, home, *options, command=None, env=None, **more):
        command = command or ["/usr/bin/python3", "-c", TELL]
        self.out = open(home.path / "exec.out", "w+")
        self.err = open(home.path / "exec.err", "w+")
        self.process = subprocess.Popen(
            [CLIENT, "exec", *options, "--", *command], env=env or home.env,
            cwd=home.path / "cwd", stdout=self.out, stderr=self.err, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.out.close()
        self.err.close()

    def said(self, kind):
        text = open(self.out.name).read()
        return [line[kind] for line in map(json.loads, text.splitlines()) if kind in line]

    def wait_said(self, kind, count=1):
        def there():
            assert self.process.poll() is None or len(self.said(kind)) >= count, self.errors()
            return len(self.said(kind)) >= count and self.said(kind)
        return wait_until(there, f"{kind} x {count}")

    def errors(self):
        return open(self.err.name).read()

    def file(self):
        with open(self.said("env")[-1]["CLEARML_CONFIG_FILE"]) as file:
            return file.read()

    def wait_file(self, part):
        wait_until(lambda: part in self.file(), part)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@pytest.fixture
def running(home, daemon):
    home.conf("a: 1, password: hush-hush")
    return daemon.start()


def execute(home, *words, env=None, check=None):
    done = subprocess.run([CLIENT, "exec", *words], env=dict(home.env, **(env or {})),
                          cwd=home.path / "cwd", timeout=60, capture_output=True, text=True)
    if check is not None:
        assert done.returncode == check, done.stderr
    return done


def leftovers(home):
    return [x for x in os.listdir(home.run / "clearconf") if x.startswith("exec.")]


# --- what the command is given --------------------------------------------------


def test_the_file_is_private_and_gone_afterwards(home, running):
    script = 'ls -ld "$CLEARML_CONFIG_FILE" "$(dirname "$CLEARML_CONFIG_FILE")"; ' \
             'echo "$CLEARML_CONFIG_FILE"; cat "$CLEARML_CONFIG_FILE"; exit 3'
    lines = execute(home, "--", "sh", "-c", script, check=3).stdout.splitlines()
    assert {line[:10] for line in lines[:2]} == {"-rw-------", "drwx------"}
    assert lines[2].startswith(f"{home.run}/clearconf/exec.")
    assert lines[2].endswith("/clearml.conf")
    assert lines[3] == "# written by clearconf" and 'password = "hush-hush"' in lines
    assert leftovers(home) == []


TOOK_PART = {
    "CLEARML_AGENT__A": "5", "CLEARML_API_HOST": "http://x.example:8008", "TRAINS_WORKER_NAME": "w",
    "AWS_ACCESS_KEY_ID": "AKIA0123456789", "CUDA_VERSION": "12", "AZURE_STORAGE_KEY": "k",
    "GOOGLE_APPLICATION_CREDENTIALS": "/g.json", "CLEARML_CONFIG_PATH": "/x",
    "TRAINS_CONFIG_FILE": "/x", "CLEARML_AUTH_TOKEN": "t", "CLEARML_LOG": "kept", "EMPTY": ""}


def test_variables_stay_where_the_file_has_their_values(home, running):
    with Running(home, env=dict(home.env, **TOOK_PART)) as one:
        seen = one.wait_said("env")[0]
        text = one.said("text")[0]
    assert "a = 5\n" in text and 'api_server = "http://x.example:8008"' in text
    assert {name: seen.get(name) for name in TOOK_PART} == TOOK_PART
    assert seen["CLEARML_DISABLE_VAULT_SUPPORT"] == "1"
    assert seen["CLEARML_AGENT_DISABLE_VAULT_SUPPORT"] == "1"
    assert seen["HOME"] == home.env["HOME"]
    assert "account_key" not in text  # the agent appends it by itself


def test_a_variable_that_a_vault_has_won_over_is_taken_away(home, conf, daemon, server):
    """A third party's stays, though the agent then has its value and not the vault's."""
    server.state.add_vault({"id": "v", "data": "a: vault, b: vault"})
    server.state.add_vault({"id": "m", "type": "monitoring", "data":
                            "agent.worker_name: them, sdk.aws.s3.key: AKIATHEIRS"})
    home.conf(conf())
    daemon.start()
    env = {**TOOK_PART, "CLEARML_AGENT__B": "vault", "CLEARML_API_HOST": server.url}
    gone = {"CLEARML_AGENT__A", "TRAINS_WORKER_NAME"}
    with Running(home, env=dict(home.env, **env)) as one:
        seen = one.wait_said("env")[0]
        text = one.said("text")[0]
    assert 'a = "vault"\n' in text and 'worker_name = "them"\n' in text
    assert {name for name in env if name not in seen} == gone


def test_a_vault_says_neither_where_to_log_in_nor_who_the_agent_is(home, conf, daemon, server):
    server.state.add_vault({"id": "v", "data": "a: vault, agent.worker_id: theirs, "
                                               "api.api_server: \"http://127.0.0.1:9\""})
    home.conf(conf("a: 1"))
    daemon.start()
    with Running(home) as one:
        text = one.wait_said("text")[0]
    assert 'a = "vault"\n' in text and "theirs" not in text
    assert f'api_server = "{server.url}"' in text and "127.0.0.1:9\"" not in text


# --- vaults, live or merged --------------------------------------------------------

SWITCHES = ["CLEARML_DISABLE_VAULT_SUPPORT", "CLEARML_AGENT_DISABLE_VAULT_SUPPORT"]


@pytest.fixture
def vaulted(home, conf, daemon, server):
    server.state.add_vault({"id": "v", "data": "a: vault, b: vault"})
    home.settings(FAST)
    home.conf(conf("a: mine, c: mine"))
    return daemon.start()


def agent(home):
    """A command that is the agent by its name, and tells as TELL does."""
    return str(home.write("bin/clearml-agent", f"#!/usr/bin/python3\n{TELL}"))


def start_agent(home, *options, **more):
    path = agent(home)
    os.chmod(path, 0o755)
    return Running(home, *options, command=[path, "daemon"], **more)


def test_an_agents_vaults_are_live(home, vaulted):
    """Its file has what is below variables and vaults; both are its own to lay over that."""
    env = {**TOOK_PART, "CLEARML_AGENT__C": "variable"}
    with start_agent(home, env=dict(home.env, **env)) as one:
        seen = one.wait_said("env")[0]
        text = one.said("text")[0]
    assert 'a = "mine"\n' in text and 'c = "mine"\n' in text and "b =" not in text
    assert {name: seen.get(name) for name in env} == env
    assert not set(SWITCHES) & set(seen)


@pytest.mark.parametrize("which, value", [("merged", "vault"), ("live", "mine")])
def test_vaults_are_what_is_asked_for(home, vaulted, which, value):
    for start in start_agent, Running:
        with start(home, "--vaults", which) as one:
            seen = one.wait_said("env")[0]
            assert f'a = "{value}"\n' in one.said("text")[0]
            assert [seen.get(name) for name in SWITCHES] == 2 * [{"merged": "1"}.get(which)]
            one.end()


def test_a_live_vault_that_changes_restarts_it_with_the_same_file(home, vaulted, server):
    with Running(home, "--vaults=live", "--on-change=restart") as one:
        one.wait_said("pid")
        server.state.set_vaults([{"id": "v", "data": "a: changed"}])
        one.wait_said("pid", 2)
        assert one.said("text")[0] == one.said("text")[1]
        home.conf(open(home.path / "clearml.conf").read() + "d: 4\n")
        one.wait_said("pid", 3)
        assert "d = 4\n" in one.said("text")[2]


def test_a_live_vault_that_changes_nothing_restarts_nothing(home, vaulted, server):
    with Running(home, "--vaults=live", "--on-change=restart") as one:
        one.wait_said("pid")
        asked = server.count("users.get_vaults")
        server.state.set_vaults([{"id": "v", "data": "b: vault\na: vault  # the same"}])
        wait_until(lambda: server.count("users.get_vaults") > asked + 1, "the vault to be read")
        time.sleep(1)
        assert len(one.said("pid")) == 1


def test_a_switch_of_the_callers_own_stays_and_is_warned_of(home, vaulted):
    env = dict(home.env, CLEARML_AGENT_DISABLE_VAULT_SUPPORT="true",
               CLEARML_DISABLE_VAULT_SUPPORT="0")
    with Running(home, "--vaults=live", env=env) as one:
        seen = one.wait_said("env")[0]
        assert [seen[name] for name in SWITCHES] == ["0", "true"]
        assert "CLEARML_AGENT_DISABLE_VAULT_SUPPORT is set" in one.errors()
        assert "CLEARML_DISABLE_VAULT_SUPPORT is set" not in one.errors()


def test_no_other_kind_of_vaults(home, running):
    assert "merged or live" in execute(home, "--vaults=fresh", "--", "true", check=125).stderr


# --- modes -------------------------------------------------------------------------

def test_in_mode_sdk_every_variable_stays(home, daemon):
    """The file has nothing of them: the program must log in with them."""
    home.settings("[daemon]\nmode = sdk\n")
    home.conf("a: 1, api { api_server: \"http://file.example\" }, agent.worker_name: file")
    daemon.start()
    with Running(home, env=dict(home.env, **TOOK_PART)) as one:
        seen = one.wait_said("env")[0]
        assert "a = 1\n" in one.said("text")[0]
    assert {name: seen.get(name) for name in TOOK_PART} == TOOK_PART


def test_other_defaults_than_the_daemons_are_not_named(home, daemon):
    home.write("ours/default/sdk.conf", "x: 1")
    home.write("theirs/default/sdk.conf", "x: 2, y: 3")
    home.conf("a: 1")
    daemon.env["CLEARML_CONFIG_PATH"] = str(home.path / "ours")
    daemon.start()
    for folder, stays in ("ours", True), ("theirs", False), ("nowhere", True):
        path = str(home.path / folder)
        with Running(home, env=dict(home.env, CLEARML_CONFIG_PATH=path)) as one:
            seen = one.wait_said("env")[0]
            assert "x = 1\n" in one.said("text")[0] and "y =" not in one.said("text")[0]
            assert seen.get("CLEARML_CONFIG_PATH") == (path if stays else None), folder
            one.end()  # the next one writes to the same files


def test_what_it_reads_is_what_the_daemon_resolved(home, running):
    """The file, read again in the environment of the command: the same tree."""
    env = {"CLEARML_AGENT__X__Y": "a#b", "CLEARML_FILES_HOST": "http://f.example"}
    done = execute(home, "--", "sh", "-c", 'cat "$CLEARML_CONFIG_FILE"', env=env, check=0)
    home.write("again.conf", done.stdout.split("\n", 1)[1])
    home.settings("[local]\nfiles = ~/again.conf\n")
    tree = home.resolve("--offline")
    assert tree["x"] == {"y": "a#b"} and tree["a"] == 1
    assert tree["api"]["files_server"] == "http://f.example"


def test_another_workspace_takes_the_callers_token_away(home, running):
    env = dict(home.env, CLEARML_AUTH_TOKEN="t")
    with Running(home, "--workspace", "default", env=env) as one:
        assert "CLEARML_AUTH_TOKEN" not in one.wait_said("env")[0]


SECTION = 'environment { A1: one, N: 5, T: true, F: false, Z: 0, E: null, L: [1], "B=D": x, ' \
          'CLEARML_CONFIG_FILE: /elsewhere }\n'


@pytest.mark.parametrize("more, env, applied", [
    ("", {}, False),
    ("agent.apply_environment: true", {}, True),
    ("sdk.apply_environment: true", {}, True),
    ("sdk.apply_environment: true", {"CLEARML_ENABLE_ENV_CONFIG_SECTION": "0"}, False),
    ("", {"CLEARML_AGENT_ENABLE_ENV_CONFIG_SECTION": "yes"}, True)])
def test_the_environment_section_is_added_when_asked_for(home, daemon, more, env, applied):
    home.conf(SECTION + more)
    daemon.start()
    with Running(home, env=dict(home.env, T="before", **env)) as one:
        seen = one.wait_said("env")[0]
        assert seen["CLEARML_CONFIG_FILE"].startswith(str(home.run))
        wanted = {"A1": "one", "N": "5", "T": "True", "F": "False", "Z": "0", "E": "", "L": "[1]"}
        assert {x: seen.get(x) for x in wanted} == (
            wanted if applied else dict.fromkeys(wanted, None) | {"T": "before"})
        assert ("environment.B=D is left out" in one.errors()) == applied


def test_path_of_the_section_says_where_the_command_is(home, daemon):
    home.write("bin/special", "#!/bin/sh\necho here\n").chmod(0o755)
    home.conf(f"agent.apply_environment: true\nenvironment.PATH: \"{home.path}/bin:/usr/bin:/bin\"")
    daemon.start()
    assert execute(home, "special", check=0).stdout == "here\n"


# --- changes ---------------------------------------------------------------------


def test_a_change_restarts_it_with_the_new_file(home, running):
    with Running(home) as one:
        first = one.wait_said("pid")[0]
        home.conf("a: 2, environment.NEW: v, agent.apply_environment: true")
        second = one.wait_said("pid", 2)[1]
        assert second != first and one.said("signal") == ["SIGTERM"]
        assert "a = 2\n" in one.said("text")[1] and "a = 1\n" in one.said("text")[0]
        assert one.said("env")[1]["NEW"] == "v"
        assert one.end() == 7
    assert leftovers(home) == []


def test_a_burst_of_changes_is_one_restart(home, running):
    with Running(home) as one:
        one.wait_said("pid")
        for i in range(60):
            home.conf(f"a: {i + 100}")
            time.sleep(0.005)
        one.wait_said("pid", 2)
        one.wait_file("a = 159\n")
        assert "a = 159\n" in one.said("text")[1]
        time.sleep(1)
        assert len(one.said("pid")) == 2


def test_what_goes_back_to_what_it_was_is_no_change(home, running):
    with Running(home) as one:
        one.wait_said("pid")
        home.conf("a: 2")
        one.wait_file("a = 2\n")
        home.conf("a: 1, password: hush-hush")
        one.wait_file("a = 1\n")
        time.sleep(0.8)
        assert len(one.said("pid")) == 1 and one.said("signal") == []


@pytest.mark.parametrize("name", ["signal:USR1", "signal:SIGUSR1", "signal:usr1", "signal:10"])
def test_a_signal_instead_of_a_restart(home, running, name):
    with Running(home, "--on-change", name) as one:
        one.wait_said("pid")
        home.conf("a: 2")
        assert one.wait_said("signal") == ["SIGUSR1"]
        assert "a = 2\n" in one.file() and len(one.said("pid")) == 1


def test_none_only_keeps_the_file_current(home, running):
    with Running(home, "--on-change=none") as one:
        one.wait_said("pid")
        home.conf("a: 2")
        one.wait_file("a = 2\n")
        time.sleep(0.8)
        assert one.said("signal") == [] and len(one.said("pid")) == 1


def test_a_daemon_that_restarts_is_waited_for(home, running):
    with Running(home) as one:
        one.wait_said("pid")
        running.stop(signal.SIGKILL)
        running.process.wait()
        wait_until(lambda: "the daemon is gone" in one.errors(), "the warning")
        home.conf("a: 2")
        running.start()
        one.wait_said("pid", 2)
        assert "a = 2\n" in one.said("text")[1]
        home.conf("a: 3")
        one.wait_said("pid", 3)
        assert one.errors().count("the daemon is gone") == 1


def test_vaults_that_are_not_in_yet_are_waited_for(home, conf, daemon, server):
    home.settings(FAST)
    home.conf(conf("a: 1"))
    server.state.set_vaults([{"data": "b: 2"}])
    with Held(server, "users.get_vaults") as held:
        daemon.start()
        with Running(home) as one:
            time.sleep(0.3)
            assert one.process.poll() is None and one.said("pid") == []
            held.let_go()
            assert "b = 2\n" in one.wait_said("text")[0]
    with Held(server, "users.get_vaults"):
        daemon.stop()
        for path in (home.path / "state").rglob("*"):
            if path.is_file():
                path.unlink()
        daemon.start()
        done = execute(home, "--timeout", "0.3", "--", "true", check=125)
        assert "the vaults are not in yet" in done.stderr


def test_a_command_that_does_not_end_is_killed(home, running):
    script = "trap '' TERM; echo '{\"pid\": 1}'; while kill -0 $PPID; do sleep 0.05; done"
    with Running(home, "--grace", "0.2", command=["sh", "-c", script]) as one:
        one.wait_said("pid")
        home.conf("a: 2")
        one.wait_said("pid", 2)
        assert "is killed" in one.errors()


# --- signals and ends --------------------------------------------------------------


def test_signals_are_passed_on_once_each(home, running):
    with Running(home) as one:
        one.wait_said("pid")
        for count, name in enumerate(("HUP", "USR1", "USR2", "HUP"), 1):
            one.process.send_signal(getattr(signal, "SIG" + name))
            one.wait_said("signal", count)
        assert one.said("signal") == ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGHUP"]
        assert one.end() == 7


def test_a_terminal_has_told_the_command_already(home, running):
    """Ctrl-C goes to us and to the command: passing it on would make it two."""
    master, terminal = pty.openpty()

    def take_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    with Running(home, stdin=terminal, start_new_session=True, preexec_fn=take_terminal) as one:
        one.wait_said("pid")
        os.write(master, b"\x03")
        one.wait_said("signal")
        one.process.send_signal(signal.SIGUSR1)
        one.wait_said("signal", 2)
        assert one.said("signal") == ["SIGINT", "SIGUSR1"]
        assert one.end() == 7
    os.close(master)
    os.close(terminal)


def test_no_signal_is_lost_among_many_changes(home, running):
    with Running(home, "--on-change=none") as one:
        one.wait_said("pid")
        for i in range(200):
            home.conf(f"a: {i + 100}")
            if i % 20 == 0:
                one.process.send_signal(signal.SIGUSR1)
                one.wait_said("signal", i // 20 + 1)
        one.wait_file("a = 299\n")
        assert one.said("signal") == ["SIGUSR1"] * 10


def test_200_quick_changes_are_few_restarts(home, running):
    with Running(home) as one:
        one.wait_said("pid")
        began = time.monotonic()
        for i in range(200):
            home.conf(f"a: {i + 100}")
            time.sleep(0.01)
        one.wait_file("a = 299\n")
        wait_until(lambda: "a = 299\n" in one.said("text")[-1], "the last restart")
        took = time.monotonic() - began
        # One when a burst of five seconds is acted on, one when it is quiet.
        assert len(one.said("pid")) <= 2 + took / 5


def test_a_request_to_end_beats_a_restart(home, running):
    script = "trap 'sleep 0.5; exit 9' TERM; echo '{\"pid\": 1}'; while kill -0 $PPID; do sleep 0.05; done"
    with Running(home, command=["sh", "-c", script]) as one:
        one.wait_said("pid")
        home.conf("a: 2")
        path = next(iter(leftovers(home)))
        wait_until(lambda: "a = 2\n" in (home.run / "clearconf" / path / "clearml.conf").read_text(),
                   "the file")
        time.sleep(0.55)  # the restart has begun
        assert one.end() == 9
        assert len(one.said("pid")) == 1


@pytest.mark.parametrize("words, status, problem", [
    (["sh", "-c", "exit 42"], 42, ""),
    (["true"], 0, ""),
    (["sh", "-c", "kill -KILL $$"], 137, ""),
    (["no-such-command"], 127, "cannot run no-such-command: there is no such command"),
    (["/etc/passwd"], 126, "cannot run /etc/passwd: Permission denied"),
    ([], 125, "a command is missing"),
    (["--grace", "soon", "true"], 125, "--grace takes a number of seconds"),
    (["--on-change", "dance", "true"], 125, "--on-change takes"),
    (["--on-change", "none", "--idle", "true", "true"], 125, "--idle goes with --on-change idle"),
    (["--only", "a.", "true"], 125, "--only a.: "),
    (["--only", "a", "--only", "b.c", "true"], 0, ""),
    (["--umask", "9", "true"], 125, "--umask takes a file mode"),
    (["--umask", "027", "sh", "-c", "exit $(umask)"], 27, ""),
    (["--on-change", "signal:WINK", "true"], 125, "--on-change takes"),
    (["--workspace", "none", "--", "true"], 125, "there is no workspace 'none'"),
    (["sh", "-c", "exit $1", "--", "3"], 3, ""),
])
def test_exit_statuses(home, running, words, status, problem):
    done = execute(home, *words, check=status)
    assert problem in done.stderr and bool(problem) == bool(done.stderr)
    assert leftovers(home) == []


def test_without_a_daemon_it_is_125(home):
    assert "start clearconfd" in execute(home, "true", check=125).stderr


def test_without_the_right_to_secrets_it_is_125(home, strangers):
    from harness import Daemon
    home.settings("[access]\nread = nobody\n")
    home.conf("a: 1, password: hush-hush")
    with Daemon(home, "--socket", strangers.socket):
        strangers.socket.chmod(0o666)
        status, _, errors = strangers.client(65533, "exec", "true")
    assert status == 125 and "access denied" in errors


def test_it_ends_by_a_signal_before_the_command_runs(home, conf, daemon, server):
    home.settings(FAST)
    home.conf(conf())
    with Held(server, "users.get_vaults"):
        daemon.start()
        with Running(home) as one:
            time.sleep(0.2)
            assert one.end() == -signal.SIGTERM
    assert leftovers(home) == []


# --- folders -----------------------------------------------------------------------


def test_what_the_dead_left_is_swept(home, running):
    dead = home.run / "clearconf" / "exec.999999"
    dead.mkdir(mode=0o700)
    (dead / "clearml.conf").write_text("old secret")
    with Running(home) as one:
        one.wait_said("pid")
        assert not dead.exists()
        execute(home, "true", check=0)
        assert one.file()  # of the living it is left alone
        assert one.end() == 7


def test_a_killed_one_takes_its_command_along(home, running):
    with Running(home) as one:
        pid = one.wait_said("pid")[0]
        one.process.kill()
        one.process.wait()
        wait_until(lambda: one.said("signal") == ["SIGTERM"], "the signal")
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the end of the command")
    assert len(leftovers(home)) == 1
    execute(home, "true", check=0)
    assert leftovers(home) == []


def test_without_a_runtime_folder_it_is_shared_memory(home, running):
    env = {key: value for key, value in home.env.items() if key != "XDG_RUNTIME_DIR"}
    env["CLEARCONF_SOCKET"] = str(home.socket)
    with Running(home, env=env) as one:
        path = one.wait_said("env")[0]["CLEARML_CONFIG_FILE"]
        assert path.startswith(f"/dev/shm/clearconf.{os.geteuid()}/exec.")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert one.end() == 7
    assert not os.path.exists(path)


# --- files -------------------------------------------------------------------------


def test_files_are_written_as_described(home, daemon):
    data = bytes(range(256))
    home.conf("environment.SUB: sub, agent.apply_environment: true\nfiles {\n"
              '  a { path: "~/out/$SUB/a.txt", contents: "text\\n" }\n'
              '  b { path: "${HOME}/b.bin", format: base64, target_format: bytes, '
              f'contents: "{base64.b64encode(data).decode()}", mode: "0640" }}\n'
              '  c { path: c.json, target_format: json, contents { x: [1, two] }, mode: 0644 }\n'
              '  d { path: "~/d.yaml", target_format: yaml, contents { x: yes, i: 1 } }\n'
              '  e { path: "~/kept", contents: new, overwrite: false }\n'
              '  f { path: "~/link", contents: evil }\n'
              '  g { path: "~/out", contents: x }\n  h { contents: x }\n  i { path: "~/i" }\n'
              '  j { path: "~/j", format: base64, contents: "/w==" }\n'
              '  k { path: "~/k", contents: x, mode: 9 }\n}\n')
    home.write("kept", "old")
    home.write("victim", "mine")
    (home.path / "link").symlink_to(home.path / "victim")
    daemon.start()
    done = execute(home, "--files", "--", "true", check=0)

    def read(name):
        path = home.path / name
        return path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
    assert read("out/sub/a.txt") == (b"text\n", 0o600)
    assert read("b.bin") == (data, 0o640)
    assert json.loads(read("cwd/c.json")[0]) == {"x": [1, "two"]} and read("cwd/c.json")[1] == 0o644
    assert read("d.yaml")[0] == b'x: "yes"\ni: 1\n'
    assert read("kept")[0] == b"old" and read("victim")[0] == b"mine"
    for name, problem in (("f", "symbolic link"), ("g", "folder"), ("h", "no path"),
                          ("i", "no contents"), ("j", "not UTF-8"), ("k", "no file mode")):
        assert any(f"files.{name} is not written: " in line and problem in line
                   for line in done.stderr.splitlines()), (name, done.stderr)
    assert not (home.path / "k").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes where others may have laid a link")
def test_root_writes_and_makes_nothing_behind_others_links(home, daemon, tmp_path):
    theirs, ours = tmp_path / "theirs", home.path / "ours"
    theirs.mkdir()
    ours.mkdir()
    (theirs / "link").symlink_to(ours)
    os.chown(theirs, 65533, 65533)
    (home.path / "own").symlink_to(ours)
    ways = [theirs / "link/f", theirs / "link/new/f", theirs / "f", theirs / "new/f",
            theirs / "../theirs/f", theirs / "link/../new/f", home.path / "own/../../theirs/new/f",
            "a/" * 3000 + "f", "a/" * 300_000 + "f", ours / ".." / ".." / ".."]
    good = ["own/deep/er/f", "own/../ours//twice/f", "new/../ours/up/f"]
    files = [*ways, *(home.path / each for each in good)]
    home.conf("".join(f'files.f{number} {{ path: "{path}", contents: x }}\n'
                      for number, path in enumerate(files)))
    daemon.start()
    done = execute(home, "--files", "--", "true", check=0)
    refused = [line for line in done.stderr.splitlines() if "is not written: " in line]
    assert len(refused) == len(ways), done.stderr
    assert sum(f"{theirs} belongs to somebody else" in line for line in refused) == 7
    assert sum("File name too long" in line for line in refused) == 2
    assert [each.name for each in theirs.iterdir()] == ["link"]
    assert sorted(each.name for each in ours.iterdir()) == ["deep", "twice", "up"]
    assert all((home.path / each).read_text() == "x" for each in good)


def test_files_are_left_alone_unless_asked_for(home, daemon):
    home.conf('agent.apply_files: true, files.a { path: "~/a", contents: x }')
    daemon.start()
    execute(home, "true", check=0)
    assert not (home.path / "a").exists()


@pytest.mark.parametrize("more, env, written", [
    ("agent.apply_files: true", {}, True), ("sdk.apply_files: false", {}, False),
    ("sdk.apply_files: false, agent.apply_files: true", {}, True),
    ("sdk.apply_files: true", {"CLEARML_ENABLE_FILES_CONFIG_SECTION": "off"}, False),
    ("agent.apply_files: false", {"CLEARML_AGENT_ENABLE_FILES_CONFIG_SECTION": "1"}, True)])
def test_a_configuration_that_wants_no_files_gets_none(home, daemon, more, env, written):
    home.conf(f'{more}\nfiles.a {{ path: "~/a", contents: x }}')
    daemon.start()
    done = execute(home, "--files", "true", env=env, check=0)
    assert (home.path / "a").exists() == written
    assert ("apply_files says no" in done.stderr) != written


def test_files_are_kept_current(home, daemon):
    home.conf('files.a { path: "~/a", contents: one }')
    daemon.start()
    with Running(home, "--files", "--on-change=none") as one:
        one.wait_said("pid")
        assert (home.path / "a").read_text() == "one"
        home.conf('files.a { path: "~/a", contents: two }')
        wait_until(lambda: (home.path / "a").read_text() == "two", "the new file")


def test_no_secret_is_said(home, conf, daemon):
    home.settings(FAST)
    home.conf(conf(f'files.a {{ path: "/proc/no", contents: "{SECRET_KEY}" }}'))
    daemon.start()
    daemon.wait_state("ready")
    done = execute(home, "--files", "no-such-command", check=127)
    assert "files.a is not written" in done.stderr and SECRET_KEY not in done.stderr


def test_orphans_are_buried(home, running):
    """As the first process of a container is handed them: here, as a subreaper."""
    script = ("import ctypes, os, sys\n"
              "ctypes.CDLL(None).prctl(36, 1)\n"  # PR_SET_CHILD_SUBREAPER
              "os.execv(sys.argv[1], sys.argv[1:])")
    orphan = "(sleep 0.1 & echo $! > \"$0\"); sleep 30"
    process = subprocess.Popen(
        ["/usr/bin/python3", "-c", script, CLIENT, "exec", "sh", "-c", orphan, home.path / "pid"],
        env=home.env, cwd=home.path / "cwd")
    try:
        pid = wait_until(lambda: (home.path / "pid").exists()
                         and (home.path / "pid").read_text().strip(), "the orphan")
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "its end")
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
