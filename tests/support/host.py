"""A host that is made of this one by tests/support/host_shim.c, preloaded into the daemon."""

import functools
import os
import re
import shutil
import subprocess

import pytest
from harness import DAEMON, SUPPORT

needs_shim = pytest.mark.skipif(not shutil.which("cc"), reason="no compiler")


def build_shim(folder):
    """The shim, compiled into this folder."""
    path = folder / "host_shim.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", path, SUPPORT / "host_shim.c", "-ldl"], check=True)
    return path


@functools.cache
def sanitizer():
    """The library of a sanitizer, which wants to be loaded first; "": there is none."""
    linked = subprocess.run(["ldd", DAEMON], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(/\S*lib[at]san\S*)", linked)
    return found[1] if found else ""


class Host:
    """This machine as the shim shows it."""

    def __init__(self, folder, library):
        self.folder = folder
        self.env = {"LD_PRELOAD": f"{sanitizer()} {library}".strip(), "HOST_SHIM": str(folder)}

    def _write(self, name, number):
        """At one go: it is read all the time."""
        (self.folder / f"{name}.new").write_text(f"{number}\n")
        os.replace(self.folder / f"{name}.new", self.folder / name)

    def set_clock(self, seconds):
        """The wall clock is so far ahead."""
        self._write("clock", seconds)

    def sleep(self, seconds):
        """Both clocks are so far ahead, as after a sleep."""
        self._write("clock", seconds)
        self._write("slept", seconds)

    def set_name(self, name):
        (self.folder / "name").write_text(name)

    def set_machine_id(self, text):
        (self.folder / "machine-id").write_text(text)

    def take_names(self):
        (self.folder / "no-names").touch()

    def give_names(self):
        (self.folder / "no-names").unlink()

    def slow_names(self, seconds):
        """A look-up takes so long; 0: no time."""
        self._write("names-take", seconds)

    def fail(self, call, error):
        """From now on this call fails: see host_shim.c."""
        self._write(f"fail-{call}", error)

    def heal(self):
        """No call fails any more."""
        for each in self.folder.glob("fail-*"):
            each.unlink()


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return build_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def host(tmp_path, library):
    return Host(tmp_path, library)
