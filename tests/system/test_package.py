"""The package's life in a root that is not booted: installed, upgraded, removed, purged."""

import re
import shutil
import subprocess

import booted
import pytest
from booted import chroot, install
from harness import BUILD, ROOT

SETTINGS = "etc/clearconf/clearconfd.conf"
# What dpkg and ldconfig keep for themselves; the user stays, as its number may own files.
NOT_OURS = ("./var/lib/dpkg", "./usr/lib/python3/dist-packages/__pycache__", "./var/cache/ldconfig", "./var/log", "./etc/ld.so.cache", "./tmp",
            "./etc/passwd", "./etc/group", "./etc/shadow", "./etc/gshadow", "./etc/.pwd.lock")


@pytest.fixture
def root(debian_root):
    base = debian_root("bookworm", *booted.NEEDS).path
    path = booted.copy_root(base, base.parent / "package")
    yield path
    shutil.rmtree(path)


def state(root):
    done = chroot(root, "dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", "clearconf",
                  check=False)
    return done.stdout


def files(root):
    done = subprocess.run(["find", ".", "-xdev"], cwd=root, capture_output=True, text=True,
                          check=True)
    return {line for line in done.stdout.splitlines() if not line.startswith(NOT_OURS)}


def owner(root, path):
    return chroot(root, "stat", "-c", "%a %U:%G", path).stdout.strip()


def test_the_life_of_a_package(root, package, tmp_path):
    before = files(root)

    install(root, package)
    version = package.name.split("_")[1]
    assert state(root) == f"installed {version}"
    assert version in chroot(root, "clearconfd", "--version").stdout
    assert version in chroot(root, "clearconf", "--version").stdout
    assert owner(root, "/var/lib/clearconf") == "700 clearconf:clearconf"
    assert owner(root, "/run/clearconf") == "755 clearconf:clearconf"
    for unit in ("clearconfd.socket", "clearconfd.service"):
        assert chroot(root, "systemctl", "is-enabled", unit).stdout == "enabled\n"
    # The settings as shipped are good, and name a file that need not be there.
    [line] = chroot(root, "clearconfd", "--system", "--check").stdout.splitlines()
    assert line.startswith("warning: nothing is configured")

    # An upgrade keeps what the administrator wrote and disabled, and the state.
    settings = root / SETTINGS
    settings.write_text(settings.read_text() + "[poll]\ninterval = 2m\n")
    kept, mine = root / "var/lib/clearconf/lab.cache", settings.read_text()
    kept.write_text("last known good")
    chroot(root, "systemctl", "disable", "clearconfd.service")
    install(root, booted.repack(package, "99.0", tmp_path))
    assert state(root) == "installed 99.0"
    assert settings.read_text() == mine and kept.exists()
    assert chroot(root, "systemctl", "is-enabled", "clearconfd.service",
                  check=False).stdout == "disabled\n"

    # Removed: the programs and units are gone, settings and state wait.
    chroot(root, "dpkg", "--remove", "clearconf")
    assert settings.read_text() == mine and kept.exists()
    assert not (root / "usr/sbin/clearconfd").exists()
    assert not list((root / "usr/lib/systemd/system").glob("clearconf*"))

    # Purged: as if it had never been there.
    chroot(root, "dpkg", "--purge", "clearconf")
    assert state(root).startswith("not-installed") or state(root) == ""
    assert files(root) - before == set()


def test_what_is_the_administrators_survives_a_purge(root, package):
    install(root, package)
    booted.write(root, "etc/clearconf/secrets/lab", "key\n", 0o600)
    chroot(root, "dpkg", "--purge", "clearconf")
    assert (root / "etc/clearconf/secrets/lab").exists()
    assert not (root / SETTINGS).exists()


@pytest.mark.parametrize("name", ["daemon", "library", "python"])
def test_what_is_installed_serves(debian_root, packages, name):
    """debian/tests, as autopkgtest would run them."""
    needs = ("gcc", "libc6-dev", "pkg-config", "python3")
    base = debian_root("bookworm", *booted.NEEDS, *needs).path
    root = booted.copy_root(base, base.parent / "autopkgtest")
    booted.install(root, *packages)
    booted.serves(root, name)
    shutil.rmtree(root)


def test_lintian_has_no_complaint():
    """Errors and warnings; what it thinks possible beside that is its own."""
    if not shutil.which("lintian"):
        pytest.skip("lintian is not installed")
    [changes] = BUILD.glob("clearconf_*.changes")
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", changes],
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_every_place_names_one_version():
    version = re.search(r"^VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.M)[1]
    for path, pattern in (("systemd/deb/changelog", r"^clearconf \((\S+)\)"),
                          ("systemd/rpm/clearconf.spec", r"^Version: +(\S+)")):
        assert re.search(pattern, (ROOT / path).read_text(), re.M)[1] == version, path


def test_the_dependencies_are_those_of_the_programs(package):
    """A library that a program is linked to and that the package does not ask for fails a start."""
    control = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True,
                             text=True, check=True).stdout
    for name in booted.NEEDS:
        assert name in control or name == "systemd"


def test_a_tarball_is_what_is_committed(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    subprocess.run(["make", "-C", ROOT, "dist", f"B={tmp_path}"], check=True, capture_output=True)
    [tarball] = tmp_path.glob("clearconf-*.tar.gz")
    listed = subprocess.run(["tar", "-tzf", tarball], capture_output=True, text=True,
                            check=True).stdout.splitlines()
    top = tarball.name.removesuffix(".tar.gz") + "/"
    committed = subprocess.run(["git", "ls-tree", "-r", "--name-only", "HEAD"], cwd=ROOT,
                               capture_output=True, text=True, check=True).stdout.splitlines()
    assert {line for line in listed if not line.endswith("/")} == {top + each for each in committed}
