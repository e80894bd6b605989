"""The package in a machine that boots: systemd starts the daemon, feeds it, watches it.

One machine for all of it; the tests stand in the order of its life, and each leaves it well.
"""

import concurrent.futures
import pathlib
import re
import shutil

import booted
import hostile
import pytest
from booted import SETTINGS, SOCKET, VAULT_SECRET, Machine, vault_text
from clearml_state import SECRET_KEY
from harness import wait_until

PACKAGES = (*booted.NEEDS, "systemd-sysv", "dbus", "libpam-systemd", "python3")
SERVICE, DAEMON_SOCKET = "clearconfd.service", "clearconfd.socket"
DENIED, NO_DAEMON = 5, 4
PROBLEM = "unknown section"  # of settings that are broken


@pytest.fixture(scope="module")
def root(debian_root, package):
    """A root with the package and its settings, not yet booted."""
    if why := booted.is_possible():
        pytest.skip(f"no machine can boot here: {why}")
    base = debian_root("bookworm", *PACKAGES).path
    path = booted.copy_root(base, base.parent / "booted")
    shutil.copy(package, path / "tmp")
    booted.chroot(path, "dpkg", "--install", f"/tmp/{package.name}")
    booted.furnish(path)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def machine(root, tmp_path_factory):
    with Machine(root, tmp_path_factory.mktemp("machine") / "console") as running:
        yield running


def test_everything_has_started(machine):
    assert machine.state() == "running", machine.run("systemctl", "--failed").stdout
    for unit in (SERVICE, DAEMON_SOCKET):
        assert machine.is_active(unit)
        assert machine.run("systemctl", "is-enabled", unit).stdout == "enabled\n"


def test_it_said_that_it_is_ready_and_how_it_stands(machine):
    """A unit of Type=notify is active only once its daemon has said so."""
    assert machine.show("Type") == "notify"
    assert machine.status()["instance"] == "system"
    assert "1" in machine.run("clearconf", "status", "--wait", "10").stdout
    assert machine.show("StatusText")
    assert int(machine.show("WatchdogUSec").rstrip("s")) == 4


def test_the_secret_comes_as_a_credential(machine):
    """It has logged in with what it could not have read itself."""
    secret = "/etc/clearconf/secrets/lab"
    assert machine.run("cat", secret, user="clearconf", check=False).returncode != 0
    machine.wait_turn(1)
    status = machine.status()
    assert status["state"] == "ready"
    [workspace] = status["workspaces"]
    assert workspace["name"] == "lab" and "last_error" not in workspace["server"]


def test_no_warning_so_far(machine):
    assert machine.journal("-u", SERVICE, "-p", "warning") in ("", "-- No entries --\n")


def test_each_user_gets_what_is_theirs(machine):
    """The daemon sees who asks: two users with different rights, one without, and root."""
    assert machine.get("team", "--mask", user="reader") == {"name": "reindeer", "token": "****"}
    assert machine.run("clearconf", "get", "team.token", user="reader",
                       check=False).returncode == DENIED
    assert machine.get("team", user="keeper")["token"] == VAULT_SECRET
    refused = machine.run("clearconf", "get", "turn", user="stranger", check=False)
    assert refused.returncode == DENIED and "denied" in refused.stderr.lower()
    assert machine.run("clearconf", "get", "team.token").stdout == VAULT_SECRET + "\n"


def test_its_own_processes_can_do_little(machine):
    """What the unit promises holds for the process: no capability, no new one, its own user."""
    status = machine.run("cat", f"/proc/{machine.main_pid()}/status").stdout
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1",
                 "Seccomp:\t2"):
        assert line in status
    uid = machine.run("id", "-u", "clearconf").stdout.strip()
    assert re.search(rf"^Uid:\t{uid}\t{uid}\t{uid}\t{uid}$", status, re.M)


# As somebody who may not: read what it keeps, get at its memory, take its place, end it.
TRESPASSES = [
    "cat /etc/clearconf/clearml.conf", "cat /etc/clearconf/secrets/lab", "ls /etc/clearconf/secrets",
    "ls /var/lib/clearconf", "cat /var/lib/clearconf/cache/lab.cache", "touch /var/lib/clearconf/x",
    "ls /run/credentials/clearconfd.service", "cat /run/credentials/clearconfd.service/secret_lab",
    "cat /proc/PID/environ", "cat /proc/PID/mem", "cat /proc/PID/maps", "ls /proc/PID/fd",
    "ls /proc/PID/root/", "cat /proc/PID/auxv", "echo 0 > /proc/PID/oom_score_adj",
    "touch /run/clearconf/x", "rm /run/clearconf/clearconf.sock", "ln -s /tmp /run/clearconf/link",
    "mv /run/clearconf/clearconf.sock /tmp/taken", "mv /run/clearconf /run/taken",
    "chmod 600 /run/clearconf/clearconf.sock", "mkdir /run/clearconf-dump",
    "kill -KILL PID", "kill -HUP PID", "kill -STOP PID", "renice -n 19 -p PID",
    "systemctl --no-ask-password stop clearconfd.service",
    "systemctl --no-ask-password stop clearconfd.socket",
    "systemctl --no-ask-password start clearconf-dump@keeper.service",
    "clearconf reload", "clearconf token", "clearconf workspace use lab",
    "clearconf get team.token", "clearconf exec true", "clearconf dump --output ~/x",
]
# Says to systemd that the daemon is going, and that its process is another.
NOTIFY = ("import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
          "s.connect('/run/systemd/notify'); s.send(b'STOPPING=1\\nMAINPID=%d' % os.getpid())")
