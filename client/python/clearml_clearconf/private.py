"""A private folder in memory, 0700, for one clearml.conf.

It is $XDG_RUNTIME_DIR/clearconf/exec.PID, else one in /dev/shm, as that of
`clearconf exec`. Whoever uses it holds a lock on it by an open descriptor,
which forks inherit: the last one who leaves removes it. A folder that nobody
holds was left by somebody who was killed, and the next one who comes, or the
next `clearconf exec`, sweeps it away. To be imported where it is needed alone:
Windows, which has no daemon, lacks half of this.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import Dict, Iterator, Optional, Tuple

from .errors import Error
from .questions import Environment

FILE = "clearml.conf"
_PREFIX = "exec."
_TRIES = 1000


class PrivateFolder:
    """One that this process holds."""

    def __init__(self, place: str, name: str, descriptor: int) -> None:
        self.place, self.name, self.descriptor = place, name, descriptor
        self.status = os.fstat(descriptor)
        self.path = os.path.join(place, name, FILE)

    def write(self, name: str, text: str) -> None:
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600,
                       dir_fd=self.descriptor)
        with os.fdopen(file, "w", encoding="utf-8", newline="") as out:
            out.write(text)

    def read(self, name: str) -> Optional[str]:
        """None: there is no such file."""
        with contextlib.suppress(FileNotFoundError):
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self.descriptor)
            with os.fdopen(file, encoding="utf-8", newline="") as text:
                return text.read()
        return None

    def leave(self) -> None:
        """Removes it with all that is in it, unless somebody else holds it."""
        with contextlib.suppress(OSError):  # who became a daemon has closed it
            if os.path.samestat(os.fstat(self.descriptor), self.status):
                os.close(self.descriptor)
        with contextlib.suppress(OSError), _opened(self.place) as parent:
            _remove_unheld(parent, self.name)


def make(environ: Environment, files: Dict[str, str]) -> PrivateFolder:
    """A new one with these files; those of the dead are swept."""
    place = _place(environ)
    try:
        return _make(place, files)
    except OSError as error:
        raise Error(f"cannot make a private folder in {place}: {error.strerror}; set "
                    "XDG_RUNTIME_DIR to a folder of yours on a tmpfs") from error


def _make(place: str, files: Dict[str, str]) -> PrivateFolder:
    os.makedirs(place, mode=0o755, exist_ok=True)
    with _opened(place) as parent:
        status = os.fstat(parent)
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise Error(f"{place} must belong to you and be writable by nobody else")
        for name in os.listdir(parent):
            if name.startswith(_PREFIX):
                with contextlib.suppress(OSError):
                    _remove_unheld(parent, name)
        folder = PrivateFolder(place, *_claim(parent))
    try:
        for name, text in files.items():
            folder.write(name, text)
    except BaseException:
        folder.leave()
        raise
    return folder


def adopt(environ: Environment) -> Optional[PrivateFolder]:
    """That of whom this process is started by, when CLEARML_CONFIG_FILE is in
    one; it stays then until this process leaves it, too."""
    path = environ.get("CLEARML_CONFIG_FILE", "")
    place, name = os.path.split(os.path.dirname(path))
    if os.path.basename(path) != FILE or not name.startswith(_PREFIX):
        return None
    with contextlib.suppress(OSError, Error), _opened(place) as parent:
        if place != _place(environ):
            return None
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        with contextlib.suppress(BlockingIOError):  # an exec's, which will outlive us
            fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if _is_ours(parent, name, folder):
            return PrivateFolder(place, name, folder)
        os.close(folder)
    return None


# --- descriptors --------------------------------------------------------------

def _place(environ: Environment) -> str:
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


@contextlib.contextmanager
def _opened(name: str, parent: Optional[int] = None) -> Iterator[int]:
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        yield folder
    finally:
        os.close(folder)


def _is_ours(parent: int, name: str, folder: int) -> bool:
    """Somebody may sweep it between its making and its locking."""
    with contextlib.suppress(FileNotFoundError):
        there, here = os.stat(name, dir_fd=parent, follow_symlinks=False), os.fstat(folder)
        return os.path.samestat(there, here) and here.st_uid == os.geteuid()
    return False


def _claim(parent: int) -> Tuple[str, int]:
    """A new one's name and descriptor. The lock is a shared one, for adopt()."""
    for attempt in range(_TRIES):
        name = f"{_PREFIX}{os.getpid()}" + (f".{attempt}" if attempt else "")
        with contextlib.suppress(FileExistsError, FileNotFoundError, BlockingIOError):
            os.mkdir(name, 0o700, dir_fd=parent)
            folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            try:
                fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
                if _is_ours(parent, name, folder):
                    return name, folder
            except OSError:
                os.close(folder)
                raise
            os.close(folder)
    raise Error("cannot make a private folder for the configuration")


def _remove_unheld(parent: int, name: str) -> None:
    with _opened(name, parent) as folder:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_ours(parent, name, folder):
            for file in os.listdir(folder):
                os.unlink(file, dir_fd=folder)
            os.rmdir(name, dir_fd=parent)
