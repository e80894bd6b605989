"""A disk that is really full, by a small one: everything that is served stays, who asked is told,
no half of a file is left, and once there is room all of it works. test_full_disk.py has the same by
faults of each call."""

import os
import pathlib
import subprocess
import tempfile

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import FAST, Daemon, Home, wait_until

KIB = 1 << 10
NO_ROOM = os.strerror(28)
WORKSPACE = ("[workspace {name}]\napi_server = {url}\ncredentials_file = pair.conf\nactive = {active}\n")


class SmallDisk:
    """A mounted tmpfs; full() and roomy() say what it is."""

    def __init__(self, path):
        self.path, self.ballast = path, path / "ballast"

    def full(self):
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while file.write(b"x" * KIB):
                    pass
            except OSError:
                pass

    def roomy(self):
        self.ballast.unlink()

    def files(self):
        return sorted(str(each.relative_to(self.path)) for each in self.path.rglob("*")
                      if each.is_file() and each != self.ballast)


@pytest.fixture
def disk():
    """In a folder of a short name: there is a socket on it, too."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="disk"))
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", path],
                                      capture_output=True, check=False).returncode:
        path.rmdir()
        pytest.skip("no disk can be mounted here")
    yield SmallDisk(path)
    subprocess.run(["umount", "--lazy", path], check=True)
    path.rmdir()


@pytest.fixture
def small(disk, server):
    """A home on the disk, but for the log."""
    home = Home(disk.path / "home")
    home.settings(FAST.replace("timeout = 10s", "timeout = 3s") +
                  WORKSPACE.format(name="red", url=server.url, active="yes") +
                  WORKSPACE.format(name="blue", url=server.url, active="no"))
    home.write("config/clearconf/pair.conf",
               f"api.credentials {{ access_key: {ACCESS_KEY}, secret_key: \"{SECRET_KEY}\" }}\n")
    (home.path / "config/clearconf/pair.conf").chmod(0o600)
    home.conf('files.f { path: "~/made/f", contents: one }')
    return home


@pytest.fixture
def served(small, tmp_path):
    daemon = Daemon(small)
    daemon.log_path = tmp_path / "daemon.log"
    with daemon:
        daemon.wait_state("ready")
        yield daemon


def keys(server):
    return {pair.access_key for pair in server.state.user().credentials}


def test_what_is_served_stays_and_all_is_kept_later(small, served, server, disk, tmp_path):
    server.state.set_vaults(["turn: 1"])
    served.wait_value("turn", 1)
    cache = small.path / "state/clearconf/cache/red.cache"
    wait_until(lambda: b"turn: 1" in cache.read_bytes(), "the cache")
    disk.full()
    before = disk.files()
    for turn in range(2, 12):
        server.state.set_vaults([f"turn: {turn}\ntext: {'y' * 10 * KIB}"])
        served.wait_value("turn", turn)
    wait_until(lambda: "event=cache-not-written" in served.log(), "the warning")
    assert served.log().count("event=cache-not-written") <= 2  # workspaces
    assert b"turn: 1" in cache.read_bytes() and disk.files() == before
    small.client("workspace", "use", "blue", check=0)
    assert served.workspace("blue")["active"]
    disk.roomy()
    server.state.set_vaults(["turn: 99"])
    served.wait_value("turn", 99, workspace="red")
    wait_until(lambda: b"turn: 99" in cache.read_bytes(), "the cache")
    generation = served.call("Get")["generation"]
    served.stop()
    again = Daemon(small, "--offline")
    again.log_path = tmp_path / "again.log"
    with again:
        assert again.get("turn", workspace="red") == 99
        assert again.call("Get")["generation"] > generation


def test_a_rotation_makes_no_key_that_it_cannot_keep(small, served, server, disk):
    disk.full()
    done = small.client("credentials", "rotate", check=6)
    assert NO_ROOM in done.stderr and keys(server) == {ACCESS_KEY}
    disk.roomy()
    small.client("credentials", "rotate", "--grace", "0", check=0)
    wait_until(lambda: ACCESS_KEY not in keys(server), "the end of the old pair")


def test_the_client_writes_all_or_nothing(small, served, disk):
    out = small.path / "out.conf"
    small.client("dump", "--output", out, check=0)
    before = out.read_bytes()
    small.conf(f'files.f {{ path: "~/made/f", contents: two }}\nmore: "{"z" * 5000}"')
    served.wait_value("more", "z" * 5000)
    disk.full()
    done = small.client("dump", "--output", out, check=1)
    assert NO_ROOM in done.stderr and out.read_bytes() == before
    done = small.client("exec", "--", "echo", "ran", check=125)
    assert NO_ROOM in done.stderr and "ran" not in done.stdout
    assert not list((small.run / "clearconf").glob("exec.*")) and not list(small.path.glob("made/*"))
    disk.roomy()
    small.client("dump", "--output", out, check=0)
    done = small.client("exec", "--files", "--", "echo", "ran", check=0)
    assert done.stdout == "ran\n" and (small.path / "made/f").read_text() == "two"
    assert b"zzz" in out.read_bytes()


def test_a_start_without_room_serves(small, server, disk, tmp_path):
    server.state.set_vaults(["turn: 5"])
    disk.full()
    daemon = Daemon(small)
    daemon.log_path = tmp_path / "daemon.log"
    with daemon:
        daemon.wait_value("turn", 5)
        first = daemon.call("Get")["generation"]
        disk.roomy()
        server.state.set_vaults(["turn: 6"])
        daemon.wait_value("turn", 6)
        assert daemon.call("Get")["generation"] > first
