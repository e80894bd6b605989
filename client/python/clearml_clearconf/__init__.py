"""The ClearML configuration of this host, from clearconfd.

    import clearml_clearconf.auto  # all of the process is configured
    import clearml                 # reads what the daemon has resolved

    import clearml_clearconf as clearconf

    client = clearconf.Client()
    region = client.get("sdk.aws.s3.region", default="us-east-1")
    for leaf in client.explain("agent"):
        print(leaf.path, leaf.value, leaf.origin)
    for update in client.watch("sdk", "agent"):
        for change in update.changes:
            print(update.generation, change.kind, change.path)

The daemon answers on a Unix socket, from memory. AsyncClient is the same with
`await`. Errors are exceptions of the names that the daemon's interface,
io.clearconf, gives them.

Python 3.8 and later; nothing but the standard library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .client import Client
from .connection import find_socket
from .errors import (AccessDenied, BrokenConfiguration, DaemonError, Error, InvalidPath, NoDaemon,
                     NoStorageMatch, NotReady, PathNotFound, ProtocolError, QuotaExceeded,
                     ServerError, TimedOut, UnknownGeneration, UnknownWorkspace, UnusableDaemon)
from .hocon import render_hocon
from .process import configure
from .questions import join_path

if TYPE_CHECKING:
    from .answers import (Arrival, ArrivalDecision, Arrivals, ArrivingVault, Candidate, Change,
                          Consumer, Credential, Difference, Generation, Hold, KeyPair, Leaf, Origin,
                          Reload, Problem, ReloadFailure, Rotation, Storage, StorageCandidate, Token, Update,
                          VaultCheck, Worker)
    from .asynchronous import AsyncClient

__all__ = [
    "AccessDenied", "Arrival", "ArrivalDecision", "Arrivals", "ArrivingVault", "AsyncClient",
    "BrokenConfiguration", "Candidate", "Change", "Client", "Consumer", "Credential", "DaemonError",
    "Difference", "Error", "Generation", "Hold", "InvalidPath", "KeyPair", "Leaf", "NoDaemon", "NoStorageMatch",
    "NotReady", "Origin", "PathNotFound", "Problem", "ProtocolError", "QuotaExceeded", "Reload",
    "ReloadFailure", "Rotation", "ServerError", "Storage", "StorageCandidate", "TimedOut", "Token",
    "UnknownGeneration", "UnknownWorkspace", "UnusableDaemon", "Update", "VaultCheck", "Worker", "configure",
    "find_socket", "join_path", "render_hocon",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """What takes its time to be made is made for who asks for it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "asynchronous" if name == "AsyncClient" else "answers"
    return getattr(import_module(f"{__name__}.{module}"), name)