FALSE = """
import os, socket, time
os.umask(0)
listener = socket.socket(socket.AF_UNIX)
listener.bind("/tmp/false.sock")
listener.listen()
time.sleep(30)
"""


@pytest.mark.parametrize("user", ["stranger", "reader"])
def test_a_user_cannot_get_at_it(machine, user):
    pid = machine.main_pid()
    done = {trespass: machine.run("sh", "-c", trespass.replace("PID", str(pid)), user=user,
                                  check=False, env=(f"HOME=/home/{user}",))
            for trespass in TRESPASSES}
    assert [trespass for trespass, each in done.items() if each.returncode == 0] == []
    said = "".join(each.stdout + each.stderr for each in done.values())
    assert VAULT_SECRET not in said and SECRET_KEY not in said
    machine.run("python3", "-c", NOTIFY, user=user)
    assert machine.main_pid() == pid and machine.is_active(SERVICE)
    assert machine.get("turn") == 1


def test_a_user_cannot_take_its_place(machine):
    """Who is pointed to another's socket is told so, and told nothing else."""
    with concurrent.futures.ThreadPoolExecutor() as beside:
        false = beside.submit(machine.run, "timeout", "10", "python3", "-c", FALSE, user="stranger",
                              check=False)
        wait_until(lambda: machine.run("test", "-S", "/tmp/false.sock", check=False).returncode == 0,
                   "the false socket")
        for user in ("keeper", None):
            done = machine.run("clearconf", "--socket", "/tmp/false.sock", "get", user=user, check=False)
            assert done.returncode == NO_DAEMON, done.stderr
        false.result()


@pytest.mark.parametrize("user", ["stranger", "reader"])
def test_a_user_who_does_all_the_harm_there_is_stops_nobody(machine, user):
    """By the socket, as the unit has it: with its limits of memory, descriptors and tasks."""
    pid = machine.main_pid()
    with concurrent.futures.ThreadPoolExecutor() as beside:
        attack = beside.submit(machine.run, "python3", "-c", hostile.ATTACK, SOCKET, "8", "junk",
                               user=user)
        gets = 0
        while not attack.done():
            assert machine.get("turn") == 1
            gets += 1
        attack.result()
    assert gets > 5 and machine.main_pid() == pid
    assert int(machine.show("MemoryPeak") or 0) < int(machine.show("MemoryMax"))
    assert machine.show("NRestarts") == "0"


def test_a_question_starts_it(machine):
    """Socket activation: the socket is systemd's and stays while the daemon is away."""
    machine.run("systemctl", "stop", SERVICE)
    assert machine.is_active(DAEMON_SOCKET) and not machine.is_active(SERVICE)
    before = machine.run("stat", "-c", "%i", SOCKET).stdout
    assert machine.get("turn") == 1
    wait_until(lambda: machine.is_active(SERVICE), "the service")
    assert machine.run("stat", "-c", "%i %a %U", SOCKET).stdout.split() == [before.strip(), "666",
                                                                           "root"]


def test_reload_takes_new_settings(machine):
    pid = machine.main_pid()
    settings = pathlib.Path(machine.root) / "etc/clearconf/clearconfd.conf"
    settings.write_text(SETTINGS.replace("read = reader", "read = stranger reader"))
    machine.run("systemctl", "reload", SERVICE)
    wait_until(lambda: machine.run("clearconf", "get", "turn", user="stranger",
                                   check=False).returncode == 0, "the right")
    settings.write_text(SETTINGS)
    machine.run("systemctl", "reload", SERVICE)
    wait_until(lambda: machine.run("clearconf", "get", "turn", user="stranger",
                                   check=False).returncode == DENIED, "the right's end")
    assert machine.main_pid() == pid


def test_reload_of_broken_settings_changes_nothing(machine):
    settings = pathlib.Path(machine.root) / "etc/clearconf/clearconfd.conf"
    settings.write_text(SETTINGS + "[nonsense]\na = 1\n")
    machine.run("systemctl", "reload", SERVICE)
    try:
        wait_until(lambda: PROBLEM in machine.run("clearconf", "status").stdout, "the problem")
        assert machine.get("turn") == 1 and machine.is_active(SERVICE)
    finally:
        settings.write_text(SETTINGS)
        machine.run("systemctl", "reload", SERVICE)
    wait_until(lambda: PROBLEM not in machine.run("clearconf", "status").stdout, "its end")


