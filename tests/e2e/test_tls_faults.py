"""TLS that goes wrong in the handshake or behind it: the daemon says so, serves what it has, and
is back when the server is."""

import contextlib
import random
import socket
import struct
import threading
import time

import pytest
from clearml_server import SECRET_KEY
from harness import FAST, SANITIZED, TURN_MS, wait_until
from test_http_client import certificate, conf_for, needs_openssl, secure  # noqa: F401

ALERT = b"\x15\x03\x03\x00\x02\x02\x28"  # fatal: handshake failure
RECORD = b"\x16\x03\x03\x40\x00" + bytes(0x4000)  # of a handshake, without sense
HANDSHAKE_OVER = 4000  # bytes: no handshake of the stand-in's is as long
BIG = random.Random(1).randbytes(50_000).hex()  # nothing to compress


def passing(*, upto=None, then):
    """Pass the server's bytes on, `upto` so many, and do `then`."""
    def fault(client, server):
        left = upto
        while left and (data := server.recv(min(left, 1 << 16))):
            client.sendall(data)
            left -= len(data)
        then(client, server)
    return fault


def cut(client, _):
    client.shutdown(socket.SHUT_RDWR)


def reset(client, _):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def stall(client, _):
    client.settimeout(20)
    client.recv(1)  # until the daemon has had enough: it has said all it will


def saying(data, times=1):
    def say(client, _):
        for _ in range(times):
            client.sendall(data)
        stall(client, _)
    return say


def garble(client, server):
    """Every byte is another: no record is whole."""
    while data := server.recv(1 << 16):
        client.sendall(bytes(byte ^ 0x55 for byte in data))


def dribble(client, server):
    while data := server.recv(1):
        client.sendall(data)
        time.sleep(0.02)


FAULTS = {
    "cut at once": passing(then=cut), "reset at once": passing(then=reset),
    "stalled at once": passing(then=stall),
    "cut in the hello": passing(upto=40, then=cut), "reset in the hello": passing(upto=40, then=reset),
    "stalled in the hello": passing(upto=40, then=stall),
    "cut in the certificate": passing(upto=300, then=cut),
    "stalled in the certificate": passing(upto=300, then=stall),
    "no TLS": passing(then=saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    "nonsense": passing(then=saying(b"\xff\x00nonsense" * 100)),
    "an alert": passing(then=saying(ALERT)),
    "an alert in the handshake": passing(upto=40, then=saying(ALERT)),
    "records without sense": passing(then=saying(RECORD, 64)),
    "garbled at once": passing(then=garble), "garbled later": passing(upto=200, then=garble),
    "slower than anybody waits": passing(then=dribble),
    "cut behind the handshake": passing(upto=HANDSHAKE_OVER, then=cut),
    "stalled behind the handshake": passing(upto=HANDSHAKE_OVER, then=stall),
    "garbled behind the handshake": passing(upto=HANDSHAKE_OVER, then=garble),
}


class Between:
    """Stands between the daemon and its server, and does `fault` to what the server says."""

    whole = staticmethod(passing(upto=1 << 40, then=cut))

    def __init__(self, port):
        self.port, self.fault, self.faults, self.lines = port, self.whole, 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.answer, args=[self.listener.accept()[0]],
                                 daemon=True).start()

    def answer(self, client):
        with contextlib.suppress(OSError), client, \
                socket.create_connection(("127.0.0.1", self.port)) as server:
            self.lines += [client, server]
            threading.Thread(target=self.pump, args=(client, server), daemon=True).start()
            self.faults += self.fault is not self.whole
            self.fault(client, server)

    @staticmethod
    def pump(client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                server.sendall(data)

    def be(self, fault):
        """From now on, and for those who are connected."""
        self.fault = fault
        for line in self.lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self.lines.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.be(self.whole)
        self.thread.join()


@needs_openssl
@pytest.mark.parametrize("name", FAULTS)
def test_what_goes_wrong_is_told_and_over_when_it_is(home, daemon, secure, certificate, name):  # noqa: F811
    secure.state.set_vaults([f"team.name: reindeer\nbig: {BIG}"])
    with Between(secure.port) as between:
        home.settings(FAST.replace("timeout = 10s", "timeout = 1s"))
        home.conf(conf_for(between.url, f"api.verify_certificate: \"{certificate[0]}\"\nlocal: 1"))
        daemon.start()
        daemon.wait_value("team.name", "reindeer")
        between.be(FAULTS[name])
        daemon.wait_state("offline")
        wait_until(lambda: between.faults > 2, "it to try again")
        error = daemon.last_error()
        assert error and SECRET_KEY not in error and "\n" not in error
        assert daemon.get("local") == 1 and daemon.get("team.name") == "reindeer"
        between.be(between.whole)
        secure.state.set_vaults(["team.name: back"])
        daemon.wait_value("team.name", "back")
        daemon.wait_state("ready")
    assert SANITIZED or daemon.longest_turn_ms() < TURN_MS
