"""python -m clearml_clearconf exec [OPTION...] [--] COMMAND [ARG...]

Runs a command on the configuration, as `clearconf exec` does, for where there is
Python alone. It does not restart the command when the configuration changes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import warnings
from typing import List, NoReturn, Optional

from . import Client, Error, NotReady, __version__

NO_VAULTS, FAILED, NOT_EXECUTABLE, NOT_FOUND = 6, 125, 126, 127


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.exit(_say(f"{message}: see {self.prog} --help", FAILED))


def _parser() -> _Parser:
    parser = _Parser(prog="python -m clearml_clearconf")
    parser.add_argument("--version", action="version", version=__version__)
    run = parser.add_subparsers(dest="verb", required=True, metavar="exec").add_parser(
        "exec", help="run a command on the configuration", description=(
            "Run a command on the configuration. The exit status is the command's; 125: it was "
            "not started, 126: it cannot be, 127: there is none, 128+n: signal n ended it, 6: "
            "there are no vaults, and --require-vaults."))
    run.add_argument("--socket", metavar="PATH", help="of the daemon")
    run.add_argument("--workspace", metavar="NAME", help="in place of the active one")
    run.add_argument("--timeout", metavar="S", type=float, default=30.0,
                     help="seconds for the daemon to answer (30)")
    run.add_argument("--vaults", choices=("merged", "live"), default="merged",
                     help="into the file (merged), or read by ClearML itself")
    run.add_argument("--require-vaults", action="store_true",
                     help="wait for the vaults as long as --timeout; not without them")
    run.add_argument("--optional", action="store_true",
                     help="without a daemon run the command as it is")
    run.add_argument("command", metavar="COMMAND")
    run.add_argument("arguments", metavar="ARG", nargs=argparse.REMAINDER)
    return parser


def main(words: Optional[List[str]] = None) -> int:
    asked = _parser().parse_args(words)
    warnings.formatwarning = lambda text, *_: f"clearml_clearconf: warning: {text}\n"
    client = Client(asked.socket, asked.workspace, asked.timeout, optional=asked.optional)
    try:
        given = client.prepare(dict(os.environ), asked.vaults, asked.require_vaults)
    except Error as error:
        lacks = asked.require_vaults and isinstance(error, NotReady)
        return _say(str(error), NO_VAULTS if lacks else FAILED)
    command = [asked.command, *asked.arguments]
    try:
        if sys.platform == "linux" and given:
            from .running import run
            return run(command, given)
        return _become(command)
    except FileNotFoundError:
        return _say(f"there is no command {asked.command}", NOT_FOUND)
    except OSError as error:
        return _say(f"{asked.command}: {error.strerror}", NOT_EXECUTABLE)


def _say(text: str, status: int) -> int:
    print(f"clearml_clearconf: {text}", file=sys.stderr)
    return status


def _become(command: List[str]) -> int:
    """Nothing has to be done afterwards."""
    if sys.platform == "win32":
        return subprocess.call(command)
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
