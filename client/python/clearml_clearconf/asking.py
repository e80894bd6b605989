"""What Client and AsyncClient have in common: whom they ask, and how they go on
when that one is away."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Optional, Sequence

from . import questions
from .connection import WORKSPACE, find_socket
from .errors import NoDaemon
from .questions import Path, Question

if TYPE_CHECKING:
    from .answers import Update

_FIRST_PAUSE, _MAX_PAUSE = 0.1, 5.0  # seconds between tries to reconnect


class Asking:
    """Asks one daemon. socket: its path, find_socket() without one. workspace:
    by name; without one that of $CLEARCONF_WORKSPACE, else this process's own or
    the active one. timeout: seconds for each call, None waits
    for ever. optional: on a host that has no daemon get() gives its default,
    watch() ends, and configured() and exec_environment() leave everything as it
    is; a daemon that is there and refuses is an error all the same. any_server:
    trust the daemon whoever runs it, for tests; else it has to be root's or this
    process's own user's, or the system's."""

    def __init__(self, socket: Optional[str] = None, workspace: Optional[str] = None,
                 timeout: Optional[float] = 30.0, any_server: bool = False,
                 optional: bool = False) -> None:
        self.socket = socket
        self.workspace = workspace or os.environ.get(WORKSPACE) or None
        self.timeout = timeout
        self.any_server = any_server
        self.optional = optional

    def __repr__(self) -> str:
        said = [f"{name}={value!r}" for name, value in self.__dict__.items()
                if value not in (None, False)]
        return f"{type(self).__name__}({', '.join(said)})"

    def _find(self) -> str:
        return self.socket or find_socket()

    def _goes_without(self, error: NoDaemon) -> bool:
        """Is nobody there, and need nobody be?"""
        return self.optional and type(error) is NoDaemon


class Following:
    """Where a watch is: what it asks, and how long it waits before it asks
    again. It is the same daemon for ever: another one would tell of another
    configuration."""

    def __init__(self, asking: Asking, paths: Sequence[Path], since: Optional[int], values: bool,
                 reveal: Optional[bool]) -> None:
        self.asking, self.paths, self.values, self.reveal = asking, paths, values, reveal
        self.since = since
        self.begun = False
        self._pause = 0.0

    def question(self) -> Question[Update]:
        return questions.watch(self.paths, self.asking.workspace, self.since, self.values,
                               self.reveal)

    def heard(self, update: Update) -> Update:
        self.since, self._pause, self.begun = update.generation, 0.0, True
        return update

    def pause(self) -> float:
        self._pause = min(self._pause * 2, _MAX_PAUSE) or _FIRST_PAUSE
        return self._pause * random.uniform(0.75, 1.25)
