"""Kernels that can hold a process fast, or not yet, and processes with the PID of one that has ended."""

import contextlib
import errno
import pathlib
import subprocess
import time

import pytest

LAST_PID = pathlib.Path("/proc/sys/kernel/ns_last_pid")
TICK = 0.01  # seconds: the kernel tells in such steps when a process has begun

# What each cannot do: ask a socket for its process, ask for one by its PID.
KERNELS = {
    "6.5": {},
    "5.3": {"SO_PEERPIDFD": errno.ENOPROTOOPT},
    "4.19": {"SO_PEERPIDFD": errno.ENOPROTOOPT, "pidfd_open": errno.ENOSYS},
}


@pytest.fixture(params=KERNELS)
def kernel(request, home, host):
    """What runs in the home from now on has such a kernel."""
    for call, error in KERNELS[request.param].items():
        host.fail(call, error)
    home.env.update(host.env)
    return request.param


@contextlib.contextmanager
def next_of(pid):
    """A process with this PID, of which the one before has ended."""
    time.sleep(2 * TICK)
    process = None
    while not process or process.pid != pid:
        if process:
            process.kill()
            process.wait()
        try:
            LAST_PID.write_text(str(pid - 1))
        except OSError:
            pytest.skip("no process can have a number of one's choice")
        process = subprocess.Popen(["sleep", "600"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()
