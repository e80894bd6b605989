"""What can go wrong between a client and the ClearML server, as a table of named functions.

Each takes a Wire and its own options; it decides what the client gets in place of the answer, or
whether the call runs at all. Add one by decorating it with @failure.
"""

import dataclasses
import functools
import gzip
import inspect
import itertools
import json
import select
import socket
import struct
import threading
import time
import zlib

import clearml_api
from clearml_message import Answer

FAILURES = {}                # name -> function
_BLOCK = b"A" * (1 << 20)


def _flushed(deflate, data):
    return deflate.compress(data) + deflate.flush(zlib.Z_FULL_FLUSH)


class Wire:
    """One request and its connection, as failures see them."""

    flooded = 0  # bytes, by all floods

    def __init__(self, state, request, connection, stopping):
        self.state, self.request = state, request
        self.connection, self.stopping = connection, stopping

    def answer(self):
        """Run the call; its Answer, ready to be sent."""
        return clearml_api.answer(self.state, self.request).compressed_for(self.request)

    def rendered(self, answer, length=None):
        """(head, body) bytes; length as in Answer.render. HEAD gets no body."""
        head, body = answer.render(self.state.now(), length)
        return head, b"" if self.request.method == "HEAD" else body

    def send(self, data):
        """Send bytes as they are."""
        self.connection.sendall(data)

    def reply(self, answer):
        """Send a whole answer."""
        self.request.status = answer.status
        self.send(b"".join(self.rendered(answer)))

    def wait(self, seconds):
        """Sleep; False if meanwhile the client went away or the server stops."""
        end = time.monotonic() + seconds
        while not self.stopping.is_set() and not self._closed_by_peer():
            rest = end - time.monotonic()
            if rest <= 0:
                return True
            self.stopping.wait(min(rest, 0.05))
        return False

    def reset(self):
        """Make the coming close a TCP reset."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def _closed_by_peer(self):
        if not select.select([self.connection], [], [], 0)[0]:
            return False
        try:
            return not self.connection.recv(1 << 16)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True


def failure(function):
    """Enter a function into the table under its name."""
    FAILURES[function.__name__] = function
    return function


# -- answers that are whole ---------------------------------------------------------------------

@failure
def envelope(wire, code=500, subcode=0, msg="General error", headers=None, stack=None):
    """An error envelope with this HTTP status, subcode and message; the call does not run."""
    answer = clearml_api.envelope(wire.state, wire.request, code, subcode, msg, {}, stack)
    answer.headers += list((headers or {}).items())
    wire.reply(answer)


@failure
def data(wire, data=None):
    """A success envelope with this data, such as {} on auth.login or null; the call does not run."""
    wire.reply(clearml_api.envelope(wire.state, wire.request, 200, 0, "OK", data))


@failure
def page(wire, status=502, body="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html",
         headers=None):
    """A body without an envelope (HTML, text, anything) with this status and these headers."""
    body = body if isinstance(body, bytes) else body.encode()
    wire.reply(Answer(status, body, content_type, list((headers or {}).items())))


@failure
def no_monitoring(wire):
    """A bad gateway for whoever asks for monitoring vaults; the call itself for others."""
    if ("types", "monitoring") in wire.request.query:
        page(wire)
    else:
        wire.reply(wire.answer())


def _vaults_of(wire, *types):
    query = "".join(f"&types={kind}&types={kind}" for kind in types)
    target = f"/users.get_vaults?enabled=true{query}"
    return clearml_api.answer(wire.state, dataclasses.replace(wire.request, target=target))


def _vaults_without_types(wire):
    answer = clearml_api.answer(wire.state, wire.request)
    content = json.loads(answer.body)
    for vault in content["data"]["vaults"]:
        del vault["type"]
    return dataclasses.replace(answer, body=json.dumps(content).encode())


MIXED = {  # what a server may make of a question for vaults of two types
    "first": lambda wire, first, last: _vaults_of(wire, first),
    "last": lambda wire, first, last: _vaults_of(wire, last),
    "config": lambda wire, *types: _vaults_of(wire, "config"),
    "any type": lambda wire, *types: _vaults_of(wire),
    "no types": lambda wire, *types: _vaults_without_types(wire),
    "error": lambda wire, *types: clearml_api.envelope(
        wire.state, wire.request, 400, 12, "Validation error", {}),
}


@failure
def mixed_types(wire, brings):
    """One of MIXED for whoever asks for vaults of two types; the call itself for others."""
    types = [value for key, value in wire.request.query if key == "types"]
    mixed = len(set(types)) == 2
    wire.reply(MIXED[brings](wire, *types) if mixed else wire.answer())


@failure
def redirect(wire, status=302, location="/auth.login"):
    """A redirection."""
    wire.reply(Answer(status, b"", "text/html", [("Location", location)]))


@failure
def huge(wire, size=80 << 20):
    """A success envelope whose data holds a text of size bytes, plain."""
    before, after = _around(wire)
    wire.send(_head(wire, len(before) + size + len(after)) + before)
    for start in range(0, size, len(_BLOCK)):
        wire.send(_BLOCK[:size - start])
    wire.send(after)


@failure
def gzip_bomb(wire, size=256 << 20):
    """The same, gzipped: about a thousandth of size on the wire (size in whole MiB)."""
    body = _bomb(*_around(wire), size // len(_BLOCK))
    wire.send(_head(wire, len(body), ("Content-Encoding", "gzip")) + body)


FLOODS = {  # what begins the answer, and what follows again and again
    "chunk extensions": (b"Transfer-Encoding: chunked\r\n\r\n1", b";" + b"x" * 1023),
    "trailers": (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: " + b"x" * 99 + b"\r\n"),
    "head lines": (b"", b"X-Line: " + b"x" * 99 + b"\r\n"),
    "interim answers": (b"Date: now\r\n\r\n", b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"),
    "body": (b"\r\n", b"[0,0,0,0]," * 100),
    "small chunks": (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 100),
    "deflated blanks": (b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\2\xff",
                        _flushed(zlib.compressobj(9, zlib.DEFLATED, -15), b" " * (1 << 20))),
}


@failure
def flood(wire, kind):
    """An answer that never ends, as fast as it is taken; the Wire's class counts what was sent."""
    head, block = FLOODS[kind]
    status = b"100 Continue" if kind == "interim answers" else b"200 OK"
    block *= (1 << 18) // len(block) + 1
    wire.send(b"HTTP/1.1 " + status + b"\r\n" + head)
    while not wire.stopping.is_set():
        wire.send(block)
        Wire.flooded += len(block)


