"""A command that runs on what it was given, until it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import List

from .given import Given

assert sys.platform == "linux"  # elsewhere there is no daemon, and half of this is missing

_FORWARDED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1,
              signal.SIGUSR2}
_WAITED = {*_FORWARDED, signal.SIGCHLD}
_FROM_KERNEL = 0x80  # SI_KERNEL: a terminal's, which the command gets as well


def run(command: List[str], given: Given) -> int:
    """Its exit status, 128+n of one that a signal has ended. The command holds
    the folder as well: should we be killed, it keeps its file."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED)
    try:
        child = subprocess.Popen(
            command, env=given.environ, pass_fds=[given.folder.descriptor],
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before))
        while child.poll() is None:
            said = signal.sigwaitinfo(_WAITED)
            if said.si_signo != signal.SIGCHLD and said.si_code != _FROM_KERNEL:
                child.send_signal(said.si_signo)
    finally:
        given.folder.leave()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode
