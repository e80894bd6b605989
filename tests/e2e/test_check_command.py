"""dump --check and exec --check: a command decides what may replace what is there."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

import pytest
from harness import CLIENT, wait_until

SECRET = "s3cr3t-4711-value"
# Says no where k is 2, and prints what it has seen.
JUDGE = ('! grep -Eq "^k *[=:] *2|\\"k\\" *: *2" "$1" || '
         '{ echo "k must not be 2, not beside $(grep -o "s3cr3t[^\\"]*" "$1")"; exit 3; }')


def text(k):
    return f"k: {k}\nagent.git_pass: {SECRET}\n"


@pytest.fixture
def served(home, daemon):
    home.conf(text(1))
    daemon.start()
    daemon.wait_value("k", 1)
    return daemon


def change(home, daemon, k):
    home.conf(text(k))
    daemon.wait_value("k", k)


def start(home, *arguments):
    """A client that goes on, with a terminal's signals, whatever started us."""
    errors = open(home.path / "errors", "wb")
    process = subprocess.Popen([CLIENT, *map(str, arguments)], env=home.env, stderr=errors,
                               stdout=subprocess.DEVNULL,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    errors.close()
    return process


def said(home):
    return (home.path / "errors").read_text()


def pending(daemon):
    return [one for one in daemon.status().get("consumers", []) if one.get("pending_since")]


def end(process):
    process.terminate()
    process.wait(10)


def test_dump_writes_what_is_accepted_alone(home, served):
    file = home.path / "out.json"
    assert home.client("dump", "-o", file, "--check", JUDGE).returncode == 0
    before = file.read_bytes()
    change(home, served, 2)
    done = home.client("dump", "-o", file, "--check", JUDGE)
    assert done.returncode == 1 and file.read_bytes() == before
    assert "status 3" in done.stderr and "k must not be 2" in done.stderr
    assert SECRET not in done.stderr and "beside ****" in done.stderr
    change(home, served, 3)
    assert home.client("dump", "-o", file, "--check", JUDGE).returncode == 0
    assert b'"k": 3' in file.read_bytes()


def test_a_dump_kept_current_tells_and_tries_the_next(home, served):
    file = home.path / "out.json"
    dump = start(home, "dump", "-o", file, "--watch", "--check", JUDGE)
    wait_until(lambda: file.exists(), "the first")
    change(home, served, 2)
    [one] = wait_until(lambda: pending(served), "the refusal")
    assert one["how"] == "dump" and "k must not be 2, not beside ****" in one["waiting_for"]
    assert b'"k": 1' in file.read_bytes()
    assert "keeps a file" in home.client("status").stdout
    metrics = home.client("status", "--openmetrics").stdout
    assert any(line.startswith("clearconf_consumer_restart_pending{") and line.endswith(" 1")
               for line in metrics.splitlines())
    change(home, served, 3)
    wait_until(lambda: b'"k": 3' in file.read_bytes(), "the next")
    wait_until(lambda: not pending(served), "nothing to be pending")
    assert SECRET not in said(home)
    end(dump)


def alive(group):
    """Processes of the group, but for those that nobody has buried yet."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(") ")[2].split()[:3]
            found += [stat] if its_group == group and state != "Z" else []
    return found


@pytest.mark.parametrize("command", ["sleep 100", "sleep 100 & sleep 100", "trap '' TERM; sleep 100"])
def test_a_command_that_hangs_is_a_no_and_ends_with_all_it_started(home, served, command):
    file = home.path / "out.json"
    begin = time.monotonic()
    done = home.client("dump", "-o", file, "--check", f"echo $$ > {home.path}/pid; {command}",
                       "--check-timeout", "0.5")
    assert done.returncode == 1 and not file.exists() and time.monotonic() - begin < 30
    assert "takes longer than 0.5 seconds" in done.stderr
    group = (home.path / "pid").read_text().strip()
    wait_until(lambda: not alive(group), "the end of all")


def test_a_command_that_is_killed_is_a_no(home, served):
    done = home.client("dump", "-o", home.path / "out.json", "--check", "kill -9 $$")
    assert done.returncode == 1 and "signal 9" in done.stderr


LONG = "Secret4711" * 60
ONE_LINE = 'tr -d "\\n" < "$1"; exit 1'


@pytest.mark.parametrize("conf, command, secret", [
    (r'agent.git_pass: "s3cr3t\"4711-value"', ONE_LINE, "s3cr3t"),
    (r'agent.git_pass: "of-lines-0815\nthe-second"', "echo the-second; exit 1", "second"),
    ('x: "https://jane:hunter2247@host/x"', "echo hunter2247; exit 1", "hunter"),
    ('x: "https://a:hunter22@h https://b:other4711@h"', "echo hunter22 other4711; exit 1", "2"),
    (f"agent.git_pass: {LONG}", 'echo "bad: $(grep -o "Secret[^\\"]*" "$1")"; exit 1', "Secret"),
    (f"agent.git_pass: {LONG * 10}", ONE_LINE, "ecret47"),
], ids=["quoted", "a line of it", "part of a value", "two parts", "long", "longer than is read"])
def test_a_reason_tells_no_part_of_a_secret(home, daemon, conf, command, secret):
    home.conf(conf + "\n")
    daemon.start()
    done = home.client("dump", "-o", home.path / "out.json", "--check", command)
    told = done.stderr.replace("(status 1)", "")
    assert done.returncode == 1 and "to accept" in told and secret not in told


def test_a_reason_tells_no_key_that_is_a_secret(home, daemon):
    home.conf(f'login.token: {SECRET}\npart {{ "{SECRET}": 1 }}\n')
    daemon.start()
    done = home.client("dump", "part", "-o", home.path / "out.json", "--check", ONE_LINE)
    assert done.returncode == 1 and "****" in done.stderr and SECRET not in done.stderr


def test_its_file_is_private_and_goes(home, served):
    seen = home.path / "seen"
    command = f'stat -c "%a %u" "$1" > {seen}; echo "$1" >> {seen}'
    assert home.client("dump", "-o", home.path / "out.json", "--check", command).returncode == 0
    rights, path = seen.read_text().splitlines()
    assert rights == f"600 {os.getuid()}" and not os.path.exists(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_candidate(home, served, number):
    seen = home.path / "seen"
    dump = start(home, "dump", "-o", home.path / "out.json", "--check", f'echo "$1" > {seen}; sleep 100')
    wait_until(lambda: seen.exists() and seen.read_text(), "the check")
    dump.send_signal(number)
    assert dump.wait(10) == -number
    candidate = pathlib.Path(seen.read_text().strip())
    assert not candidate.exists() or SECRET not in candidate.read_text()


def test_check_needs_a_file(home, served):
    assert home.client("dump", "--check", "true").returncode == 2
    assert home.client("dump", "-o", "x", "--check-timeout", "1").returncode == 2


def running(home):
    """What the command of exec saw at its starts."""
    path = home.path / "starts"
    return path.read_text().split() if path.exists() else []


def run_exec(home, *options):
    shell = f'grep -o "^k *[=:] *[0-9]*" "$CLEARML_CONFIG_FILE" | tr -d " =:k" >> {home.path}/starts; sleep 100'
    return start(home, "exec", *options, "--", "sh", "-c", shell)


def test_exec_leaves_the_command_alone(home, served):
    exec_ = run_exec(home, "--check", JUDGE)
    wait_until(lambda: running(home) == ["1"], "the first start")
    change(home, served, 2)
    [one] = wait_until(lambda: pending(served), "the refusal")
    assert one["how"] == "exec" and "k must not be 2, not beside ****" in one["waiting_for"]
    change(home, served, 3)
    wait_until(lambda: running(home) == ["1", "3"], "the restart")
    wait_until(lambda: not pending(served), "nothing to be pending")
    assert SECRET not in said(home)
    end(exec_)


def test_exec_hears_signals_while_the_check_runs(home, served):
    exec_ = run_exec(home, "--check", f'grep -q "k.*1" "$1" || {{ echo > {home.path}/busy; sleep 100; }}')
    wait_until(lambda: running(home) == ["1"], "the first start")
    change(home, served, 2)
    wait_until(lambda: (home.path / "busy").exists(), "the check")
    exec_.send_signal(signal.SIGTERM)
    assert exec_.wait(10) == 128 + signal.SIGTERM


def test_exec_takes_the_newest_when_it_changes_during_a_check(home, served):
    command = f'grep -q "k.*2" "$1" && sleep 100; exit 0'
    exec_ = run_exec(home, "--check", command)
    wait_until(lambda: running(home) == ["1"], "the first start")
    change(home, served, 2)
    time.sleep(0.3)
    change(home, served, 3)
    wait_until(lambda: running(home) == ["1", "3"], "the restart")
    end(exec_)


def test_exec_does_not_begin_with_what_is_refused(home, served):
    change(home, served, 2)
    done = home.client("exec", "--check", JUDGE, "--", "echo", "ran")
    assert done.returncode == 125 and "ran" not in done.stdout
    assert "k must not be 2" in done.stderr and SECRET not in done.stderr
    assert "nothing is changed: it takes --check to accept" in done.stderr  # nobody waits
