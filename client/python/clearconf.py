"""Ask clearconfd for the ClearML configuration of this host.

    import clearconf

    client = clearconf.Client()
    region = client.get("sdk.aws.s3.region", default="us-east-1")
    for leaf in client.explain("agent"):
        print(leaf.path, leaf.value, leaf.origin)
    with client.configured():
        import clearml  # reads what the daemon has resolved
    for update in client.watch("sdk", "agent"):
        for change in update.changes:
            print(update.generation, change.kind, change.path)

The daemon answers on a Unix socket, from memory. Each call is a connection of
its own, so a Client may be shared by threads and survives a fork; watch() goes
on by itself when the daemon restarts. Errors are exceptions of the names that
the daemon's interface, io.clearconf, gives them.

Python 3.9 and later; nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import re
import socket as sockets
import stat
import struct
import time
import warnings
from dataclasses import dataclass, field
from typing import (Any, Callable, Dict, Iterator, List, Mapping, MutableMapping, Optional,
                    Sequence, Tuple, Type, Union)

__all__ = [
    "AccessDenied", "BrokenConfiguration", "Candidate", "Change", "Client", "DaemonError",
    "Error", "InvalidPath", "Leaf", "NoDaemon", "NoStorageMatch", "NotReady", "Origin",
    "PathNotFound", "ProtocolError", "QuotaExceeded", "ServerError", "TimedOut",
    "UnknownWorkspace", "Update", "find_socket", "join_path", "render_hocon",
]
__version__ = "0.1.0"

INTERFACE = "io.clearconf"
SYSTEM_SOCKET = "/run/clearconf/clearconf.sock"
SOCKET_NAME = "clearconf/clearconf.sock"
DUMP_COMMENT = "# written by clearconf"
MASK = "****"

Path = Union[str, Sequence[str]]  # "a.b", or the keys ["a", "key with.dots"]
Environment = Mapping[str, str]

_MESSAGE_LIMIT = 64 << 20
_FIRST_PAUSE, _MAX_PAUSE = 0.1, 5.0  # seconds between tries to reconnect
_LATER = 0.5  # seconds until a question is asked again
_DEPTH = 30  # ClearML's parser may give up below this
_MISSING: Any = object()


# --- errors -------------------------------------------------------------------

class Error(Exception):
    """Whatever goes wrong here."""


class NoDaemon(Error, ConnectionError):
    """Nobody answers on the socket, or the daemon went away."""


class TimedOut(Error, TimeoutError):
    """No answer in time."""


class ProtocolError(Error):
    """The peer does not speak Varlink."""


class DaemonError(Error):
    """The daemon refused. `name` is the error's full name, `parameters` are its
    members, which are attributes too: PathNotFound has a `path`."""

    name = ""
    _text = ""

    def __init__(self, name: str, parameters: Dict[str, Any]) -> None:
        self.name = name
        self.parameters = parameters
        super().__init__(self._describe())

    def __getattr__(self, key: str) -> Any:
        try:
            return self.__dict__["parameters"][key]
        except KeyError:
            raise AttributeError(key) from None

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.name, self.parameters)

    def _describe(self) -> str:
        if not self._text:
            return f"the daemon answered with {self.name}"
        return re.sub(r"{(\w+)}", lambda key: str(self.parameters.get(key[1], "?")), self._text)


class PathNotFound(DaemonError, LookupError):
    """path"""
    _text = "there is nothing at the path '{path}'"


class InvalidPath(DaemonError, ValueError):
    """path, offset, reason"""
    _text = "the path '{path}' is wrong at offset {offset}: {reason}"


class UnknownWorkspace(DaemonError, LookupError):
    """name of the workspace: parameters["name"]"""

    def _describe(self) -> str:
        return f"there is no workspace '{self.parameters.get('name', '?')}'"


class AccessDenied(DaemonError, PermissionError):
    """right"""
    _text = "access denied: this needs the right '{right}'"


class NotReady(DaemonError):
    """reason"""
    _text = "not ready: {reason}"


class ServerError(DaemonError):
    """endpoint, status, code, subcode, message"""
    _text = "the ClearML server refused {endpoint} (status {status}): {message}"

    def _describe(self) -> str:
        if self.parameters.get("status") == 0:
            self._text = "the ClearML server was not reached for {endpoint}: {message}"
        return super()._describe()


class QuotaExceeded(DaemonError):
    """quota, limit"""
    _text = "over the limit '{quota}' of {limit}"


class NoStorageMatch(DaemonError, LookupError):
    """uri"""
    _text = "no credentials are configured for '{uri}'"


class BrokenConfiguration(DaemonError):
    """source, line, column, reason"""
    _text = "broken configuration in {source}: {reason}"


_ERRORS: Dict[str, Type[DaemonError]] = {
    f"{INTERFACE}.{kind.__name__}": kind
    for kind in (PathNotFound, InvalidPath, UnknownWorkspace, AccessDenied, NotReady,
                 ServerError, QuotaExceeded, NoStorageMatch, BrokenConfiguration)
}


def _error_of(name: str, parameters: Dict[str, Any]) -> DaemonError:
    return _ERRORS.get(name, DaemonError)(name, parameters)


# --- answers ------------------------------------------------------------------

@dataclass(frozen=True)
class Origin:
    """Where a value was written; str() of it is source:line:column."""
    layer: str
    source: str
    description: Optional[str] = None
    line: Optional[int] = None
    column: Optional[int] = None

    def __str__(self) -> str:
        place = [str(n) for n in (self.line, self.column) if n is not None]
        return ":".join([self.source, *place])


@dataclass(frozen=True)
class Candidate:
    """A value that lost."""
    origin: Origin
    value: Any


@dataclass(frozen=True)
class Leaf:
    """One value, where it is from, what it beat (strongest first), and why a
    later layer did not win."""
    path: str
    value: Any
    origin: Origin
    overridden: List[Candidate] = field(default_factory=list)
    note: Optional[str] = None


@dataclass(frozen=True)
class Change:
    """One leaf that differs: kind is added, changed or removed. old and new are
    None unless the watch asked for values."""
    path: str
    kind: str
    old: Any = None
    new: Any = None
    origin: Optional[Origin] = None


@dataclass(frozen=True)
class Update:
    """What a watch tells. value is there in the first update of a watch with
    values, and whenever resync says that the changes are not known: the whole
    tree, or {path: value} of the paths that were asked for."""
    generation: int
    state: str
    changes: List[Change]
    resync: bool = False
    skipped: int = 0
    stale: Optional[int] = None
    value: Any = None


def _origin(raw: Optional[Dict[str, Any]]) -> Optional[Origin]:
    return raw and Origin(**_known(Origin, raw)) or None


def _known(kind: Any, raw: Dict[str, Any]) -> Dict[str, Any]:
    """The members that this version knows: a later daemon may say more."""
    return {key: raw[key] for key in kind.__dataclass_fields__ if key in raw}


def _leaf(raw: Dict[str, Any]) -> Leaf:
    losers = [Candidate(Origin(**_known(Origin, loser["origin"])), loser.get("value"))
              for loser in raw.get("overridden", [])]
    return Leaf(raw["path"], raw.get("value"), Origin(**_known(Origin, raw["origin"])), losers,
                raw.get("note"))


def _change(raw: Dict[str, Any]) -> Change:
    return Change(raw["path"], raw["kind"], raw.get("old"), raw.get("new"),
                  _origin(raw.get("origin")))


def _update(raw: Dict[str, Any]) -> Update:
    known = _known(Update, raw)
    known["changes"] = [_change(change) for change in raw.get("changes", [])]
    return Update(**known)


# --- paths --------------------------------------------------------------------

def join_path(*keys: str) -> str:
    """The path of these keys; one with a special character becomes a JSON
    string: join_path("sdk", "a.b") is 'sdk."a.b"'."""
    return ".".join(key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)
                    for key in keys)


def _path(path: Path) -> str:
    return path if isinstance(path, str) else join_path(*path)


# --- the connection -----------------------------------------------------------

def find_socket(environ: Optional[Environment] = None) -> str:
    """The daemon's socket: $CLEARCONF_SOCKET, else the first that exists of the
    user's and the system's. NoDaemon when there is none."""
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
    raise NoDaemon(f"no daemon: there is no socket {' and no '.join(places)}; start clearconfd")


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


def _check_server(connection: sockets.socket, path: str) -> None:
    """A configuration can make a program run anything: it comes from root, from
    this process's own user, or from the system's daemon."""
    size = struct.calcsize("iII")
    credentials = connection.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, size)
    uid = struct.unpack("iII", credentials)[1]
    if uid not in (0, os.geteuid()) and not _is_system_user(path, uid):
        raise NoDaemon(f"the socket {path} is served by uid {uid}, who is neither root nor this "
                       f"user (uid {os.geteuid()})")


class _Connection:
    """One Varlink connection; the deadline is for everything that is done with
    it, None waits for ever."""

    def __init__(self, path: str, timeout: Optional[float]) -> None:
        self.path = path
        self.received = bytearray()
        self.set_timeout(timeout)
        self.socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        try:
            self._do(lambda: self.socket.connect(path))
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
            raise TimedOut(f"no answer in time from {self.path}")
        self.socket.settimeout(left)
        try:
            return step()
        except sockets.timeout:
            raise TimedOut(f"no answer in time from {self.path}") from None
        except OSError as error:
            raise NoDaemon(f"no daemon answers on {self.path}: {error.strerror or error}; is "
                           "clearconfd running?") from error

    def send(self, method: str, parameters: Dict[str, Any], more: bool = False) -> None:
        call: Dict[str, Any] = {"method": method, "parameters": parameters}
        if more:
            call["more"] = True
        message = json.dumps(call).encode() + b"\0"
        self._do(lambda: self.socket.sendall(message))

    def receive(self, decode: Callable[[str], Any]) -> Tuple[Dict[str, Any], bool]:
        """(parameters, whether more replies will come); or the error."""
        searched = 0
        while True:
            end = self.received.find(b"\0", searched)
            if end >= 0:
                break
            searched = len(self.received)
            if searched > _MESSAGE_LIMIT:
                raise ProtocolError(f"an answer over the limit of {_MESSAGE_LIMIT} bytes")
            data = self._do(lambda: self.socket.recv(1 << 16))
            if not data:
                raise NoDaemon(f"the daemon closed the connection ({self.path})")
            self.received += data
        text = self.received[:end].decode()
        del self.received[:end + 1]
        return self._understand(text, decode)

    @staticmethod
    def _understand(text: str, decode: Callable[[str], Any]) -> Tuple[Dict[str, Any], bool]:
        try:
            reply = decode(text)
            parameters = reply.get("parameters") or {}
            error, more = reply.get("error"), bool(reply.get("continues"))
        except (ValueError, AttributeError):
            raise ProtocolError("the peer does not speak Varlink") from None
        if error:
            raise _error_of(error, parameters)
        return parameters, more


# --- the client ---------------------------------------------------------------

class Client:
    """Asks one daemon. socket: its path, find_socket() without one. workspace:
    by name, the active one without. timeout: seconds for each call, None waits
    for ever. any_server: trust the daemon whoever runs it, for tests; else it has
    to be root's or this process's own user's, or the system's."""

    def __init__(self, socket: Optional[str] = None, workspace: Optional[str] = None,
                 timeout: Optional[float] = 30.0, any_server: bool = False) -> None:
        self.socket = socket
        self.workspace = workspace
        self.timeout = timeout
        self.any_server = any_server

    def call(self, method: str, **parameters: Any) -> Dict[str, Any]:
        """Call a method of io.clearconf ("GetProfile"), or of another interface
        by its full name; its answer. Parameters that are None are left out."""
        return self._call(method, parameters, json.loads)

    def get(self, path: Path = "", default: Any = _MISSING, *,
            environment: Optional[Environment] = None, mask: Optional[bool] = None,
            view: Optional[str] = None) -> Any:
        """The value at a path, as json.loads makes it; the default, or
        PathNotFound without one, when there is nothing.

        environment: resolve with these variables (os.environ, say) in place of
        the daemon's. mask: True shows secrets as ****; False demands real values
        or AccessDenied; None is real values to whom may have them, and for
        others AccessDenied where the answer would hold a masked one. view:
        "merged" and "live" are what ClearML is to read as its file, see
        exec_environment()."""
        try:
            answer = self.call("Get", path=_path(path), workspace=self.workspace, mask=mask,
                               environment=_sendable(environment), view=view)
        except PathNotFound:
            if default is _MISSING:
                raise
            return default
        _warn_of_left_out(answer)
        value = answer.get("value")
        if mask is None and answer.get("masked") and _holds_mask(value):
            raise AccessDenied(f"{INTERFACE}.AccessDenied", {"right": "secrets"})
        return value

    def explain(self, path: Path = "", *, reveal: bool = False) -> List[Leaf]:
        """Each leaf at or below a path, where it is from and what it beat;
        secrets are **** unless revealed."""
        answer = self.call("Explain", path=_path(path), workspace=self.workspace, reveal=reveal)
        return [_leaf(leaf) for leaf in answer["leaves"]]

    def status(self) -> Dict[str, Any]:
        """The daemon's Status, as the interface describes it."""
        status: Dict[str, Any] = self.call("GetStatus")["status"]
        return status

    def watch(self, *paths: Path, since: Optional[int] = None, values: bool = False,
              reveal: Optional[bool] = None) -> Iterator[Update]:
        """What changes at or below the paths (anywhere without one), for ever;
        the first update is the state of now, or what has changed since. One
        without changes tells of another state, such as refused.

        A daemon that goes away is waited for: the first update after it has what
        was missed, or resync. Only at the start is a daemon that is not there an
        error."""
        question = {"paths": [_path(path) for path in paths] or None,
                    "workspace": self.workspace, "values": values or None, "reveal": reveal,
                    "states": True}
        # The same daemon for ever: another one would tell of another configuration.
        socket = self.socket or find_socket()
        pause = 0.0
        begun = False
        while True:
            try:
                for raw in self._follow(socket, "Watch", dict(question, since=since)):
                    update = _update(raw)
                    since, pause, begun = update.generation, 0.0, True
                    yield update
            except (NoDaemon, TimedOut):
                if not begun:
                    raise
            pause = min(pause * 2, _MAX_PAUSE) or _FIRST_PAUSE
            time.sleep(pause * random.uniform(0.75, 1.25))

    @contextlib.contextmanager
    def configured(self, vaults: str = "merged") -> Iterator[str]:
        """Point this process, and what it starts, at the configuration: a file
        in memory that only this user can read, which goes with the block. The
        environment is that of exec_environment() meanwhile; yields the file's
        path. ClearML reads its configuration once, when it is imported."""
        with self.exec_environment(vaults=vaults) as environ:
            before = dict(os.environ)
            _become(os.environ, environ)
            try:
                yield environ["CLEARML_CONFIG_FILE"]
            finally:
                _become(os.environ, before)

    @contextlib.contextmanager
    def exec_environment(self, environ: Optional[Environment] = None,
                         vaults: str = "merged") -> Iterator[Dict[str, str]]:
        """The environment for a command to run on the configuration, as
        `clearconf exec` makes it: resolved with the caller's, with
        CLEARML_CONFIG_FILE for as long as the block lasts.

            with client.exec_environment() as env:
                subprocess.run(["python", "train.py"], env=env, check=True)

        vaults: "merged" into the file, ClearML's own reading of them being off
        and those of its variables gone that would change what the file has from
        a vault; or "live": the file has what is below variables and vaults, and
        ClearML lays both over it. Run clearml-agent by `clearconf exec`, which
        has it so, keeps vaults out of its tasks' login and restarts it when it
        is idle."""
        if vaults not in ("merged", "live"):
            raise ValueError(f"vaults are merged or live, not {vaults!r}")
        caller = dict(os.environ if environ is None else environ)
        tree = self._get_all(caller, vaults)
        make = self._merged if vaults == "merged" else self._live
        variables = {name: value for name, value in make(caller, tree).items()
                     if not (self.workspace and name in _OF_THE_CALLER)}
        with _private_file(render_hocon(tree), caller) as path:
            yield {**variables, "CLEARML_CONFIG_FILE": path}

    @staticmethod
    def _live(caller: Dict[str, str], tree: Dict[str, Any]) -> Dict[str, str]:
        for name in _SWITCHES:
            if _BOOLEANS.get(caller.get(name, "").strip().lower()):
                warnings.warn(f"{name} is set: with live vaults ClearML is to read the vaults, "
                              "and does not")
        return caller

    def _merged(self, caller: Dict[str, str], tree: Dict[str, Any]) -> Dict[str, str]:
        """Takes out of the tree, too, what the agent adds by itself."""
        removed: List[str] = []
        status = self.status()
        if status["mode"] == "agent":
            generic = self._read_variables(caller)
            removed = _applied_again(caller, tree, generic)
            removed += [name for name in _OF_DEFAULTS
                        if _adds_defaults(caller.get(name, ""), status)]
            _leave_container(caller, tree)
        environ = {name: value for name, value in caller.items() if name not in removed}
        section = _section(tree, caller, status["mode"] == "agent")
        return {**environ, **section, **dict.fromkeys(_SWITCHES, "1")}

    # --- asking ---

    def _connect(self, socket: str) -> _Connection:
        connection = _Connection(socket, self.timeout)
        if not self.any_server:
            try:
                _check_server(connection.socket, socket)
            except BaseException:
                connection.close()
                raise
        return connection

    def _call(self, method: str, parameters: Dict[str, Any],
              decode: Callable[[str], Any]) -> Dict[str, Any]:
        socket = self.socket or find_socket()
        with contextlib.closing(self._connect(socket)) as connection:
            connection.send(_full_name(method), _present(parameters))
            return connection.receive(decode)[0]

    def _follow(self, socket: str, method: str,
                parameters: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
        """Each answer of one call; the first has to come in time."""
        with contextlib.closing(self._connect(socket)) as connection:
            connection.send(_full_name(method), _present(parameters), more=True)
            more = True
            while more:
                answer, more = connection.receive(json.loads)
                connection.set_timeout(None)
                yield answer

    def _get_all(self, environ: Environment, view: str) -> Dict[str, Any]:
        """The whole tree with real values, once the vaults are in."""
        tree: Dict[str, Any] = self._get_when_started(environ, view=view) or {}
        return tree

    def _read_variables(self, environ: Environment) -> Dict[str, Any]:
        """The CLEARML_AGENT__* with their values, as HOCON: the daemon reads
        them, under a key of ours. One that cannot be read is left out."""
        names = [name for name in environ if name.startswith(_GENERIC)]
        others = {name: value for name, value in environ.items() if name not in names}
        under = f"{_GENERIC}CLEARCONF_EXEC__"
        ours = {f"{under}{number}": environ[name] for number, name in enumerate(names)}
        try:
            found = self._get_when_started({**others, **ours}, path="clearconf_exec")
        except PathNotFound:
            return {}
        return {name: found[str(number)] for number, name in enumerate(names)
                if str(number) in found}

    def _get_when_started(self, environ: Environment, **more: str) -> Any:
        parameters = {"workspace": self.workspace, "mask": False,
                      "environment": _sendable(environ), **more}
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        while True:
            late = deadline is not None and time.monotonic() >= deadline
            try:
                answer = self._call("Get", parameters, _decode_exactly)
                if answer["state"] != "starting":
                    _warn_of_left_out(answer)
                    return answer.get("value")
                if late:
                    raise NotReady(f"{INTERFACE}.NotReady", {
                        "reason": "the vaults are not in yet (state starting)"})
            except QuotaExceeded:
                if late:
                    raise
            time.sleep(_LATER)


def _warn_of_left_out(answer: Dict[str, Any]) -> None:
    for why in answer.get("left_out") or ():
        warnings.warn(why)


def _full_name(method: str) -> str:
    return method if "." in method else f"{INTERFACE}.{method}"


def _present(parameters: Dict[str, Any]) -> Dict[str, Any]:
    return {key: value for key, value in parameters.items() if value is not None}


def _sendable(environ: Optional[Environment]) -> Optional[Dict[str, str]]:
    """JSON is UTF-8; a variable that is not cannot be sent."""
    if environ is None:
        return None
    return {name: value for name, value in environ.items()
            if _is_utf8(name) and _is_utf8(value)}


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _holds_mask(value: Any) -> bool:
    if isinstance(value, str):
        return MASK in value
    if isinstance(value, dict):
        return any(map(_holds_mask, value.values()))
    return isinstance(value, list) and any(map(_holds_mask, value))


# --- HOCON --------------------------------------------------------------------

class _Number(float):
    """A number that is no integer, with the text it was written as."""

    text: str

    def __new__(cls, text: str) -> _Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


def _decode_exactly(text: str) -> Any:
    return json.loads(text, parse_float=_Number)


def render_hocon(tree: Mapping[str, Any]) -> str:
    """A configuration as a clearml.conf that ClearML's own parser reads back to
    the same tree, with a warning for what it has no way to write."""
    lines = [DUMP_COMMENT]
    for key, value in tree.items():
        lines += _hocon_member([key], value)
    return "\n".join(lines) + "\n"


# The escapes that ClearML decodes. Other control characters stand for
# themselves; a tab must be escaped, because it is expanded even inside quotes.
_ESCAPES = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"})


def _hocon_key(key: str) -> Optional[str]:
    """The key as ClearML reads it, or None. Between quotes it takes backslashes
    in pairs with what follows, keeps both, and knows no escapes; an empty key
    makes it crash, and a bare `include` is none."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key) and key.lower() != "include":
        return key
    if re.fullmatch(r'(?:[^"\n\r\t\\]|\\[^"\n\r\t])+', key, flags=re.S):
        return f'"{key}"'
    return None


def _warn(path: List[str], text: str) -> None:
    warnings.warn(f"{join_path(*path)}: {text}", stacklevel=2)


def _hocon_member(path: List[str], value: Any) -> List[str]:
    key = _hocon_key(path[-1])
    if key is None:
        _warn(path, "left out: there is no way to write this key")
        return []
    written = _hocon_value(path, value, 0)
    # `key {` rather than `key = {`: ClearML reads it half as deep again.
    written[0] = key + (" " if isinstance(value, dict) else " = ") + written[0]
    return ["  " * (len(path) - 1) + written[0], *written[1:]]


def _hocon_value(path: List[str], value: Any, lists: int) -> List[str]:
    """Its lines, the first without indentation; lists: how many are around it
    without an object between."""
    indent = "  " * len(path)
    if isinstance(value, (dict, list)) and len(path) == _DEPTH + 1:
        _warn(path, "nested so deep that ClearML may fail to read it")
    if isinstance(value, dict):
        inner = [line for key, member in value.items()
                 for line in _hocon_member([*path, key], member)]
        return _block("{", inner, "}", indent[2:], bool(value))
    if isinstance(value, list):
        inner = []
        for index, item in enumerate(value):
            at = [*path, str(index)]
            _warn_about_item(at, item, lists + 1)
            lines = _hocon_value(at, item, lists + 1)
            lines[-1] += "," if index + 1 < len(value) else ""
            inner += [indent + lines[0], *lines[1:]]
        return _block("[", inner, "]", indent[2:], bool(value))
    return [_hocon_scalar(value)]


def _block(begin: str, inner: List[str], end: str, indent: str, filled: bool) -> List[str]:
    return [begin, *inner, indent + end] if filled else [begin + end]


def _warn_about_item(path: List[str], item: Any, lists: int) -> None:
    if item == "" and isinstance(item, str):
        _warn(path, "ClearML drops an empty string from a list")
    if item is None and lists > 1:
        _warn(path, "ClearML cannot read null in a list in a list")


def _hocon_scalar(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value.translate(_ESCAPES)}"'
    if isinstance(value, _Number):
        return value.text
    return json.dumps(value)


# --- a command's environment --------------------------------------------------

_GENERIC = "CLEARML_AGENT__"
_SWITCHES = ("CLEARML_DISABLE_VAULT_SUPPORT", "CLEARML_AGENT_DISABLE_VAULT_SUPPORT")
# A login of the caller's that has nothing to do with a workspace named here.
_OF_THE_CALLER = ("CLEARML_AUTH_TOKEN", "TRAINS_AUTH_TOKEN")
# Where else the configuration might come from.
_OF_DEFAULTS = ("CLEARML_CONFIG_PATH", "TRAINS_CONFIG_PATH")
# The variables that ClearML's agent knows by name, and what they set. The first
# that is set counts. Those of third parties, which others read too, are not
# among them.
_NAMED = {
    "api.api_server": ("CLEARML_API_HOST", "TRAINS_API_HOST"),
    "api.files_server": ("CLEARML_FILES_HOST", "TRAINS_FILES_HOST"),
    "api.web_server": ("CLEARML_WEB_HOST", "TRAINS_WEB_HOST"),
    "api.credentials.access_key": ("CLEARML_API_ACCESS_KEY", "TRAINS_API_ACCESS_KEY"),
    "api.credentials.secret_key": ("CLEARML_API_SECRET_KEY", "TRAINS_API_SECRET_KEY"),
    "agent.worker_name": ("CLEARML_WORKER_NAME", "TRAINS_WORKER_NAME"),
    "agent.worker_id": ("CLEARML_WORKER_ID", "TRAINS_WORKER_ID"),
    "agent.cuda_version": ("CLEARML_CUDA_VERSION", "TRAINS_CUDA_VERSION"),
    "agent.cudnn_version": ("CLEARML_CUDNN_VERSION", "TRAINS_CUDNN_VERSION"),
    "agent.crash_on_exception": ("CLEARML_AGENT_CRASH_ON_EXCEPTION",),
    "agent.snug.enabled": ("CLEARML_AGENT_SNUG_ENABLED",),
    "agent.snug.report_usage_events": ("CLEARML_AGENT_SNUG_REPORT_USAGE_EVENTS",),
    "agent.snug.report_task_metrics": ("CLEARML_AGENT_SNUG_REPORT_TASK_METRICS",),
    "agent.snug.call_history": ("CLEARML_AGENT_SNUG_CALL_HISTORY",),
    "agent.snug.app_mode": ("CLEARML_AGENT_SNUG_APP_MODE",),
}
_BOOLEAN = ("agent.crash_on_exception", "agent.snug.enabled", "agent.snug.report_usage_events",
            "agent.snug.report_task_metrics")
# Keys must not be left without the host that they are for.
_LOGIN = ("api.api_server", "api.credentials.access_key", "api.credentials.secret_key")


def _differs(file: Any, over: Any) -> bool:
    """Whether one laid over the other changes a value that that one has."""
    if file is _MISSING:
        return False
    if not isinstance(file, dict) or not isinstance(over, dict):
        return json.dumps(file, sort_keys=True) != json.dumps(over, sort_keys=True)
    return any(_differs(file.get(key, _MISSING), value) for key, value in over.items())


def _at(path: str, value: Any) -> Any:
    for key in reversed([key for key in path.split(".") if key]):
        value = {key: value}
    return value


def _applied_again(caller: Environment, tree: Dict[str, Any],
                   generic: Dict[str, Any]) -> List[str]:
    """Names of variables that the agent would lay over the file with another
    value than it has; host, access key and secret key all or none."""
    removed = [name for name in caller if name.startswith(_GENERIC) and (
        name not in generic
        or _differs(tree, _at(_generic_path(name), generic[name])))]
    changing = {path for path in _NAMED if _changes(caller, tree, path)}
    if changing.intersection(_LOGIN):
        changing.update(_LOGIN)
    return removed + [name for path in changing for name in _NAMED[path]]


def _generic_path(name: str) -> str:
    return name[len(_GENERIC):].replace("__", ".").lower()


def _changes(caller: Environment, tree: Dict[str, Any], path: str) -> bool:
    text = next(filter(None, (caller.get(name) for name in _NAMED[path])), "").strip()
    value = _BOOLEANS.get(text.lower()) if path in _BOOLEAN else text
    return value not in (None, "") and _differs(tree, _at(path, value))


def _adds_defaults(path: str, status: Dict[str, Any]) -> bool:
    """Does the folder hold a *.conf that is none of the daemon's defaults?"""
    known = {os.path.realpath(layer["source"]) for workspace in status["workspaces"]
             for layer in workspace.get("layers", ()) if layer["layer"] == "defaults"}
    return any(name.endswith(".conf") and os.path.realpath(os.path.join(folder, name)) not in known
               for folder, _, names in os.walk(os.path.expanduser(path), followlinks=True)
               for name in names)


def _leave_container(caller: Environment, tree: Dict[str, Any]) -> None:
    """Out of the tree goes the container that the agent itself makes, of
    AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, at each start."""
    containers: Any = tree
    for part in ("sdk", "azure", "storage", "containers"):
        containers = containers.get(part) if isinstance(containers, dict) else None
    account = caller.get("AZURE_STORAGE_ACCOUNT", "").strip() or None
    key = caller.get("AZURE_STORAGE_KEY", "").strip() or None
    if isinstance(containers, list) and (account or key) and containers[-1:] == [
            {"account_name": account, "account_key": key}]:
        containers.pop()


# What ClearML takes from its environment before it applies the section: there a
# vault, which the section may be from, has no say.
_BEFORE_SECTION = frozenset("""
    CLEARML_API_ACCESS_KEY CLEARML_API_HOST CLEARML_API_HOST_VERIFY_CERT CLEARML_API_SECRET_KEY
    CLEARML_AUTH_TOKEN CLEARML_CONFIG_FILE CLEARML_CONFIG_PATH
    TRAINS_API_ACCESS_KEY TRAINS_API_HOST TRAINS_API_HOST_VERIFY_CERT TRAINS_API_SECRET_KEY
    TRAINS_AUTH_TOKEN TRAINS_CONFIG_FILE TRAINS_CONFIG_PATH
""".split())


def _section(tree: Dict[str, Any], caller: Environment, agent: bool) -> Dict[str, str]:
    """The section `environment`, when apply_environment asks for it."""
    section = tree.get("environment")
    wishes = [_wish(tree.get("sdk"), caller.get("CLEARML_ENABLE_ENV_CONFIG_SECTION")),
              _wish(tree.get("agent"), caller.get("CLEARML_AGENT_ENABLE_ENV_CONFIG_SECTION"))]
    if not isinstance(section, dict) or True not in wishes:
        return {}
    variables = {}
    for name, value in section.items():
        text = _variable_text(value, agent)
        if not name or "=" in name or "\0" in name + text:
            warnings.warn(f"environment.{name} is left out: it cannot be a variable")
        elif name in _BEFORE_SECTION or name.startswith(_GENERIC):
            warnings.warn(f"environment.{name} is left out: ClearML reads it before it applies "
                          "the section")
        else:
            variables[name] = text
    return variables


def _wish(section: Any, variable: Optional[str]) -> Optional[bool]:
    """The variable holds over what the configuration says; None: unsaid."""
    said = _BOOLEANS.get((variable or "").strip().lower())
    if said is not None:
        return said
    value = section.get("apply_environment") if isinstance(section, dict) else None
    return None if value is None else bool(value)


_BOOLEANS = {**dict.fromkeys(["y", "yes", "t", "true", "on", "1"], True),
             **dict.fromkeys(["n", "no", "f", "false", "off", "0"], False)}


def _variable_text(value: Any, agent: bool) -> str:
    """As the agent has it, or the SDK, which makes what is false or nothing an
    empty text; but JSON for lists and objects."""
    if value is None or not (agent or value):
        return ""
    if isinstance(value, _Number):
        return value.text
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _become(environ: MutableMapping[str, str], wanted: Environment) -> None:
    for name in [name for name in environ if name not in wanted]:
        del environ[name]
    for name, value in wanted.items():
        if environ.get(name) != value:
            environ[name] = value


# --- a private file -----------------------------------------------------------

def _folder_for_files(environ: Environment) -> str:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        return os.path.join(runtime, "clearconf")
    if _is_in_memory("/dev/shm"):
        return f"/dev/shm/clearconf.{os.geteuid()}"
    raise Error("no place in memory for the configuration: set XDG_RUNTIME_DIR to a folder "
                "of yours on a tmpfs")


def _is_in_memory(path: str) -> bool:
    with contextlib.suppress(OSError), open("/proc/self/mounts", encoding="utf-8",
                                            errors="replace") as mounts:
        return any(line.split()[1:3] in ([path, "tmpfs"], [path, "ramfs"]) for line in mounts)
    return False


def _open_own_folder(path: str) -> int:
    os.makedirs(path, mode=0o755, exist_ok=True)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    status = os.fstat(folder)
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        os.close(folder)
        raise Error(f"{path} must belong to you and be writable by nobody else")
    return folder


def _claim(parent: int) -> Tuple[str, int]:
    """A new folder, and its descriptor with a lock: as long as somebody holds
    that, `clearconf exec` does not take the folder for a dead one's."""
    for attempt in range(1000):
        name = f"exec.{os.getpid()}" + (f".{attempt}" if attempt else "")
        with contextlib.suppress(FileExistsError, FileNotFoundError, BlockingIOError):
            os.mkdir(name, 0o700, dir_fd=parent)
            folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                here = os.stat(name, dir_fd=parent, follow_symlinks=False)
                if os.path.samestat(here, os.fstat(folder)):
                    return name, folder
            except OSError:
                os.close(folder)
                raise
            os.close(folder)
    raise Error("cannot make a private folder for the configuration")


@contextlib.contextmanager
def _private_file(text: str, environ: Environment) -> Iterator[str]:
    place = _folder_for_files(environ)
    with contextlib.ExitStack() as stack:
        parent = _open_own_folder(place)
        stack.callback(os.close, parent)
        name, folder = _claim(parent)
        stack.callback(_remove_folder, parent, name)
        stack.callback(os.close, folder)
        file = os.open("clearml.conf", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW,
                       0o600, dir_fd=folder)
        stack.callback(_remove_file, folder)
        with os.fdopen(file, "w", encoding="utf-8", newline="") as out:
            out.write(text)
        yield os.path.join(place, name, "clearml.conf")


def _remove_file(folder: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink("clearml.conf", dir_fd=folder)


def _remove_folder(parent: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(name, dir_fd=parent)
