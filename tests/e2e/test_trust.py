"""A configuration can make a program run anything: who serves it is looked at first."""

import contextlib
import os
import socket
import sys

import pytest
from harness import ROOT

sys.path.insert(0, str(ROOT / "client/python"))

import clearml_clearconf as clearconf  # noqa: E402

STRANGER = 12345
NO_DAEMON, FAILED_EXEC = 4, 125


@pytest.fixture
def false_daemon(tmp_path):
    """A socket that another user listens on, where this user looks for its own daemon."""
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    path = tmp_path / "sock"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        os.seteuid(STRANGER)
        try:
            listener.listen()
        finally:
            os.seteuid(0)
        yield path, listener


@pytest.mark.parametrize("words, status", [
    (["get"], NO_DAEMON), (["watch"], NO_DAEMON), (["dump"], NO_DAEMON),
    (["status"], NO_DAEMON), (["exec", "true"], FAILED_EXEC)])
def test_another_users_daemon_is_told_nothing_and_obeyed_in_nothing(home, false_daemon, words,
                                                                   status):
    path, listener = false_daemon
    done = home.client("--socket", path, *words, check=status)
    assert f"the socket {path} is served by uid {STRANGER}" in done.stderr
    assert "--any-server" in done.stderr or words[0] == "exec"
    with listener.accept()[0] as connection:
        assert connection.recv(100) == b""


def test_a_test_may_trust_anybody(home, false_daemon):
    path, listener = false_daemon
    listener.setblocking(False)
    done = home.client("--socket", path, "--any-server", "--timeout", "0.2", "get", check=1)
    assert "served by" not in done.stderr
    with listener.accept()[0] as connection:
        assert b"io.clearconf.Get" in connection.recv(10000)


def test_the_python_client_looks_too(false_daemon):
    path, listener = false_daemon
    with pytest.raises(clearconf.NoDaemon, match=f"is served by uid {STRANGER}"):
        clearconf.Client(socket=str(path)).get()
    with pytest.raises(clearconf.NoDaemon, match=f"is served by uid {STRANGER}"):
        next(clearconf.Client(socket=str(path)).watch())
    for _ in range(2):
        with listener.accept()[0] as connection:
            assert connection.recv(100) == b""
    with pytest.raises(clearconf.TimedOut):
        clearconf.Client(socket=str(path), timeout=0.2, any_server=True).get()
