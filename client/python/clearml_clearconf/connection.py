"""The daemon's socket: where it is, who serves it, and Varlink on it."""

from __future__ import annotations

import contextlib
import os
import socket as sockets
import stat
import struct
import sys
import time
from typing import Any, Callable, Optional, Tuple

from .errors import NoDaemon, ProtocolError, TimedOut, UnusableDaemon, error_of
from .questions import Environment, Question, T

SYSTEM_SOCKET = "/run/clearconf/clearconf.sock"
SOCKET_NAME = "clearconf/clearconf.sock"
WORKSPACE = "CLEARCONF_WORKSPACE"  # the variable
MESSAGE_LIMIT = 64 << 20

# Without these nobody serves: a socket that is none, or that nobody listens on.
_ABSENT = (FileNotFoundError, ConnectionRefusedError)


def find_socket(environ: Optional[Environment] = None) -> str:
    """The daemon's socket: $CLEARCONF_SOCKET, else the first that exists of the
    user's and the system's. NoDaemon when there is none."""
    if not hasattr(sockets, "AF_UNIX"):
        raise NoDaemon("no daemon: this system has no Unix sockets")
    env = os.environ if environ is None else environ
    if env.get("CLEARCONF_SOCKET"):
        return env["CLEARCONF_SOCKET"]
    base = env.get("XDG_RUNTIME_DIR") or env.get("XDG_STATE_HOME")
    if not base and env.get("HOME"):
        base = os.path.join(env["HOME"], ".local/state")
    places = [os.path.join(base, SOCKET_NAME)] if base else []
    places.append(SYSTEM_SOCKET)
    for place in places:
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.stat(place).st_mode):
                return place
    raise NoDaemon(f"no daemon: there is no socket {' and no '.join(places)}; start clearconfd, or "
                   "say that it is optional")


# --- who serves ---------------------------------------------------------------

def _writable_by_others(folder: os.stat_result) -> bool:
    return bool(folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _is_system_user(path: str, uid: int) -> bool:
    """Did root give the folder of the system's socket, where path is, to uid?"""
    try:
        parent, system, folder = map(os.stat, (
            "/run", os.path.dirname(SYSTEM_SOCKET), os.path.dirname(path) or "."))
    except OSError:
        return False
    return (parent.st_uid == 0 and not _writable_by_others(parent)
            and os.path.samestat(folder, system)
            and system.st_uid == uid and not _writable_by_others(system))


def check_server(connection: Any, path: str) -> None:
    """A configuration can make a program run anything: it comes from root, from
    this process's own user, or from the system's daemon."""
    if sys.platform != "linux":
        raise UnusableDaemon(f"who serves {path} cannot be known on this system")
    size = struct.calcsize("iII")
    credentials = connection.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, size)
    uid = struct.unpack("iII", credentials)[1]
    if uid not in (0, os.geteuid()) and not _is_system_user(path, uid):
        raise UnusableDaemon(f"the socket {path} is served by uid {uid}, who is neither root nor "
                             f"this user (uid {os.geteuid()})")


# --- messages -----------------------------------------------------------------

def understand(text: bytes, question: Question[T]) -> Tuple[T, bool]:
    """(the result, whether more answers will come); or the error."""
    try:
        reply = question.decode(text.decode())
        parameters = reply.get("parameters") or {}
        error, more = reply.get("error"), bool(reply.get("continues"))
    except (ValueError, AttributeError):
        raise ProtocolError("the peer does not speak Varlink") from None
    if error:
        raise error_of(error, parameters)
    return question.understand(parameters), more


def broken(path: str, error: OSError) -> NoDaemon:
    """What a failure of the socket is to the caller."""
    kind = NoDaemon if isinstance(error, _ABSENT) else UnusableDaemon
    return kind(f"no daemon answers on {path}: {error.strerror or error}; is clearconfd running?")


def closed(path: str) -> UnusableDaemon:
    return UnusableDaemon(f"the daemon closed the connection ({path})")


def too_late(path: str) -> TimedOut:
    return TimedOut(f"no answer in time from {path}")


class Connection:
    """One Varlink connection; the deadline is for everything that is done with
    it, None waits for ever."""

    def __init__(self, path: str, timeout: Optional[float], any_server: bool = False) -> None:
        self.path = path
        self.received = bytearray()
        self.set_timeout(timeout)
        self.socket = sockets.socket(getattr(sockets, "AF_UNIX"), sockets.SOCK_STREAM)
        try:
            self._do(lambda: self.socket.connect(path))
            if not any_server:
                check_server(self.socket, path)
        except BaseException:
            self.socket.close()
            raise

    def set_timeout(self, timeout: Optional[float]) -> None:
        self.deadline = None if timeout is None else time.monotonic() + timeout

    def close(self) -> None:
        self.socket.close()

    def _do(self, step: Callable[[], Any]) -> Any:
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and left <= 0:
            raise too_late(self.path)
        self.socket.settimeout(left)
        try:
            return step()
        except sockets.timeout:
            raise too_late(self.path) from None
        except OSError as error:
            raise broken(self.path, error) from error

    def send(self, question: Question[Any], more: bool = False) -> None:
        message = question.message(more)
        self._do(lambda: self.socket.sendall(message))

    def receive(self, question: Question[T]) -> Tuple[T, bool]:
        """As understand() has it."""
        searched = 0
        while True:
            end = self.received.find(b"\0", searched)
            if end >= 0:
                break
            searched = len(self.received)
            if searched > MESSAGE_LIMIT:
                raise ProtocolError(f"an answer over the limit of {MESSAGE_LIMIT} bytes")
            data = self._do(lambda: self.socket.recv(1 << 16))
            if not data:
                raise closed(self.path)
            self.received += data
        text = bytes(self.received[:end])
        del self.received[:end + 1]
        return understand(text, question)
