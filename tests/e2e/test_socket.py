"""The Varlink socket: what is asked well, badly, slowly, by strangers, and by
clients that die."""

import json
import os
import shutil
import signal
import socket
import sys

import pytest
from harness import ROOT, Daemon, wait_until
from varlink import VarlinkError

SERVICE = "org.varlink.service."


@pytest.fixture
def running(home, daemon):
    home.conf("k: 1\nsub { a: x, list: [1, 2, { deep: yes }] }\n\"a.b\": quoted")
    return daemon.start()


@pytest.fixture
def line(running):
    """A connection to it."""
    with running.connect() as connection:
        yield connection


def error_of(line, method, parameters=None, **flags):
    """(short name of the error, its parameters) of a call."""
    if "." not in method:
        method = "io.clearconf." + method
    line.send(method, parameters, **flags)
    with pytest.raises(VarlinkError) as caught:
        line.receive()
    return caught.value.name.rpartition(".")[2], caught.value.parameters


# --- introspection ---


def test_get_info_lists_the_interfaces(line):
    info = line.call(SERVICE + "GetInfo")
    assert info["interfaces"] == ["org.varlink.service", "io.clearconf"]
    assert set(info) == {"vendor", "product", "version", "url", "interfaces"}


def test_the_description_is_the_interface_file(line):
    text = line.call(SERVICE + "GetInterfaceDescription", interface="io.clearconf")
    assert text["description"] == (ROOT / "include/io.clearconf.varlink").read_text()


def test_every_interface_describes_itself(line):
    for name in line.call(SERVICE + "GetInfo")["interfaces"]:
        text = line.call(SERVICE + "GetInterfaceDescription", interface=name)["description"]
        assert f"\ninterface {name}\n" in "\n" + text


# --- standard errors ---


def test_what_is_unknown_is_named_in_the_error(line):
    assert error_of(line, "com.example.Ping") == ("InterfaceNotFound", {"interface": "com.example"})
    assert error_of(line, "Frobnicate") == ("MethodNotFound", {"method": "io.clearconf.Frobnicate"})
    assert error_of(line, SERVICE + "Frobnicate") \
        == ("MethodNotFound", {"method": SERVICE + "Frobnicate"})
    assert error_of(line, SERVICE + "GetInterfaceDescription", {"interface": "com.example"}) \
        == ("InterfaceNotFound", {"interface": "com.example"})
    assert line.call("Get", path="k")["value"] == 1


@pytest.mark.parametrize("method, parameters, wrong", [
    ("Get", {"paht": "k"}, "paht"),
    ("Get", {"path": 1}, "path"),
    ("Get", {"path": ["k"]}, "path"),
    ("Get", {"mask": "no"}, "mask"),
    ("Get", {"environment": {"A": 1}}, "environment"),
    ("Get", {"environment": ["A=1"]}, "environment"),
    ("Get", {"environment": {"A=B": "1"}}, "environment"),
    ("Watch", {"paths": "k"}, "paths"),
    ("Watch", {"paths": [1]}, "paths"),
    ("Watch", {"since": "1"}, "since"),
    ("Watch", {"since": 1.5}, "since"),
    ("Watch", {"since": -1}, "since"),
    ("GetStatus", {"path": "k"}, "path"),
    (SERVICE + "GetInfo", {"path": "k"}, "path"),
    (SERVICE + "GetInterfaceDescription", {}, "interface"),
])
def test_a_wrong_parameter_is_named(line, method, parameters, wrong):
    assert error_of(line, method, parameters) == ("InvalidParameter", {"parameter": wrong})


def test_null_is_as_good_as_absent(line):
    assert line.call("Get", path=None, workspace=None, mask=None)["value"]["k"] == 1


def test_an_upgrade_is_refused(line):
    assert error_of(line, "Get", upgrade=True)[0] == "InvalidParameter"


@pytest.mark.parametrize("path, offset", [("a..b", 2), (".a", 0), ("a.", 2), ('"open', 5),
                                          ("a b\x01", 3)])
