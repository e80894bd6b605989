"""varlinkctl as systemd 257 has it: the daemon answers it as any other client."""

import json
import shutil
import signal
import subprocess

import pytest
from harness import DEADLINE, ROOT

SOCKET = "/mnt/run/clearconf/clearconf.sock"


@pytest.fixture
def varlinkctl(debian_root, home, daemon):
    """varlinkctl(argument...): the completed process."""
    root = debian_root("trixie", "systemd")
    home.conf("a = 1\nbig = 123456789012345678901234567890\nsdk.x = file\n")
    shutil.copy(ROOT / "include/io.clearconf.varlink", home.path)
    daemon.start()

    def run(*arguments):
        return root.run(home.path, "varlinkctl", *arguments)
    run.command = lambda *arguments: root.command(home.path, "varlinkctl", *arguments)
    return run


def replies(text):
    """The JSON objects of an output, one after the other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    text = text.replace("\x1e", "")
    while at < len(text.rstrip()):
        reply, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
        found.append(reply)
    return found


def test_it_is_the_systemd_we_speak_of(varlinkctl):
    assert varlinkctl("--version").stdout.startswith("systemd 257")


def test_the_interface_is_valid(varlinkctl):
    done = varlinkctl("validate-idl", "/mnt/io.clearconf.varlink")
    assert (done.returncode, done.stderr) == (0, "")


def test_info(varlinkctl):
    done = varlinkctl("info", SOCKET)
    assert done.returncode == 0, done.stderr
    assert "clearconfd" in done.stdout and "io.clearconf" in done.stdout


def test_introspection_tells_every_method(varlinkctl):
    done = varlinkctl("introspect", SOCKET, "io.clearconf")
    assert done.returncode == 0, done.stderr
    for name in ("Get", "Watch", "ResolveStorage", "BrokenConfiguration"):
        assert name in done.stdout
    methods = varlinkctl("list-methods", SOCKET, "io.clearconf")
    assert "io.clearconf.RevokeCredentials" in methods.stdout


def test_a_call(varlinkctl):
    done = varlinkctl("-j", "call", SOCKET, "io.clearconf.Get", '{"path":"sdk"}')
    assert done.returncode == 0, done.stderr
    [reply] = replies(done.stdout)
    assert reply["value"] == {"x": "file"} and reply["state"] == "ready"


def test_an_error_has_our_name(varlinkctl):
    done = varlinkctl("-j", "call", SOCKET, "io.clearconf.Get", '{"path":"sdk.none"}')
    assert done.returncode != 0
    assert "io.clearconf.PathNotFound" in done.stderr


def test_more_follows_changes(varlinkctl, home):
    process = subprocess.Popen(
        varlinkctl.command("-j", "--more", "call", SOCKET, "io.clearconf.Watch",
                           '{"paths":["sdk"],"values":true}'),
        stdout=subprocess.PIPE, text=True)
    try:
        first = json.loads(process.stdout.readline().lstrip("\x1e"))
        assert first["value"] == {"sdk": {"x": "file"}}
        home.conf("a = 1\nsdk.x = new\n")
        second = json.loads(process.stdout.readline().lstrip("\x1e"))
        [change] = second["changes"]
        assert (change["path"], change["old"], change["new"]) == ("sdk.x", "file", "new")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE)