# -- answers that are broken --------------------------------------------------------------------

@failure
def half(wire, fraction=0.5, reset=False):
    """The call runs, its Content-Length promises the whole body, a part comes, then the end or reset."""
    head, body = wire.rendered(wire.answer())
    wire.send(head + body[:int(len(body) * fraction)])
    if reset:
        wire.reset()


@failure
def half_chunk(wire):
    """The call runs, its body is one chunk, of which half comes."""
    answer = wire.answer()
    answer.headers.append(("Transfer-Encoding", "chunked"))
    head, body = wire.rendered(answer, length=False)
    wire.send(head + b"%x\r\n" % len(body) + body[:len(body) // 2])


@failure
def bad_chunk(wire):
    """The call runs, its body is chunked and the second chunk's size is no number."""
    answer = wire.answer()
    answer.headers.append(("Transfer-Encoding", "chunked"))
    head, body = wire.rendered(answer, length=False)
    first = body[:len(body) // 2]
    wire.send(head + b"%x\r\n%s\r\nnot-a-size\r\n" % (len(first), first) + body[len(first):])


@failure
def bad_gzip(wire):
    """A body that says it is gzip and is not."""
    body = b"\x1f\x8b\x08\x00" + b"this is not deflate " * 20
    wire.send(_head(wire, len(body), ("Content-Encoding", "gzip")) + body)


@failure
def cut_gzip(wire, fraction=0.5):
    """The call runs; its gzip stream ends early though the length is right."""
    answer = clearml_api.answer(wire.state, wire.request)
    body = gzip.compress(answer.body)
    body = body[:int(len(body) * fraction)]
    wire.send(_head(wire, len(body), ("Content-Encoding", "gzip")) + body)


@failure
def raw(wire, data="", encoding="latin-1"):
    """These bytes (a text is encoded as latin-1) in place of any HTTP."""
    wire.send(data if isinstance(data, bytes) else data.encode(encoding))


# -- connections that misbehave -----------------------------------------------------------------

@failure
def drop(wire, reset=False):
    """Close, or with reset abort, the connection before any answer; the call does not run."""
    if reset:
        wire.reset()


@failure
def hang(wire, seconds=60.0):
    """Nothing at all for so many seconds, then close; the call does not run."""
    wire.wait(seconds)


@failure
def delay(wire, seconds=1.0):
    """The proper answer, later; the call runs after the wait."""
    if wire.wait(seconds):
        wire.reply(wire.answer())


@failure
def late(wire, seconds=1.0):
    """The proper answer, later; the call runs before the wait."""
    answer = wire.answer()
    if wire.wait(seconds):
        wire.reply(answer)


@failure
def slow(wire, interval=0.5, head=False):
    """The call runs; its body (with head: all of it) comes one byte every interval seconds."""
    start, body = wire.rendered(wire.answer())
    if head:
        start, body = b"", start + body
    wire.send(start)
    for byte in body:
        wire.send(bytes([byte]))
        if not wire.wait(interval):
            return


# -- helpers ------------------------------------------------------------------------------------

def _head(wire, length, *headers):
    return Answer(200, b"", headers=list(headers)).render(wire.state.now(), length)[0]


def _around(wire):
    """The two ends of a success envelope around the text that is its data's only member."""
    whole = clearml_api.envelope(wire.state, wire.request, 200, 0, "OK", {"token": "<>"}).body
    before, _, after = whole.partition(b"<>")
    return before, after


@functools.lru_cache(maxsize=8)
def _repeated(count):
    """(deflate bytes, ...) of one block, repeatable because each ends in a full flush."""
    return _flushed(zlib.compressobj(9, zlib.DEFLATED, -15), _BLOCK) * count


def _bomb(before, after, count):
    """A correct gzip file of before + count MiB of A + after, made without making the text."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [b"\x1f\x8b\x08\0\0\0\0\0\2\xff", _flushed(deflate, before), _repeated(count),
             deflate.compress(after) + deflate.flush()]
    crc = zlib.crc32(before)
    for _ in range(count):
        crc = zlib.crc32(_BLOCK, crc)
    size = len(before) + count * len(_BLOCK) + len(after)
    return b"".join(parts) + struct.pack("<II", zlib.crc32(after, crc), size & 0xffffffff)


# -- rules: which request fails how -------------------------------------------------------------

@dataclasses.dataclass
class Rule:
    """One injected failure; after requests pass untouched, then times fail (None: all)."""

    id: int
    name: str
    endpoint: str
    after: int
    times: int
    options: dict

    def takes(self, endpoint):
        """Whether a request for this endpoint fails by this rule; counts it."""
        if self.endpoint not in (None, endpoint) or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times = None if self.times is None else self.times - 1
        return True


class Rules:
    """The failures in force, the oldest first. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._rules = []
        self._ids = itertools.count(1)

    def add(self, name, endpoint=None, times=None, after=0, **options):
        """Inject a failure; its id. A wrong name or option is a ValueError at once."""
        if name not in FAILURES:
            raise ValueError(f"no failure {name}; there are {', '.join(FAILURES)}")
        try:
            inspect.signature(FAILURES[name]).bind(None, **options)
        except TypeError as error:
            raise ValueError(f"failure {name}: {error}") from None
        with self._lock:
            self._rules.append(Rule(next(self._ids), name, endpoint, after, times, options))
            return self._rules[-1].id

    def clear(self, endpoint=None, id=None):
        """End failures: all, those of one endpoint, or the one with this id."""
        def goes(rule):
            return endpoint in (None, rule.endpoint) and id in (None, rule.id)
        with self._lock:
            self._rules = [rule for rule in self._rules if not goes(rule)]

    def take(self, endpoint):
        """The rule that a request for this endpoint falls under, or None."""
        with self._lock:
            taken = next((rule for rule in self._rules if rule.takes(endpoint)), None)
            self._rules = [rule for rule in self._rules if rule.times != 0]
            return taken

    def as_list(self):
        """For the control path: JSON-able."""
        with self._lock:
            return [{**vars(rule), "options": {key: repr(value) for key, value in rule.options.items()}}
                    for rule in self._rules]