def test_an_invalid_path_says_where(line, path, offset):
    name, parameters = error_of(line, "Get", {"path": path})
    assert name == "InvalidPath" and parameters["path"] == path and parameters["reason"]
    assert parameters["offset"] == offset


def test_paths_reach_lists_and_quoted_keys(line):
    assert line.call("Get", path="sub.list.2.deep")["value"] == "yes"
    assert line.call("Get", path='"a.b"')["value"] == "quoted"
    for path in ("sub.list.3", "nowhere", "k.x", "a.b"):
        assert error_of(line, "Get", {"path": path}) == ("PathNotFound", {"path": path})


MALFORMED = [b"", b"{", b"not json", b"[]", b"42", b'"text"', b"null", b"{}",
             b'{"method": 5}', b'{"method": "io.clearconf.Get", "parameters": []}',
             b'{"method": "io.clearconf.Get", "more": "yes"}',
             b'{"method": "io.clearconf.Get", "method": "io.clearconf.Get"}',
             b'{"method": "Get"}', b'{"method": ""}', b'{"method": "."}',
             b'{"method": "io.clearconf.Get"} trailing',
             b'\xff\xfe{"method": "io.clearconf.Get"}',
             b'{"method": "io.clearconf.Get", "parameters": {"path": "\xff"}}',
             b"[" * 5000, b'{"a":' * 5000]


@pytest.mark.parametrize("message", MALFORMED, ids=lambda m: m[:30].decode("latin-1"))
def test_a_malformed_message_is_answered_by_an_error_and_harms_nobody(running, message):
    with running.connect() as line, running.connect() as other:
        line.send_raw(message + b"\0")
        reply = json.loads(line.receive_raw())
        assert reply["error"].startswith("org.varlink.service.")
        assert other.call("Get", path="k")["value"] == 1


def test_a_message_over_the_limit_is_refused_before_it_is_whole(home, daemon):
    home.settings("[limits]\nmessage = 64K\n")
    home.conf("k: 1")
    daemon.start()
    with daemon.connect() as line, daemon.connect() as other:
        line.send_raw(b'{"method": "' + b"x" * 70000)
        reply = json.loads(line.receive_raw())
        assert reply["error"] == SERVICE + "InvalidParameter"
        assert line.is_closed()
        assert other.call("Get", path="k")["value"] == 1


def test_a_message_at_the_limit_is_taken(home, daemon):
    home.settings("[limits]\nmessage = 4K\n")
    home.conf("k: 1")
    daemon.start()
    text = b'{"method": "io.clearconf.Get", "parameters": {"path": "k"}}'
    with daemon.connect() as line:
        line.send_raw(text + b" " * (4096 - len(text)) + b"\0")
        assert line.receive()["value"] == 1


# --- framing ---


def test_a_request_that_comes_a_byte_at_a_time_is_answered(line):
    for byte in b'{"method":"io.clearconf.Get","parameters":{"path":"k"}}\0':
        line.send_raw(bytes([byte]))
    assert line.receive()["value"] == 1


def test_pipelined_calls_are_answered_in_order(line):
    calls = ["k", "sub.a", "nowhere", "sub.list.0", "k"] * 200
    text = b"".join(json.dumps({"method": "io.clearconf.Get", "parameters": {"path": path}}).encode()
                    + b"\0" for path in calls)
    line.send_raw(text)
    answers = {"k": 1, "sub.a": "x", "sub.list.0": 1}
    for path in calls:
        reply = json.loads(line.receive_raw())
        if path == "nowhere":
            assert reply["error"] == "io.clearconf.PathNotFound"
        else:
            assert reply["parameters"]["value"] == answers[path]


def test_a_oneway_call_gets_no_reply(line):
    line.send("io.clearconf.Get", {"path": "k"}, oneway=True)
    line.send("io.clearconf.Nonsense", oneway=True)
    assert line.call("Get", path="sub.a")["value"] == "x"


def test_a_call_behind_a_watch_waits_and_another_connection_does_not(running, line):
    line.watch()
    line.send("io.clearconf.Get", {"path": "k"})
    assert running.get("k") == 1
    running.home.conf("k: 2")
    assert "changes" in line.receive(), "the Get behind the Watch was answered"


