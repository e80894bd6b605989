"""An etcd that sends as fast as it can what means nothing."""

import contextlib
import json
import socket
import threading


class FloodingEtcd:
    """Answers ranges with nothing, and a watch with lines that never end."""

    HEADER = {"cluster_id": "1", "revision": "7"}
    EVENTS = {
        "empty events": [],
        "a key again and again": [{"kv": {"key": "L2NsZWFyY29uZi9zaXRlL2EuY29uZg==", "value": "YTogMQ==",
                                          "mod_revision": "9"}}],
    }

    def __init__(self, kind):
        result = {"header": self.HEADER, "watch_id": "1", "events": self.EVENTS[kind]}
        self.line, self.sent = json.dumps({"result": result}).encode() + b"\n", 0
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
