"""The world of world.py with all that is rough, all at once, by a seed: workspaces that are switched,
other users, rights that come and go, an etcd that freezes, clocks that jump, disks that fail, no
memory, no descriptors, kills; and programs of ours that follow the configuration meanwhile.

    storm.py SECONDS [SEED]

What may never happen is asserted as it goes: the daemon ends by itself, a reply is none that the
interface declares, tells another company's vault, or a secret to who may have none. At the end the
faults are over: what is there last is served, and everybody who follows has it.
"""

import contextlib
import errno
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from clearml_server import ACCESS_KEY, COMPANY_ID, SECRET_KEY, USER_ID, ClearMLServer
from etcd import EtcdError, Node
from etcd import version as etcd_version
from harness import CLIENT, INTERFACE, SANITIZED, wait_until
from host import Host, build_shim
from hostile import Attack
from varlink import Connection, VarlinkError
from world import CALLS, PAUSE, TELLTALE, World, take

FOLLOWERS_MAX = 6
ERRANDS_MAX = 20
STRANGER = 4242  # a uid that nobody has
DOCUMENT, ROLLOUT = "storm.conf", "storm.conf.rollout/"
# Who is started with & by a shell has SIGINT ignored, and so have its programs.
ENDS = [number for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
        if signal.getsignal(number) != signal.SIG_IGN]
STAGES = ("off", "off", "50 % for 2s", "0.01 % for 1h")
DAY = 86400
KINDS = ("watch", "status", "dump", "exec")
# A program may end so by itself while there is no daemon, no right, no server.
OWN_ENDS = {0, 1, 4, 5, 6, 125}
# The child of exec tells what it finds; a restart is another child.
CHILD = """
import os, time
with open(os.environ["CLEARML_CONFIG_FILE"]) as found, open({said!r} + ".new", "w") as said:
    said.write(found.read())
os.rename({said!r} + ".new", {said!r})
time.sleep(1000)
"""


class Follower:
    """A program of ours that follows the configuration."""

    def __init__(self, kind, number, daemon):
        home = daemon.home
        self.kind, self.said = kind, home.path / f"{kind}.{number}.said"
        self.errors = home.path / f"{kind}.{number}.errors"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [CLIENT, "--socket", daemon.socket, *self.words()], env=home.env,
                cwd=home.path / "cwd", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=errors, start_new_session=True)

    def words(self):
        said = str(self.said)
        return {"watch": ["watch", "--values", "--reveal"],
                "status": ["status", "--watch"],
                "dump": ["dump", "--watch", "--output", said],
                "exec": ["exec", "--on-change=restart", "--grace=2", "--", "/usr/bin/python3", "-c",
                         CHILD.format(said=said)]}[self.kind]

    def has(self, pattern):
        """Does what it keeps hold this? Who keeps nothing is believed."""
        if self.kind not in ("dump", "exec"):
            return True
        return self.said.exists() and re.search(pattern, self.said.read_text(errors="replace"))

    def has_ended(self):
        return self.process.poll() is not None

    def end(self, number):
        """By a signal, if it has not ended; how it did."""
        for each in (number, signal.SIGCONT):
            self.process.send_signal(each)
        status = self.process.wait(timeout=60)
        with contextlib.suppress(ProcessLookupError):  # what is left of exec's child
            os.killpg(self.process.pid, signal.SIGKILL)
        return status

    def complaints(self):
        """What it has said that nobody should: a sanitizer's words, a secret."""
        return complaints(self.errors)


# ThreadSanitizer knows a descriptor by its number, which the kernel gives again: to a file of another
# thread's, when libuv has closed a connection by a system call of its own that nobody saw.
OF_NUMBERS = re.compile(r"WARNING: ThreadSanitizer: data race(?:(?!={18}).)*"
                        r"Location is file descriptor(?:(?!={18}).)*|ThreadSanitizer: reported [^\n]*", re.S)


def complaints(path):
    """Of a file of errors."""
    text = OF_NUMBERS.sub("", path.read_text(errors="replace"))
    found = re.search(rf"runtime error|Sanitizer|{TELLTALE}", text)
    return f"{path.name}: {text[max(0, found.start() - 500):][:6000]}" if found else ""