def test_unknown_fields_of_the_protocol_are_left_to_its_later_versions(line):
    line.send("io.clearconf.Get", {"path": "k"}, future=True)
    assert line.receive()["value"] == 1


# --- clients that die ---


def test_a_client_that_dies_amid_a_message_harms_nobody(running):
    with running.connect() as line:
        line.send_raw(b'{"method": "io.clearconf.G')
    wait_until(lambda: running.status()["connections"] == 1, "the connection to be gone")
    assert running.get("k") == 1


def test_a_client_that_dies_while_it_watches_is_forgotten(running):
    watchers = [running.connect() for _ in range(20)]
    for watcher in watchers:
        watcher.watch()
    assert running.status()["watchers"] == 20
    for watcher in watchers[:10]:
        watcher.close()
    wait_until(lambda: running.status()["watchers"] == 10, "ten watchers to be gone")
    running.home.conf("k: 2")
    for watcher in watchers[10:]:
        assert [x["path"] for x in watcher.receive()["changes"]]
        watcher.close()


def test_a_client_that_never_reads_its_answers_harms_nobody(running):
    running.home.conf("big: \"" + "x" * 200_000 + "\"")
    running.wait_value("k", None)
    with running.connect() as deaf:
        for _ in range(50):
            deaf.send("io.clearconf.Get")
        assert len(running.get("big")) == 200_000
    wait_until(lambda: running.status()["connections"] == 1, "the connection to be gone")


def test_a_client_that_says_no_more_still_gets_its_answers(line):
    line.send("io.clearconf.Get", {"path": "k"})
    line.socket.shutdown(socket.SHUT_WR)
    assert line.receive()["value"] == 1


def test_connections_per_user_are_limited_and_come_back(home, daemon):
    home.settings("[limits]\nconnections_per_user = 3\n")
    daemon.start()
    lines = []
    wait_until(lambda: daemon.status()["connections"] == 1, "earlier ones to be gone")
    for _ in range(3):
        lines.append(daemon.connect())
        lines[-1].call("Get")
    with daemon.connect() as one_too_many:
        with pytest.raises(VarlinkError, match="QuotaExceeded"):
            one_too_many.receive()
        assert one_too_many.is_closed()
    lines[0].close()
    lines[1].close()
    wait_until(lambda: lines[2].call("GetStatus")["status"]["connections"] == 1,
               "two connections to be gone")
    assert daemon.get() == {}
    lines[2].close()


def test_watchers_per_user_are_limited(home, daemon):
    home.settings("[limits]\nwatchers_per_user = 1\n")
    daemon.start()
    with daemon.connect() as one, daemon.connect() as two:
        one.watch()
        with pytest.raises(VarlinkError, match="QuotaExceeded"):
            two.watch()
        assert two.call("Get")["value"] == {}


# --- the socket itself ---


def test_a_second_daemon_on_the_same_socket_is_refused(running):
    done = running.home.daemon()
    assert done.returncode == 1 and str(running.home.socket) in done.stderr
    assert running.get("k") == 1 and running.home.socket.exists()


def test_a_stale_socket_is_replaced(home, daemon):
    daemon.start()
    daemon.stop(signal.SIGKILL)
    assert home.socket.is_socket()
    daemon.start()
    assert daemon.get() == {}


def test_a_socket_that_somebody_else_serves_is_left_alone(home):
    home.socket.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(home.socket))
        other.listen()
        assert home.daemon().returncode == 1
        assert home.socket.is_socket()


def test_a_file_in_the_sockets_place_is_left_alone(home):
    home.write("run/clearconf/clearconf.sock", "precious")
    assert home.daemon().returncode == 1
    assert home.socket.read_text() == "precious"


def test_the_socket_is_removed_at_the_end(running):
    assert running.stop() == 0
    assert not running.home.socket.exists()


def test_a_socket_that_is_not_its_own_any_more_is_not_removed(running):
    running.home.socket.unlink()
    running.home.socket.write_text("another's")
    assert running.stop() == 0
    assert running.home.socket.read_text() == "another's"


