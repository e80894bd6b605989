"""What goes wrong here, as exceptions of the names that the daemon's interface
gives them."""

from __future__ import annotations

import re
from typing import Any, Dict, Tuple, Type

INTERFACE = "io.clearconf"


class Error(Exception):
    """Whatever goes wrong here."""


class NoDaemon(Error, ConnectionError):
    """Nobody serves on this host, or not any more."""


class UnusableDaemon(NoDaemon):
    """Somebody serves, and cannot be asked: the connection broke, its socket is
    closed to this user, or another user runs it. No reason to go on without."""


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


class UnknownGeneration(DaemonError, LookupError):
    """generation, oldest"""
    _text = ("there is no generation {generation} in the history, which begins with "
             "{oldest}")


class AccessDenied(DaemonError, PermissionError):
    """right"""
    _text = "access denied: this needs the right '{right}'"


class NotReady(DaemonError):
    """reason"""
    _text = "not ready: {reason}"
    passes = True  # asked again later, it may be another answer


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

    @property
    def passes(self) -> bool:
        """Is it about how much is asked at once?"""
        return self.parameters.get("quota") in (
            "bytes_per_user", "connections_per_user", "environment_calls")

    def _describe(self) -> str:
        if self.parameters.get("quota") == "environment":
            self._text = ("the variables of this environment are over the daemon's limit of "
                          "{limit} bytes: unset the large ones")
        return super()._describe()


class NoStorageMatch(DaemonError, LookupError):
    """uri"""
    _text = "no credentials are configured for '{uri}'"


class BrokenConfiguration(DaemonError):
    """source, line, column, reason"""
    _text = "broken configuration in {source}: {reason}"


_ERRORS: Dict[str, Type[DaemonError]] = {
    f"{INTERFACE}.{kind.__name__}": kind
    for kind in (PathNotFound, InvalidPath, UnknownWorkspace, UnknownGeneration, AccessDenied,
                 NotReady, ServerError, QuotaExceeded, NoStorageMatch, BrokenConfiguration)
}


def error_of(name: str, parameters: Dict[str, Any]) -> DaemonError:
    return _ERRORS.get(name, DaemonError)(name, parameters)
