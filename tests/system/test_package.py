"""The package's life in a root that is not booted: installed, upgraded, removed, purged."""

import shutil
import subprocess

import booted
import pytest
from booted import chroot
from harness import ROOT

SETTINGS = "etc/clearconf/clearconfd.conf"
# What dpkg and ldconfig keep for themselves; the user stays, as its number may own files.
NOT_OURS = ("./var/lib/dpkg", "./var/cache/ldconfig", "./var/log", "./etc/ld.so.cache", "./tmp",
            "./etc/passwd", "./etc/group", "./etc/shadow", "./etc/gshadow", "./etc/.pwd.lock")


@pytest.fixture
def root(debian_root):
    base = debian_root("bookworm", *booted.NEEDS).path
    path = booted.copy_root(base, base.parent / "package")
    yield path
    shutil.rmtree(path)


def install(root, package):
    shutil.copy(package, root / "tmp")
    chroot(root, "dpkg", "--force-confold", "--install", f"/tmp/{package.name}")


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
    done = chroot(root, "clearconfd", "--system", "--check")
    assert done.stdout + done.stderr == ""

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