def test_a_path_that_is_too_long_is_refused(home):
    done = home.daemon("--socket", home.path / ("x" * 120))
    assert done.returncode == 1 and "x" * 120 in done.stderr
    assert "107 bytes at most" in done.stderr and "[daemon] socket" in done.stderr


def test_a_client_names_the_long_path_that_it_tried(home):
    path = "/" + "x" * 120
    done = home.client("--socket", path, "get", check=4)
    assert path in done.stderr and "107 bytes" in done.stderr and "--socket" in done.stderr


@pytest.mark.parametrize("remove", [lambda sock: sock.unlink(),
                                    lambda sock: shutil.rmtree(sock.parent)])
def test_a_socket_that_was_removed_is_made_again(running, remove):
    sock = running.home.socket
    with running.connect() as before:
        for _ in range(3):
            remove(sock)
            wait_until(lambda: sock.is_socket() and running.answers(), "the socket")
            assert sock.stat().st_mode & 0o777 == 0o666
            assert running.home.daemon().returncode == 1  # it is still one daemon's
        assert before.call("io.clearconf.Get", path="k")["value"] == 1
    assert "socket-made-again" in running.log()


def test_another_daemon_that_took_the_place_keeps_it(running, home):
    home.socket.unlink()
    home.socket.with_name("clearconf.sock.lock").unlink()
    with Daemon(home) as other:
        wait_until(lambda: "another clearconfd answers there" in running.log(), "its log")
        assert other.answers()
        running.stop()
        assert other.answers() and home.socket.is_socket()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_folder_of_another_users_is_refused(home):
    folder = home.path / "theirs"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    done = home.daemon("--socket", folder / "sock")
    assert done.returncode == 1 and f"{folder} belongs to somebody else" in done.stderr
    assert not (folder / "sock").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_asked_and_tells_watchers_by_hanging_up(running, number):
    with running.connect() as watcher, running.connect() as idle:
        watcher.watch()
        idle.call("Get")
        assert running.stop(number) == 0
        assert watcher.is_closed() and idle.is_closed()


def test_answers_in_flight_are_finished_at_the_end(running):
    running.home.conf("big: \"" + "x" * 3_000_000 + "\"")
    running.wait_value("k", None)
    with running.connect() as line:
        line.send("io.clearconf.Get", {"path": "big"})
        line.socket.recv(1, socket.MSG_PEEK)
        running.process.send_signal(signal.SIGTERM)
        assert len(line.receive()["value"]) == 3_000_000
    assert running.process.wait(30) == 0


PASS_ON = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_passed_socket_is_served(home):
    """Socket activation: LISTEN_FDS, as systemd does it."""
    home.conf("k: 1")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home.path / "passed"))
        listener.listen()
        daemon = Daemon(home)
        daemon.socket = home.path / "passed"
        daemon.spawn([sys.executable, "-c", PASS_ON, str(listener.fileno())],
                     pass_fds=[listener.fileno()])
        wait_until(daemon.answers, "the socket to answer")
        assert daemon.get("k") == 1 and not home.socket.exists()
        assert daemon.stop() == 0
        assert daemon.socket.exists(), "it is not ours to remove"


# --- rights ---

SECRET = "a-secret-that-nobody-sees"
PRIVATE = f"api.credentials {{ access_key: KEY, secret_key: \"{SECRET}\" }}\nplain: 1\n" \
          f"quoted: \"before {SECRET} after\"\nurl: \"https://me:pass12@host/x\""


@pytest.fixture
def among_strangers(home, strangers):
    """A daemon that others can reach, with these settings."""
    home.conf(PRIVATE)
    started = []

    def start(settings=""):
        home.settings(settings)
        started.append(Daemon(home, "--socket", strangers.socket).start())
        return started[0]
    yield start
    for daemon in started:
        daemon.__exit__(None)


@pytest.mark.parametrize("method", ["Get", "Watch", "GetStatus", "Nonsense"])
def test_a_stranger_may_not_read(among_strangers, strangers, method):
    among_strangers()
    with pytest.raises(VarlinkError) as caught:
        strangers.call(65533, method)
    assert caught.value.name == "io.clearconf.AccessDenied"
    assert caught.value.parameters == {"right": "read"}


