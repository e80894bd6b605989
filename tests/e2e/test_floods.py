"""A server or an etcd that sends as fast as it can is nobody's business but its own: whoever asks
the socket meanwhile is answered, and no turn of the loop gets long."""

import contextlib
import json
import socket
import threading

import pytest
from clearml_failures import FLOODS, Wire
from harness import FAST, SANITIZED, TURN_MS, wait_until

GETS = 300
MEMORY = 256 << 20


def resident(daemon):
    with open(f"/proc/{daemon.process.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


def is_answered_while(daemon, flooded):
    """Gets are answered while `flooded()` grows."""
    before = wait_until(flooded, "the flood")
    with daemon.connect() as client:
        for _ in range(GETS):
            assert client.call("io.clearconf.Get", path="local")["value"] == 1
    wait_until(lambda: flooded() > before, "more of the flood")
    assert daemon.longest_turn_ms() < TURN_MS
    if not SANITIZED:
        assert resident(daemon) < MEMORY


@pytest.mark.parametrize("kind", FLOODS)
def test_a_server_that_floods_silences_nobody(home, conf, server, daemon, kind):
    home.settings(FAST)
    home.conf(conf("local: 1"))
    daemon.start()
    daemon.wait_state("ready")
    start = Wire.flooded
    server.fail("flood", kind=kind)
    is_answered_while(daemon, lambda: Wire.flooded - start)
    server.clear_failures()
    server.state.set_vaults(["after: 1"])
    daemon.wait_value("after", 1)


class FloodingEtcd:
    """Answers ranges with nothing, and a watch with lines that never end."""

    HEADER = {"cluster_id": "1", "revision": "7"}

    def __init__(self, line):
        self.line, self.sent = json.dumps(line).encode() + b"\n", 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.stopping = False

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.listener.close()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.answer, args=[self.listener.accept()[0]],
                                 daemon=True).start()

    def answer(self, connection):
        with connection, contextlib.suppress(OSError):
            head = connection.recv(65536)
            watches = head.count(b"create_request")
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            if b"/v3/watch" not in head:
                connection.sendall(json.dumps({"header": self.HEADER}).encode())
                return
            for number in range(max(watches, 8)):
                created = {"header": self.HEADER, "watch_id": str(number + 1), "created": True}
                connection.sendall(json.dumps({"result": created}).encode() + b"\n")
            block = self.line * ((1 << 18) // len(self.line) + 1)
            while not self.stopping:
                connection.sendall(block)
                self.sent += len(block)


EVENTS = {
    "empty events": [],
    "a key again and again": [{"kv": {"key": "L2NsZWFyY29uZi9zaXRlL2EuY29uZg==", "value": "YTogMQ==",
                                      "mod_revision": "9"}}],
}


@pytest.mark.parametrize("kind", EVENTS)
def test_an_etcd_that_floods_silences_nobody(home, daemon, kind):
    result = {"header": FloodingEtcd.HEADER, "watch_id": "1", "events": EVENTS[kind]}
    with FloodingEtcd({"result": result}) as etcd:
        home.settings(f"[poll]\ntimeout = 3s\n[site]\netcd = {etcd.url}\nprobe = 1s\n")
        home.conf("local: 1")
        daemon.start()
        is_answered_while(daemon, lambda: etcd.sent)