def test_a_daemon_that_hangs_is_restarted(machine):
    """Stopped, it gives no sign of life; systemd ends it and starts another."""
    before = machine.kill("STOP")
    machine.wait_restarted(before)
    assert machine.get("turn") == 1
    assert "Watchdog timeout" in machine.journal("-u", SERVICE)


def test_killed_without_a_server_it_serves_what_it_had(machine):
    machine.order(set_vaults=[vault_text(2)])
    machine.wait_turn(2)
    generation = machine.status()["generation"]
    machine.run("systemctl", "stop", "stand-in.service")
    machine.wait_restarted(machine.kill("KILL"))
    assert machine.get("turn") == 2
    assert machine.get("team", user="keeper")["token"] == VAULT_SECRET
    wait_until(lambda: machine.status()["state"] == "offline", "offline")
    assert machine.status()["generation"] > generation
    assert "refused" in machine.status()["workspaces"][0]["server"]["last_error"]


def test_the_server_returns(machine):
    machine.run("systemctl", "start", "stand-in.service")  # with the first vault
    machine.wait_turn(1)
    wait_until(lambda: machine.status()["state"] == "ready", "ready")


def test_dumps_for_a_user_are_kept_current(machine):
    """clearconf-dump@keeper.service: a file that is theirs alone, and follows the vault."""
    machine.run("systemctl", "start", "clearconf-dump@keeper.service")
    path = "/run/clearconf-dump/keeper/clearml.conf"
    wait_until(lambda: machine.run("test", "-s", path, check=False).returncode == 0, "the dump")
    assert machine.run("stat", "-c", "%a %U", path).stdout == "600 keeper\n"
    machine.order(set_vaults=[vault_text(3)])
    wait_until(lambda: re.search(r"turn\W+3\b", machine.run("cat", path).stdout), "the new value")
    machine.run("systemctl", "stop", "clearconf-dump@keeper.service")


def test_a_user_may_have_an_instance_too(machine):
    """The user units: the user's own clearml.conf, which the system's instance never reads."""
    machine.run("loginctl", "enable-linger", "stranger")
    uid = machine.run("id", "-u", "stranger").stdout.strip()
    wait_until(lambda: machine.is_active(f"user@{uid}.service"), "the user's manager")
    booted.write(machine.root, "home/stranger/clearml.conf", "mine: 1\n")
    env = (f"XDG_RUNTIME_DIR=/run/user/{uid}", "HOME=/home/stranger")
    machine.run("systemctl", "--user", "start", DAEMON_SOCKET, user="stranger", env=env)
    assert machine.run("clearconf", "get", "mine", user="stranger", env=env).stdout == "1\n"
    assert machine.run("systemctl", "--user", "is-active", SERVICE, user="stranger",
                       env=env).stdout == "active\n"
    machine.run("loginctl", "disable-linger", "stranger")


def test_an_upgrade_restarts_it_and_keeps_the_socket(machine, package, tmp_path):
    newer = booted.repack(package, "99.0", tmp_path)
    shutil.copy(newer, machine.root / "root")
    pid, inode = machine.main_pid(), machine.run("stat", "-c", "%i", SOCKET).stdout
    machine.run("dpkg", "--install", f"/root/{newer.name}", env=("DEBIAN_FRONTEND=noninteractive",))
    assert machine.main_pid() not in (0, pid)
    assert machine.run("stat", "-c", "%i", SOCKET).stdout == inode
    assert machine.get("turn") == 3
    assert machine.run("cat", "/etc/clearconf/clearconfd.conf").stdout == SETTINGS


def test_the_journal_tells_the_story_and_no_secret(machine):
    journal = machine.journal("-b")
    for secret in (SECRET_KEY, VAULT_SECRET, "Bearer ", "eyJ"):
        assert secret not in journal
    ours = machine.journal("-u", SERVICE)
    for event in ("event=ready", "event=reload", "event=settings-refused", "event=server-failed",
                  "event=vaults-from-cache", "event=server-recovered", "event=stopping"):
        assert event in ours, ours
    errors = machine.journal("-u", SERVICE, "-p", "err").splitlines()
    assert not [line for line in errors if "event=" in line]


def test_a_machine_whose_server_is_away_boots_with_what_it_had(root, machine, tmp_path):
    """The last test: the machine is powered off, and boots again without the server."""
    generation = machine.status()["generation"]
    machine.__exit__()
    booted.chroot(root, "systemctl", "disable", "stand-in.service")
    with Machine(root, tmp_path / "console") as again:
        assert again.is_active(SERVICE)
        assert again.get("turn") == 3 and again.status()["generation"] > generation
        wait_until(lambda: again.status()["state"] == "offline", "offline")