class Storm(World):
    """What is not to be had here is not in it: `lacks` names that."""

    KEYS = {"one": (ACCESS_KEY, SECRET_KEY), "two": ("KEYOFTWO", "secret-of-two-0123456789")}

    def __init__(self, folder, server, seed):
        folder, self.server = pathlib.Path(folder), server
        other = server.state.add_company("second")
        server.state.users[USER_ID].tenants.append(other)
        server.state.add_credentials(access_key="KEYOFTWO", secret_key=self.KEYS["two"][1], company=other)
        self.companies = {"one": COMPANY_ID, "two": other}
        self.followers, self.errands, self.lacks = [], [], []
        self.attack = self.limits = None
        self.starved = False  # since its start
        self.count = self.deaths = 0
        self.is_over = False
        self.etcd = Node(folder) if self.has(etcd_version() >= (3, 4), "etcd") else None
        self.host = None
        if self.has(shutil.which("cc"), "a compiler"):
            self.host = Host(folder, build_shim(folder))
        self.is_root = self.has(os.geteuid() == 0, "root")
        self.bounds_memory = self.has(not SANITIZED, "bounds of memory, under a sanitizer")
        folder.chmod(0o755)  # others reach the socket
        super().__init__(folder / "home", server, seed, "--socket", folder / "socket",
                         env=self.host.env if self.host else {})

    def has(self, there, what):
        if not there:
            self.lacks.append(what)
        return there

    def settle(self, level):
        rights = [f"read = {STRANGER}"] if self.random.random() < 0.5 else []
        site = [f"etcd = {self.etcd.url}", "probe = 1s", "report = yes"] if self.etcd else []
        stage = "off" if self.is_over else self.random.choice(STAGES)
        self.more = "\n".join(["[access]", *rights, "[site]", *site, "[change]", f"stage = {stage}"])
        super().settle(level)

    # -- workspaces, callers ----------------------------------------------------------------------

    def change_vault(self):
        for name in [self.any_workspace()] if self.turn > 2 else self.companies:
            self.server.state.set_vaults([self.text("vault") + f"vault.of = {name}\n"],
                                         company=self.companies[name])

    def switch(self):
        self.send("UseWorkspace", {"name": self.any_workspace()})

    def ask(self):
        method, parameters = self.random.choice(CALLS)
        if self.random.random() < 0.3:
            parameters = {**parameters, "workspace": self.any_workspace()}
        self.send(method, parameters)

    def ask_as_stranger(self):
        """Whatever a user says who has no right to secrets, and none to read now and then."""
        if self.is_root:
            os.seteuid(STRANGER)
            try:
                self.send(*self.random.choice(CALLS), stranger=True)
            finally:
                os.seteuid(0)

    def hold(self):
        """What is served stays, or is again what was."""
        served = max((each.generation for each in self.watchers), default=1)
        self.send("Hold", {"reason": "a storm", "workspace": self.any_workspace(), **self.random.choice([
            {}, {"duration": 1}, {"generation": max(1, served - self.random.randrange(5))}])})

    def release(self):
        self.send("Release", {"workspace": self.any_workspace()})

    def arrive(self):
        """Vaults that wait are taken, or skipped."""
        self.send(self.random.choice(["TakeArrivals", "SkipArrivals"]), {"workspace": self.any_workspace()})

    def any_workspace(self):
        return self.random.choice(list(self.companies))

    def differ(self):
        """Between two generations, which there may be or not."""
        newest = max((each.generation for each in self.watchers), default=1)
        self.send("Diff", {"old": max(1, newest - self.random.randrange(9)), "new": newest})

    def send(self, method, parameters, stranger=False):
        """A call whose answer is looked at when it comes."""
        if len(self.errands) >= ERRANDS_MAX:
            self.errands.pop(0)[0].close()
        connection = Connection(self.daemon.socket)
        self.errands.append((connection, method, parameters.get("workspace"), stranger))
        with contextlib.suppress(OSError):  # it was refused at once
            connection.send("io.clearconf." + method, parameters)

    def collect(self):
        """Answers that have come."""
        left = []
        for errand in self.errands:
            messages = take(errand[0])
            if messages:
                judge(messages[0], *errand[1:])
            if messages == []:
                left.append(errand)
            else:
                errand[0].close()
        self.errands = left

    def harm(self):
        """Another user does all that a socket allows, for a second."""
        if self.is_root and not self.attack:
            self.attack = Attack(self.daemon.socket, STRANGER + 1, 1, junk=False).__enter__()
        elif self.attack and self.attack.process.poll() is not None:
            self.attack.process.communicate()
            self.attack = None

    # -- followers --------------------------------------------------------------------------------

    def follow(self, kind=None):
        if len(self.followers) >= FOLLOWERS_MAX:
            return self.leave_off()
        self.count += 1
        self.followers.append(Follower(kind or self.random.choice(KINDS), self.count, self.daemon))

    def leave_off(self):
        """One ends, by a signal or because it has to."""
        if not self.followers:
            return
        follower = self.followers.pop(self.random.randrange(len(self.followers)))
        number = self.random.choice(ENDS)
        by_itself = follower.has_ended()
        status = follower.end(number)
        allowed = OWN_ENDS if by_itself else OWN_ENDS | {-number, 128 + number}
        words = follower.errors.read_text(errors="replace")[-3000:]
        assert status in allowed and not follower.complaints(), (follower.kind, number, status, words)

    def stop_or_go_on(self):
        """A follower is as slow as can be, for a while."""
        if self.followers:
            follower = self.random.choice(self.followers)
            follower.process.send_signal(self.random.choice([signal.SIGSTOP, signal.SIGCONT]))

    # -- the host ---------------------------------------------------------------------------------

    def jump(self):
        """The wall clock is another one from now on."""
        if self.host:
            self.host.set_clock(self.random.randrange(-40 * DAY, 40 * DAY))

    def lose_disk(self):
        if self.host:
            self.host.fail(self.random.choice(["write", "fsync", "create"]),
                           self.random.choice([errno.ENOSPC, errno.EIO, errno.EROFS]))

    def mend_disk(self):
        if self.host:
            self.host.heal()

    def take_descriptors(self):
        """The daemon gets hardly any more of them."""
        pid = self.daemon.process.pid
        last = max(map(int, os.listdir(f"/proc/{pid}/fd")))
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        self.limits = self.limits or (soft, hard)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(last + self.random.randrange(1, 5), hard), hard))

    def take_memory(self):
        """The daemon gets hardly any more of it, and may end of that."""
        if self.bounds_memory:
            pid = self.daemon.process.pid
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            used = re.search(r"VmData:\s*(\d+)", status)
            if not used:
                return  # it is dying
            _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
            resource.prlimit(pid, resource.RLIMIT_DATA, ((int(used[1]) << 10) + self.random.randrange(1 << 22), hard))
            self.starved = True

    def give_back(self):
        """Descriptors and memory."""
        pid = self.daemon.process.pid
        if self.limits:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, self.limits)
            self.limits = None
        if self.starved:
            _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
            resource.prlimit(pid, resource.RLIMIT_DATA, (hard, hard))

    def spoil_secret(self):
        """The file of a secret key is another one, is not there, or is a folder."""
        path = self.home.path / "config/clearconf/two.secret"
        remove(path)
        what = self.random.choice(["wrong", "none", "folder", "right", "right"])
        if what == "folder":
            path.mkdir()
        elif what != "none":
            self.home.write("config/clearconf/two.secret", self.KEYS["two"][1] if what == "right"
                            else "wrong-0123456789").chmod(0o600)

    def replace_file(self):
        """The configuration is a folder, a link to nowhere, or gone."""
        path = self.home.path / "clearml.conf"
        remove(path)
        what = self.random.choice(["folder", "link", "none"])
        if what == "folder":
            path.mkdir()
        elif what == "link":
            path.symlink_to("nowhere")

    def change_file(self):
        remove(self.home.path / "clearml.conf", only_folder=True)
        super().change_file()

    def break_file(self):
        remove(self.home.path / "clearml.conf", only_folder=True)
        super().break_file()

    # -- the daemon -------------------------------------------------------------------------------

    def kill(self):
        self.restart(signal.SIGKILL)

    def terminate(self):
        self.restart(signal.SIGTERM)

    def restart(self, number):
        self.give_back()
        self.look()
        status = self.daemon.stop(number)
        assert status == (-number if number == signal.SIGKILL else 0), self.daemon.log()[-6000:]
        self.start()

    def start(self):
        """Settings that are broken would stop it."""
        self.starved, self.limits = False, None
        self.settle("warning")
        self.daemon.start()

    def look(self):
        """It is alive, or was starved to death."""
        status = self.daemon.process.poll()
        if status is None:
            return
        log = self.daemon.log()
        assert self.starved and status == -signal.SIGABRT and "out of memory" in log, (self.starved, status, log[-6000:])
        self.deaths += 1
        self.start()

    # -- etcd -------------------------------------------------------------------------------------

    def change_etcd(self):
        """A site document changes, or goes; or nobody answers."""
        if self.etcd:
            with contextlib.suppress(OSError, EtcdError):
                name = self.random.choice([DOCUMENT, DOCUMENT, ROLLOUT])
                text = self.text("site") if name == DOCUMENT else self.rollout()
                if self.random.random() < 0.8:
                    self.etcd.put(name, text, timeout=0.5)
                else:
                    self.etcd.delete(name, timeout=0.5)

    def rollout(self):
        """The document's next text, for some of the hosts, or what makes no sense."""
        value = {"format": 1, "id": f"{self.turn}", "state": self.random.choice(["running", "stopped"]),
                 "share": self.random.randrange(10001), "text": self.text("site"), "of": 0}
        if self.random.random() < 0.2:
            del value[self.random.choice(list(value))]
        return json.dumps(value)

    def fail_etcd(self):
        if self.etcd and self.etcd.process.poll() is None:
            self.random.choice([self.etcd.freeze, self.etcd.end])()

    def heal_etcd(self):
        if self.etcd and self.etcd.process.poll() is None:
            self.etcd.thaw()
        elif self.etcd:
            self.etcd.start()

    TABLE = {
        **{deed: weight for deed, weight in World.TABLE.items()
           if deed.__name__ not in ("ask", "change_vault", "change_file", "break_file")},
        change_vault: 5, change_file: 5, break_file: 1, switch: 3, ask: 20, ask_as_stranger: 8, collect: 15,
        harm: 2, follow: 3, leave_off: 2, stop_or_go_on: 2, jump: 1, lose_disk: 1, mend_disk: 2,
        take_descriptors: 1, take_memory: 1, give_back: 3, spoil_secret: 1, replace_file: 1, kill: 0.5,
        terminate: 0.5, change_etcd: 4, fail_etcd: 1, heal_etcd: 2,
        hold: 2, release: 3, arrive: 1, differ: 3}

    def act(self):
        """The daemon may have no descriptors to accept with, so that its backlog is full or it drops
        who comes; or it may be dying."""
        self.look()
        try:
            super().act()
        except (BlockingIOError, TimeoutError):
            pass
        except (ConnectionError, ProcessLookupError, FileNotFoundError):
            if not (self.starved or self.limits):
                raise

    # -- from begin to end ------------------------------------------------------------------------

    def __enter__(self):
        if self.etcd:
            self.etcd.start().wait()
        self.daemon.start()
        return self

    def __exit__(self, *error):
        for follower in self.followers:
            follower.end(signal.SIGKILL)
        if self.attack:
            self.attack.process.kill()
        with contextlib.suppress(ProcessLookupError):
            self.give_back()
        self.daemon.__exit__(*error)
        if self.etcd:
            self.etcd.end()

    def calm(self):
        """All faults are over."""
        self.is_over = True
        with contextlib.suppress(ProcessLookupError):
            self.give_back()
        self.look()
        self.mend_disk()
        self.heal_etcd()
        if self.host:
            self.host.set_clock(0)
        while self.errands:
            self.errands.pop()[0].close()
        remove(self.home.path / "config/clearconf/two.secret")
        self.home.write("config/clearconf/two.secret", self.KEYS["two"][1]).chmod(0o600)
        for follower in self.followers:
            follower.process.send_signal(signal.SIGCONT)
        self.recover()
        self.settle("warning")
        self.daemon.reload()

    def everybody_follows(self):
        """Programs of all kinds, started now where there are none."""
        for follower in [each for each in self.followers if each.has_ended()]:
            self.followers.remove(follower)
            assert follower.end(signal.SIGCONT) in OWN_ENDS and not follower.complaints()
        for kind in set(KINDS) - {each.kind for each in self.followers}:
            self.followers.append(Follower(kind, f"last-{kind}", self.daemon))

    def lets_go(self, name):
        """Nothing of a workspace is held back; what was asked for before may still be under way."""
        with contextlib.suppress(VarlinkError):
            self.daemon.call("Release", workspace=name)
            self.daemon.call("TakeArrivals", workspace=name)
            return "hold" not in self.daemon.workspace(name)
        return False

    def use(self, name):
        """A workspace; its server may take a moment to be believed."""
        def used():
            try:
                return self.daemon.call("UseWorkspace", name=name)
            except VarlinkError:
                return False
        wait_until(used, f"workspace {name}")

    def all_know(self, generation):
        """Was every watcher told of it, or of a later one?"""
        self.watchers = [each for each in self.watchers if self.hear(each)]
        return all(each.generation >= generation for each in self.watchers)

    def end_well(self):
        self.calm()
        self.use("one")
        for name in self.companies:
            wait_until(lambda: self.lets_go(name), f"{name} to hold nothing back")
        self.change_file()
        self.daemon.wait_value("file.turn", self.turn)
        self.everybody_follows()
        super().end_well()
        newest = self.daemon.call("Get")["generation"]
        wait_until(lambda: self.all_know(newest), "every watcher to be told the last change")
        pattern = rf"\blast\b\W+{self.turn}\b"
        for follower in self.followers:
            try:
                wait_until(lambda: follower.has(pattern), f"the last change in {follower.said}")
            except AssertionError as late:
                raise AssertionError(f"{late}\n{follower.errors.read_text()}") from late
            assert not follower.has_ended(), follower.errors.read_text()
        while self.followers:
            self.leave_off()
        self.terminate()
        assert not complaints(self.daemon.log_path), complaints(self.daemon.log_path)