def test_a_stranger_may_still_ask_what_this_is(among_strangers, strangers):
    among_strangers()
    assert strangers.call(65533, SERVICE + "GetInfo")["product"] == "clearconfd"
    assert strangers.call(65533, SERVICE + "GetInterfaceDescription", interface="io.clearconf")


def test_who_may_read_sees_masks(among_strangers, strangers):
    among_strangers("[access]\nread = 65533\n")
    reply = strangers.call(65533, "Get")
    assert reply["masked"] is True and reply["value"]["plain"] == 1
    assert reply["value"]["api"]["credentials"] == {"access_key": "****", "secret_key": "****"}
    assert reply["value"]["quoted"] == "before **** after"
    assert "pass12" not in reply["value"]["url"]
    assert SECRET not in str(strangers.call(65533, "GetStatus"))


def test_who_may_read_is_denied_real_values(among_strangers, strangers):
    among_strangers("[access]\nread = 65533\n")
    for method, parameters in (("Get", {"mask": False}), ("Watch", {"reveal": True})):
        with pytest.raises(VarlinkError) as caught:
            strangers.call(65533, method, **parameters)
        assert caught.value.name == "io.clearconf.AccessDenied"
        assert caught.value.parameters == {"right": "secrets"}


def test_who_has_secrets_without_read_has_nothing(among_strangers, strangers):
    among_strangers("[access]\nsecrets = 65533\n")
    with pytest.raises(VarlinkError, match="AccessDenied"):
        strangers.call(65533, "Get")


def test_who_has_both_sees_real_values(among_strangers, strangers):
    among_strangers("[access]\nread = group:65533\nsecrets = 65533\n")
    reply = strangers.call(65533, "Get")
    assert reply["masked"] is False
    assert reply["value"]["api"]["credentials"]["secret_key"] == SECRET


def test_everybody_includes_strangers_but_no_overflow_uid(among_strangers, strangers):
    among_strangers("[access]\nread = *\n")
    assert strangers.call(65533, "Get")["value"]["plain"] == 1
    with pytest.raises(VarlinkError, match="AccessDenied"):
        strangers.call(65534, SERVICE + "GetInfo")


def test_a_watcher_without_secrets_hears_of_a_secret_that_changes_but_not_what(
        among_strangers, strangers, home):
    among_strangers("[access]\nread = 65533\n")
    theirs = strangers.send(65533, "Watch", {"values": True}, more=True)
    assert SECRET not in theirs.stdout.readline()
    home.conf(PRIVATE.replace(SECRET, "another-secret-entirely"))
    changes = strangers.understand(theirs.stdout.readline())["changes"]
    theirs.terminate()
    theirs.communicate()
    key = next(x for x in changes if x["path"] == "api.credentials.secret_key")
    assert (key["kind"], key["old"], key["new"]) == ("changed", "****", "****")
    assert SECRET not in str(changes) and "another-secret" not in str(changes)


def test_the_rights_of_a_workspace_replace_the_general_ones(among_strangers, strangers, home):
    home.write("config/clearconf/secret", "x" * 20)
    among_strangers("[access]\nread = 65533\n[workspace open]\napi_server = http://127.0.0.1:9\n"
                    "[workspace closed]\napi_server = http://127.0.0.1:9\nread = 65532\n")
    assert strangers.call(65533, "Get", workspace="open")["value"]["plain"] == 1
    with pytest.raises(VarlinkError, match="AccessDenied"):
        strangers.call(65533, "Get", workspace="closed")
    assert strangers.call(65532, "Get", workspace="closed")["value"]["plain"] == 1


def test_an_unknown_name_grants_nothing_and_is_a_warning(among_strangers, strangers):
    daemon = among_strangers("[access]\nread = nobody-of-that-name 65533\n")
    assert strangers.call(65533, "Get")["value"]["plain"] == 1
    assert "nobody-of-that-name" in daemon.log()
