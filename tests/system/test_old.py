"""Old hosts: the package is built, tried and tested on Debian 11, and with the oldest libraries."""

import os
import pathlib
import re
import shutil
import subprocess

import booted
import pytest
from harness import BUILD, ROOT

TESTS = ("libcmocka-dev", "openssl", "python3-pytest", "python3-pytest-xdist", "python3-yaml",
         "python3-prometheus-client", "python3-setuptools", "python3-wheel",
         "etcd-server", "etcd-client", "strace", "g++", "git", "procps", "ca-certificates")
# For libraries out of git. gcc 9 is the oldest that Debian 11 has.
FOR_LIBRARIES = ("autoconf", "automake", "libtool", "libssl-dev", "zlib1g-dev", "gcc-9")
LIBRARIES = ("curl", "libuv", "jansson", "libyaml", "inih")
FLAGS = "-O2 -g -Werror"
HOUR = 3600
ENTER = """
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
exec chroot "$@"
"""


def needed(name):
    """The packages that a list of the Makefile names."""
    text = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    return re.search(rf"^{name}\s*:= (.*)$", text, re.M)[1].split()


@pytest.fixture(scope="module")
def old(debian_root):
    """A Debian 11 with this tree in /src, to spoil."""
    base = debian_root("bullseye", *needed("DEPS_BUILD"), *needed("DEPS_DEB"), *TESTS,
                       *FOR_LIBRARIES).path
    root = booted.copy_root(base, base.parent / "old")
    subprocess.run([ROOT / "systemd/tree.sh", root / "src"], check=True, capture_output=True)
    yield root
    shutil.rmtree(root)


def run(root, script, log):
    """What the script says, in the root; also in build/LOG, for people."""
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec",
               ENTER, "sh", str(root), "env", "-i",
               "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root",
               "DEBIAN_FRONTEND=noninteractive", "sh", "-ec", f"cd /src\n{script}"]
    with open(BUILD / log, "w") as out:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT, timeout=HOUR)
    text = (BUILD / log).read_text()
    assert done.returncode == 0, text[-4000:]
    return text


def passed(text):
    [(passed, failed)] = re.findall(r"^(\d+) passed, (\d+) failed", text, re.M)
    return failed == "0" and int(passed) > 1000


# The tests that need Go, and so a newer one, are left out.
MAKE_TEST = "make TESTS=tests/e2e DEPS_TEST= -j$(nproc) test"


def test_debian_11_builds_and_serves(old):
    run(old, "make deb", "old-deb.log")
    packages = sorted(each for each in (old / "src/build").glob("*.deb")
                      if "-dbgsym" not in each.name)
    assert len(packages) == 4
    booted.install(old, *packages)
    for name in ("daemon", "library", "python"):
        booted.serves(old, name)


def test_debian_11_passes_the_tests(old):
    assert passed(run(old, f"{MAKE_TEST} CFLAGS='{FLAGS}'", "old-test.log"))


def test_the_oldest_libraries_pass_the_tests(old):
    """And what is linked needs nothing of a C library that EL 8 does not have."""
    sources = os.environ.get("OLD_SOURCES")
    if not sources:
        pytest.skip("OLD_SOURCES names no folder with sources: see tests/system/old_libraries.sh")
    for name in LIBRARIES:
        shutil.copytree(pathlib.Path(sources) / name, old / "sources" / name, symlinks=True)
    run(old, "CC=gcc-9 tests/system/old_libraries.sh /sources /libraries", "old-libraries.log")
    text = run(old, "export PKG_CONFIG_PATH=/libraries/lib/pkgconfig\n"
               f"{MAKE_TEST} B=build/libraries CC=gcc-9 CFLAGS='{FLAGS}' "
               "LDFLAGS=-Wl,-rpath,/libraries/lib\n"
               "objdump -T build/libraries/clearconfd build/libraries/clearconf", "old-oldest.log")
    assert passed(text)
    wanted = {tuple(map(int, each)) for each in re.findall(r"GLIBC_(\d+)\.(\d+)", text)}
    assert max(wanted) <= (2, 28)