def remove(path, only_folder=False):
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    elif not only_folder:
        path.unlink(missing_ok=True)


def judge(message, method, workspace, stranger):
    """One answer."""
    reply = json.loads(message)
    misfits = INTERFACE.misfits_of_reply("io.clearconf." + method, reply)
    assert not misfits, f"{method}: {misfits}"
    assert not stranger or TELLTALE.encode() not in message, f"{method} tells a stranger a secret"
    value = reply.get("parameters", {}).get("value")
    if method == "Get" and workspace and isinstance(value, dict) and "vault" in value:
        assert value["vault"].get("of", workspace) == workspace, "another company's vault"


def weather(folder, server, seed, seconds):
    """Play a seed for so long; what there was."""
    with Storm(folder, server, seed) as storm:
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                storm.act()
                time.sleep(PAUSE)
            storm.end_well()
        except AssertionError as failure:
            raise AssertionError(f"storm of seed {seed}, {storm.told()}\n{failure}") from failure
    return storm


def main():
    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int.from_bytes(os.urandom(4), "big")
    print(f"storm: seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="clearconf-storm.") as folder, ClearMLServer() as server:
        storm = weather(folder, server, seed, seconds)
    lacks = f"; without {', '.join(storm.lacks)}" if storm.lacks else ""
    print(f"storm: {seconds:.0f} s, {storm.told()}; starved to death {storm.deaths} times{lacks}")


if __name__ == "__main__":
    main()
