import pathlib
import subprocess

import pytest
from harness import BUILD

ROOT_SH = pathlib.Path(__file__).resolve().parent / "root.sh"

# Mounts end with the process: they are in a namespace of its own.
ENTER = """
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/mnt"
root=$1; shift 2
exec chroot "$root" "$@"
"""


class DebianRoot:
    """A root of another release; its programs see a folder of ours as /mnt."""

    def __init__(self, path):
        self.path = path

    def command(self, folder, *command):
        return ["unshare", "--mount", "sh", "-ec", ENTER, "sh", str(self.path),
                str(folder), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                "LANG=C.UTF-8", *map(str, command)]

    def run(self, folder, *command, **options):
        return subprocess.run(self.command(folder, *command), capture_output=True,
                              text=True, timeout=60, **options)


@pytest.fixture(scope="session")
def debian_root():
    """debian_root(suite, package...): a DebianRoot; skips where there is none."""
    def make(suite, *packages):
        done = subprocess.run([ROOT_SH, suite, *packages], capture_output=True,
                              text=True, timeout=1800)
        if done.returncode == 77:
            pytest.skip(f"no Debian root can be had here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        return DebianRoot(pathlib.Path(done.stdout.strip()))
    return make


@pytest.fixture(scope="session")
def package():
    """The daemon's package that make deb made."""
    found = list(BUILD.glob("clearconf_*.deb"))
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="session")
def packages():
    """All of them but symbols for debuggers."""
    return sorted(each for each in BUILD.glob("*.deb") if "-dbgsym" not in each.name)
