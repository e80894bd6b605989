"""A uid that nobody has been given, without HOME, as containers run programs."""

import os
import signal
import subprocess
import tempfile

import pytest
from harness import CLIENT, DAEMON, wait_until

UID = 4100000

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be any uid")


@pytest.fixture
def folder():
    """Of that uid alone, where it can come to."""
    with tempfile.TemporaryDirectory(prefix="clearconf-bare.", dir="/tmp") as path:
        os.chown(path, UID, UID)
        yield path


def command(*arguments, **env):
    return {"args": [str(each) for each in arguments], "user": UID, "group": UID, "extra_groups": [],
            "env": env, "cwd": "/", "text": True, "stderr": subprocess.PIPE}


def run(*arguments, **env):
    return subprocess.run(**command(*arguments, **env), stdout=subprocess.PIPE, timeout=30)


@pytest.mark.parametrize("given, missing", [
    ([], "with --socket and --state"),
    (["--socket", "/tmp/x/sock"], "with --state"),
    (["--state", "/tmp/x"], "with --socket"),
])
def test_it_says_which_place_is_missing(given, missing):
    done = run(DAEMON, *given)
    assert done.returncode == 1
    assert f"uid {UID} has no home: name where" in done.stderr and missing in done.stderr


def test_a_home_that_it_may_not_write_to_is_no_place():
    done = run(DAEMON, HOME="/")
    assert done.returncode == 1
    assert "socket=/.local/state/clearconf/clearconf.sock" in done.stderr
    assert "name another place with --socket" in done.stderr


def test_print_and_check_need_none(folder):
    path = f"{folder}/clearml.conf"
    with open(path, "w") as file:
        file.write("k: 1")
    done = run(DAEMON, "--print", "--format", "env", CLEARML_CONFIG_FILE=path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "CLEARML_AGENT__K=1\n", "")
    assert run(DAEMON, "--check").returncode == 0
    assert "no file of a user without a home" in run(DAEMON, "--print").stderr


def test_with_both_it_serves(folder):
    path, socket = f"{folder}/clearml.conf", f"{folder}/run/sock"
    with open(path, "w") as file:
        file.write("k: 1")
    with subprocess.Popen(**command(DAEMON, "--socket", socket, "--state", f"{folder}/state",
                                    CLEARML_CONFIG_FILE=path)) as daemon:
        try:
            wait_until(lambda: os.path.exists(socket), "the socket")
            def ask(*what):
                return run(CLIENT, "--socket", socket, *what)
            assert ask("get", "k").stdout == "1\n"
            assert ask("dump", "--format", "hocon", "--output", f"{folder}/out.conf").returncode == 0
            done = ask("exec", "--", "/bin/sh", "-c", "cat $CLEARML_CONFIG_FILE")
            assert done.returncode == 0 and "k = 1" in done.stdout
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.stderr.read()
        assert daemon.wait(timeout=30) == 0
    assert "generation" in os.listdir(f"{folder}/state")
