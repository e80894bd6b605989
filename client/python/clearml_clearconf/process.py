"""configure(): the configuration of a whole process."""

from __future__ import annotations

import atexit
import os
import threading
from typing import Optional

from . import environment, fast
from .client import Client
from .errors import Error
from .given import Wish, inherit

# An agent gives its tasks a configuration, in containers without a daemon, too;
# their vaults may be those of the task's owner.
_OF_A_TASK = ("CLEARML_TASK_ID", "TRAINS_TASK_ID")


class _Process:
    """Of this process; what it forks has a copy."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wish: Optional[Wish] = None
        self.path: Optional[str] = None

    def configure(self, client: Client, vaults: str, require_vaults: bool) -> Optional[str]:
        wish: Wish = (client.socket, client.workspace, vaults, require_vaults)
        with self.lock:
            if self.path is None:
                fast.refuse_when_late()
                self.path, self.wish = _start(client, wish), wish
            elif self.wish != wish:
                raise Error("this process is configured already, in another way")
            return self.path


def _start(client: Client, wish: Wish) -> Optional[str]:
    given = inherit(os.environ, wish)
    if not given and any(map(os.environ.get, _OF_A_TASK)):
        fast.log.info("a task of an agent's: it goes on with what the agent gives it")
        return None
    given = given or client.prepare(os.environ, *wish[2:])
    if not given:
        fast.log.info("no daemon: ClearML goes on by itself")
        return None
    environment.become(os.environ, given.environ)
    atexit.register(given.folder.leave)
    fast.install(given.folder.path, given.tree)
    return given.folder.path


_process = _Process()


def configure(*, workspace: Optional[str] = None, socket: Optional[str] = None,
              vaults: str = "merged", require_vaults: bool = False, optional: bool = False,
              timeout: Optional[float] = 30.0, any_server: bool = False) -> Optional[str]:
    """Points this process, and all that it starts from now on, at the
    configuration; to be called before clearml is used, best before anything.
    The path of the private file, which goes with the last of the process and its
    forks. None, and nothing is changed: there is no daemon and it is optional, or
    this is the task of an agent, which has configured it.

    Called again it does nothing. A process that was started by one that is
    configured, or by `clearconf exec`, takes what that one has. The arguments are
    those of Client and of its exec_environment()."""
    client = Client(socket, workspace, timeout, any_server, optional)
    return _process.configure(client, vaults, require_vaults)
