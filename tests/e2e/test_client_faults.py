"""The client where something is in its way: full disks, folders of others, trees that
are too large, other processes that look at it."""

import os
import resource
import signal
import socket
import subprocess

import pytest
from harness import CLIENT, wait_until


def test_dump_watch_outlives_a_full_disk(home, daemon):
    """The file stays as it was, and is written once there is room."""
    home.conf("k: old")
    daemon.start()
    path = home.path / "out.json"

    def little_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # write(2) says EFBIG
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    process = subprocess.Popen([CLIENT, "dump", "--watch", "--output", path], env=home.env,
                               stderr=subprocess.PIPE, text=True, preexec_fn=little_room)
    try:
        wait_until(path.exists, "the first file")
        home.conf(f"k: new, long: {'x' * 8192}")
        problem = process.stderr.readline()
        assert "out.json: File too large; it stays as it was" in problem
        assert '"old"' in path.read_text() and os.listdir(home.path).count("out.json") == 1
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_until(lambda: '"new"' in path.read_text(), "the file")
        assert process.poll() is None
    finally:
        process.terminate()
        process.communicate()


def test_a_first_file_that_cannot_be_written_is_a_failure(home, daemon):
    daemon.start()
    for words in ([], ["--watch"]):
        done = home.client("dump", *words, "--output", "/proc/x", check=1)
        assert "cannot write /proc/x" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="a rule for root")
def test_a_folder_of_others_is_named_with_what_to_do(home, daemon):
    (home.path / "a/b/c").mkdir(parents=True)
    (home.path / "a/b").chmod(0o770)
    os.chown(home.path / "a/b", 0, 65533)
    daemon.start()
    done = home.client("dump", "--output", home.path / "a/b/c/x", check=1)
    assert f"{home.path}/a/b may be written to by others: chmod go-w" in done.stderr
    (home.path / "a/b").chmod(0o700)
    os.chown(home.path / "a/b", 65533, 0)
    done = home.client("dump", "--output", home.path / "a/b/c/x", check=1)
    assert f"{home.path}/a/b belongs to somebody else" in done.stderr
    home.client("dump", "--output", home.path / "a/b/c/x", "--owner", "65533:65533", check=0)
    found = (home.path / "a/b/c/x").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (65533, 65533, 0o600)


def test_a_tree_too_large_to_explain_says_what_to_do(home, daemon):
    home.conf("\n".join(f"k{i}: {i}" for i in range(50001)))
    daemon.start()
    done = home.client("explain", check=1)
    assert "name a PATH" in done.stderr
    assert home.client("explain", "k7", check=0).stdout.startswith("k7")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else, and look")
@pytest.mark.parametrize("words, private", [
    (["get"], True), (["dump"], True), (["exec", "true"], True), (["log"], False)], ids=lambda x: str(x))
def test_who_asks_for_secrets_cannot_be_looked_into(strangers, words, private):
    """The kernel says so by giving /proc/PID to root."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(strangers.socket))
    os.chmod(strangers.socket, 0o666)
    listener.listen()
    strangers.client(65533, "--version")  # puts the program where they can run it
    process = strangers._start(65533, [strangers.folder / "clearconf", "--socket", strangers.socket,
                                       "--timeout", "30", *words])
    try:
        peer, _ = listener.accept()  # it waits for an answer now
        assert peer.recv(1)
        assert (os.stat(f"/proc/{process.pid}/mem").st_uid == 0) == private
        peer.close()
    finally:
        process.kill()
        process.communicate()
        listener.close()
