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

    def set_clock(self, seconds):
        """The wall clock is so far ahead."""
        (self.folder / "clock.new").write_text(f"{seconds}\n")
        os.replace(self.folder / "clock.new", self.folder / "clock")

    def set_machine_id(self, text):
        (self.folder / "machine-id").write_text(text)

    def take_names(self):
        (self.folder / "no-names").touch()

    def give_names(self):
        (self.folder / "no-names").unlink()

    def slow_names(self, seconds):
        """A look-up takes so long; 0: no time."""
        (self.folder / "names.new").write_text(f"{seconds}\n")
        os.replace(self.folder / "names.new", self.folder / "names-take")

    def fail(self, call, error):
        """From now on this call fails: see host_shim.c."""
        (self.folder / "fail.new").write_text(f"{error}\n")
        os.replace(self.folder / "fail.new", self.folder / f"fail-{call}")

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
