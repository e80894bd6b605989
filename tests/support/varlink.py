"""A minimal Varlink client for tests: NUL-framed JSON over a Unix socket."""

import json
import socket


class VarlinkError(Exception):
    """An error reply; `name` and `parameters` as they came."""

    def __init__(self, name, parameters):
        super().__init__(f"{name} {parameters}")
        self.name = name
        self.parameters = parameters
        self.tell()

    def tell(self):
        """Replaced by who keeps account of all that is told."""


class Connection:
    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.buffer = b""
        self.calls = []  # methods that are not yet answered

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, method, parameters=None, **flags):
        message = {"method": method, "parameters": parameters or {}, **flags}
        if not flags.get("oneway"):
            self.calls.append(method)
        self.send_raw(json.dumps(message).encode() + b"\0")

    def receive_raw(self):
        """The next message without its NUL; b"" when the peer has closed."""
        while b"\0" not in self.buffer:
            data = self.socket.recv(1 << 16)
            if not data:
                return b""
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return message

    def receive(self):
        """Parameters of the next reply; VarlinkError for an error."""
        raw = self.receive_raw()
        if not raw:
            raise ConnectionError("the daemon closed the connection")
        reply = json.loads(raw)
        if self.calls:
            self.judge(self.calls[0] if reply.get("continues") else self.calls.pop(0), reply)
        if "error" in reply:
            raise VarlinkError(reply["error"], reply.get("parameters"))
        return reply["parameters"]

    def judge(self, method, reply):
        """Replaced by who knows what a reply to this method looks like."""

    def call(self, method, **parameters):
        if "." not in method:
            method = "io.clearconf." + method
        self.send(method, parameters)
        return self.receive()

    def watch(self, **parameters):
        """Start a Watch with more; the first reply."""
        self.send("io.clearconf.Watch", parameters, more=True)
        return self.receive()

    def receive_until(self, wanted):
        """The first reply for which wanted(reply) holds."""
        while True:
            reply = self.receive()
            if wanted(reply):
                return reply

    def changes(self):
        """{path: (kind, new value)} of the next reply that brings changes."""
        reply = self.receive_until(lambda x: x["changes"])
        return {each["path"]: (each["kind"], each.get("new"))
                for each in reply["changes"]}

    def is_closed(self):
        """Wait for the end of the connection; what came before is dropped."""
        try:
            while self.receive_raw():
                pass
        except ConnectionError:
            pass
        return True
