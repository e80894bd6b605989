"""A world that changes at random, watchers of every temper, and a model that
says what each of them must know in the end.

A `World` is a home, a stand-in server and a daemon, with what they hold as
JSON trees in Python: `World.tree` merges them by the rule of the layers, so
that the daemon is not its own judge. A `Watcher` knows only what it was told;
each message is held against what it knew before. `run` plays one seed: the same
seed makes the same world and the same steps, whatever the machine's pace.
"""

import copy
import json
import os
import random
import re
import select
import signal
import socket
import time

from clearml_server import ACCESS_KEY, SECRET_KEY, USER_ID
from harness import Daemon, wait_until
from varlink import VarlinkError

SETTINGS = """\
[poll]
interval = 150ms
jitter = 0%
timeout = 2s
backoff_max = 200ms

[limits]
history = {history}

"""
SECTION = """\
[workspace {name}]
api_server = {url}
access_key = {key}
secret_key_file = {name}.secret
inject = no
{more}
"""
KEYS = {"one": (ACCESS_KEY, SECRET_KEY), "two": ("KEYOFTWO", "secret-of-two-0123456789")}
NAMES = tuple(KEYS)
MASK = "****"


# --- trees ------------------------------------------------------------------

def merged(below, above):
    """Objects merge, everything else is replaced."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return copy.deepcopy(above)
    tree = dict(below)
    for key, value in above.items():
        tree[key] = merged(tree[key], value) if key in tree else copy.deepcopy(value)
    return tree


def masked(value):
    """As a peer without `secrets` sees a tree of this file."""
    if not isinstance(value, dict):
        return value
    return {key: MASK if key.startswith("secret") else masked(item)
            for key, item in value.items()}


def canonical(keys):
    """Keys as a path of a change."""
    return ".".join(key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)
                    for key in keys)


def split(path):
    """The keys of a path."""
    found = re.findall(r'"(?:[^"\\]|\\.)*"|[^.]+', path)
    return tuple(json.loads(key) if key[0] == '"' else key for key in found)


def leaves(value, keys=()):
    """{path: value}: objects are descended, an empty one is a leaf."""
    if not isinstance(value, dict) or not value:
        return {canonical(keys): value}
    found = {}
    for key, item in value.items():
        found.update(leaves(item, (*keys, key)))
    return found


def at(tree, keys):
    """(is there something, what) at the path of these keys."""
    for key in keys:
        if isinstance(tree, dict) and key in tree:
            tree = tree[key]
        elif isinstance(tree, list) and key.isdigit() and int(key) < len(tree):
            tree = tree[int(key)]
        else:
            return False, None
    return True, tree


def leaves_at(tree, paths):
    """What a watcher of these paths (None: all) knows of a tree."""
    found = {}
    for path in [""] if paths is None else paths:
        there, value = at(tree, split(path))
        if there:
            found.update(leaves(value, split(path)))
    return found


class Seeds:
    """Random trees, small enough to often collide, now and then large."""

    def __init__(self, rng):
        self.rng = rng

    def scalar(self):
        return self.rng.choice([
            True, False, self.rng.randrange(5), -7, 2.5, f"text {self.rng.randrange(4)}",
            [1, self.rng.randrange(3), {"deep": "yes"}], [], {},
            str(self.rng.randrange(10)) * self.rng.choice([1, 60_000])])

    def tree(self, depth=3):
        keys = self.rng.sample(["a", "b", "c", "d", "x.y", "e-f"], self.rng.randrange(1, 5))
        tree = {key: self.tree(depth - 1) if depth > 1 and self.rng.random() < 0.4
                else self.scalar() for key in keys}
        if self.rng.random() < 0.5:
            tree["secret_key"] = f"hidden-{self.rng.randrange(1000):06d}-value"
        return tree

    def paths(self):
        return self.rng.choice([None, ["a"], ["b.c", "a.b", "nowhere"], ['"x.y"', "d"],
                                ["a", "a.a", "secret_key"], ["", "c"], ["c.1", "a.c.d"]])


# --- the world --------------------------------------------------------------

class Text:
    """A file or a vault: its text, and the tree that it gives."""

    def __init__(self):
        self.tree, self.intact = {}, True

    def set(self, tree):
        self.tree, self.intact = tree, True
        return json.dumps(tree)

    def spoil(self, rng):
        self.intact = False
        return rng.choice(["{ a: [1, 2", "a : { b : 1", "}", '{"a": "'])


class World:
    """What there is, and the steps that change it."""

    def __init__(self, rng, home, server, history):
        self.rng, self.home, self.server, self.history = rng, home, server, history
        self.seeds = Seeds(rng)
        self.daemon = Daemon(home)
        self.main, self.part, self.includes = Text(), Text(), False
        self.vaults = {name: [] for name in NAMES}
        self.companies = {"one": None, "two": server.state.add_company("second company")}
        self.declared = list(NAMES)
        self.own = None  # the workspace of who names none; else it is the active one
        self.errands = []
        self.held = {}  # by workspace: the bytes of what is served, whatever comes
        self.served = {name: {} for name in NAMES}  # what each generation was
        server.state.users[USER_ID].tenants.append(self.companies["two"])
        server.state.add_credentials(access_key="KEYOFTWO", secret_key=KEYS["two"][1],
                                     company=self.companies["two"])
        for name in NAMES:
            home.write(f"config/clearconf/{name}.secret", KEYS[name][1]).chmod(0o600)
        self.settings()
        self.save()
        for name in NAMES:
            self.offer(name)

    def settings(self):
        text = SETTINGS.format(history=self.history)
        for name in self.declared:
            mine = f"for = user:{os.getuid()}\n" if name == self.own else ""
            text += SECTION.format(name=name, url=self.server.url, key=KEYS[name][0], more=mine)
        self.home.settings(text)

    def tree(self, name):
        """What a workspace comes to when all of it is intact and read, or what it holds."""
        if name in self.held:
            return json.loads(self.held[name])
        tree = merged(self.part.tree, self.main.tree) if self.includes else self.main.tree
        for vault in self.vaults[name]:
            if vault["enabled"]:
                tree = merged(tree, vault["tree"])
        return tree

    def write_main(self, text):
        include = 'include "part.conf"\n' if self.includes else ""
        if self.rng.random() < 0.3:
            (self.home.path / "clearml.conf").write_text(include + text[1:-1])
        else:
            self.home.conf(include + text[1:-1])

    # Steps. Each leaves the model true of what will be once all is intact.

    def save(self):
        self.write_main(self.main.set(self.seeds.tree()))

    def save_included(self):
        self.home.write("part.conf", self.part.set(self.seeds.tree()))

    def include(self):
        self.includes = not self.includes
        self.save()

    def lose(self):
        self.main.set({})
        self.includes = False
        (self.home.path / "clearml.conf").unlink(missing_ok=True)

    def lose_included(self):
        self.part.set({})
        (self.home.path / "part.conf").unlink(missing_ok=True)

    def spoil(self):
        self.home.conf(self.main.spoil(self.rng))

    def spoil_included(self):
        self.home.write("part.conf", self.part.spoil(self.rng))

    def offer(self, name=None):
        name = name or self.rng.choice(NAMES)
        vaults = []
        for _ in range(self.rng.randrange(3)):
            tree = self.seeds.tree()
            vaults.append({"tree": tree, "data": json.dumps(tree), "format": "json",
                           "enabled": self.rng.random() < 0.8, "intact": True})
        self.show_vaults(name, vaults)

    def spoil_vault(self):
        name = self.rng.choice(NAMES)
        vaults = self.vaults[name]
        if vaults:
            vault = self.rng.choice(vaults)
            vault.update(data="{ broken", intact=False)
            self.show_vaults(name, vaults)

    def show_vaults(self, name, vaults):
        self.vaults[name] = vaults
        offered = [{key: vault[key] for key in ("data", "format", "enabled")} for vault in vaults]
        self.server.state.set_vaults(offered, company=self.companies[name])

    def fail(self):
        fault = self.rng.choice(["drop", "envelope", "page", "half"])
        endpoint = self.rng.choice([None, "users.get_vaults", "auth.login"])
        self.server.fail(fault, endpoint=endpoint, times=self.rng.choice([1, 3, None]))

    def heal(self):
        self.server.clear_failures()

    def expire(self):
        self.server.state.invalidate_tokens()

    def ask(self, method, **parameters):
        """A call whose answer nobody waits for."""
        connection = self.daemon.connect(timeout=15)
        connection.send("io.clearconf." + method, parameters)
        self.errands.append(connection)

    def use(self):
        self.ask("UseWorkspace", name=self.rng.choice(NAMES))

    def reload(self):
        self.ask("Reload")

    def hang_up(self):
        self.daemon.process.send_signal(signal.SIGHUP)

    def declare(self):
        """Take a workspace out of the settings, or put it in again."""
        self.declared = list(NAMES) if len(self.declared) == 1 else [self.rng.choice(NAMES)]
        self.settings()
        self.hang_up()

    def give(self):
        """Another workspace is the own one of who names none, or none is."""
        self.own = self.rng.choice([None, *NAMES])
        self.settings()
        self.hang_up()

    def look(self, name):
        """(generation, bytes) of what is served now; None: the workspace is not declared."""
        with self.daemon.connect(timeout=15) as line:
            line.send("io.clearconf.Get", {"workspace": name, "mask": False})
            raw = line.receive_raw()
        reply = json.loads(raw)
        if "error" in reply:
            return None
        generation = reply["parameters"]["generation"]
        self.served[name][generation] = reply["parameters"]["value"]
        value = raw[raw.index(b'"value":') + len(b'"value":'):].rstrip(b"\0")
        return generation, value.strip()[:-2]

    def hold(self):
        """What is served, or was at some time, is from here on."""
        name, back = self.rng.choice(NAMES), self.rng.random() < 0.5
        known = sorted(self.served[name])
        generation = self.rng.choice(known) if known and back else None
        try:
            told = self.daemon.call("Hold", workspace=name, reason="a step",
                                    **({"generation": generation} if generation else {}))
        except VarlinkError as error:
            assert error.name in ("io.clearconf.UnknownGeneration",
                                  "io.clearconf.UnknownWorkspace"), error
            return
        now, value = self.look(name)
        # A switch of the workspaces meanwhile serves the same as another generation.
        assert now >= told["generation"] >= told["hold"]["generation"]
        if generation:
            # Of the same values over a restart there is the first generation alone.
            assert told["hold"]["generation"] <= generation
            assert json.loads(value) == self.served[name][generation], f"{generation} is another"
        self.held[name] = value

    def release(self, name=None):
        name = name or self.rng.choice(NAMES)
        if name in self.daemon_names():
            assert self.daemon.call("Release", workspace=name)["released"] == (name in self.held)
            self.held.pop(name, None)

    def check_held(self):
        """What is held is served, byte for byte."""
        for name in NAMES:
            seen = self.look(name)
            if seen and name in self.held:
                assert seen[1] == self.held[name], f"{name} is not held"

    def kill(self):
        self.restart(signal.SIGKILL)

    def terminate(self):
        self.restart(signal.SIGTERM)

    def restart(self, number):
        self.end_errands(wait=False)
        before = self.newest()
        self.daemon.stop(number)
        self.daemon.start()
        after = self.daemon.call("Get", mask=True)["generation"]
        assert after > before, f"generation {after} after {before}: it must grow"

    def newest(self):
        return max(self.daemon.call("Get", workspace=name)["generation"]
                   for name in self.daemon_names())

    def daemon_names(self):
        return [each["name"] for each in self.daemon.call("ListWorkspaces")["workspaces"]]

    STEPS = {save: 8, save_included: 3, include: 2, lose: 1, lose_included: 1, spoil: 2,
             spoil_included: 1, offer: 6, spoil_vault: 1, fail: 2, heal: 2, expire: 1,
             use: 4, give: 2, reload: 1, hang_up: 1, declare: 1, kill: 1, terminate: 0.3,
             hold: 3, release: 2}

    def step(self):
        act, = self.rng.choices(list(self.STEPS), list(self.STEPS.values()))
        act(self)
        self.check_held()
        return act.__name__

    def end_errands(self, wait=True):
        for connection in self.errands:
            try:
                if wait:
                    connection.receive()
            except (VarlinkError, ConnectionError):
                pass  # a server that fails, a workspace that has gone: not ours to judge
            connection.close()
        self.errands = []

    def settle(self):
        """All intact and at peace: the name of the workspace that who names none gets."""
        self.heal()
        self.end_errands()
        if not self.part.intact:
            self.save_included()
        if not self.main.intact:
            self.save()
        for name in NAMES:
            if not all(vault["intact"] for vault in self.vaults[name]):
                self.offer(name)
        if len(self.declared) == 1:
            self.declare()
            wait_until(lambda: len(self.daemon_names()) == 2, "both workspaces")
        for name in NAMES:
            self.wait_for(name)
        active, = set(NAMES) - {self.daemon.call("ListWorkspaces")["active"]}
        self.daemon.call("UseWorkspace", name=active)
        wait_until(lambda: self.daemon.call("ListWorkspaces").get("own", {}).get("workspace")
                   == self.own, "its own workspace")
        return self.own or active

    def wait_for(self, name):
        want = self.tree(name)
        wait_until(lambda: self.daemon.get(workspace=name, mask=False) == want,
                   f"{name} to be {want}"[:2000], 15)
        assert self.daemon.get(workspace=name, mask=True) == masked(want)


# --- watchers ---------------------------------------------------------------

class Watcher:
    """One client and what it was told.

    With `values` it keeps values by what it is told; without, it keeps paths
    and asks for those that changed, as a client without memory for values does.
    """

    # Of a hundred turns: how many it reads in; leaves; dies in mid-message.
    TEMPERS = {"fast": (100, 0, 0), "slow": (8, 0, 0), "stopped": (0, 0, 0),
               "fickle": (60, 12, 0), "mortal": (30, 0, 10)}

    def __init__(self, rng, world, temper):
        self.rng, self.world, self.temper = rng, world, temper
        self.reads, self.leaves, self.dies = self.TEMPERS[temper]
        self.paths = world.seeds.paths()
        self.workspace = rng.choice([None, None, *NAMES])
        self.values = rng.random() < 0.5
        self.reveal = rng.random() < 0.5
        self.more = rng.random() < 0.75
        self.generation = 0  # the newest it was told of; 0: knows nothing
        self.known = {}
        self.socket, self.buffer, self.first = None, b"", True

    def __repr__(self):
        return (f"{self.temper} watcher of {self.paths} in {self.workspace or 'the active'}, "
                f"values={self.values} reveal={self.reveal} more={self.more}, "
                f"generation {self.generation}")

    def connect(self):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(str(self.world.daemon.socket))
        parameters = {"reveal": self.reveal, "values": self.values}
        if self.paths is not None:
            parameters["paths"] = self.paths
        if self.workspace:
            parameters["workspace"] = self.workspace
        # Whoever keeps values by what it is told may ask for the difference
        # alone only where the old values are not asked for.
        if self.generation or not self.values or not self.more:
            parameters["since"] = self.generation
        message = {"method": "io.clearconf.Watch", "parameters": parameters, "more": self.more}
        line.sendall(json.dumps(message).encode() + b"\0")
        line.setblocking(False)
        self.socket, self.buffer, self.first = line, b"", True

    def leave(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def turn(self):
        """Do what the temper says."""
        if not self.socket:
            self.connect()
        if self.rng.randrange(100) < self.reads:
            self.read(1 << 16 if self.temper == "slow" else 1 << 22)
        if self.rng.randrange(100) < self.leaves + self.dies:
            if self.leaves:
                self.read(1 << 22)
            self.leave()  # what was sent and not read is lost to it

    def read(self, most=1 << 22):
        """Take what is there; the number of messages."""
        messages = 0
        while self.socket and most > 0:
            try:
                data = self.socket.recv(1 << 16)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            most -= len(data)
            if not data:
                self.leave()
            messages += self.take(data)
        return messages

    def take(self, data):
        *whole, rest = (self.buffer + data).split(b"\0")
        self.buffer = rest
        for message in whole:
            self.told(json.loads(message))
        return len(whole)

    def told(self, reply):
        if "error" in reply:
            assert reply["error"] == "io.clearconf.UnknownWorkspace" and self.workspace, reply
            self.generation, self.known = 0, {}
            self.leave()
            return
        assert bool(reply.get("continues")) == self.more
        self.understand(reply["parameters"])
        self.first = False
        if not self.more:
            self.leave()

    def understand(self, told):
        later = not self.first or not self.more
        resync = told["resync"]
        assert told["generation"] >= self.generation, "generations only grow"
        assert told.get("held", 0) <= told["generation"]
        assert not later or resync or told["changes"] or "value" in told, "it says nothing"
        assert not (resync and told["changes"])
        self.check_skipped(told)
        assert ("value" in told) == (resync or self.values and self.first)
        if "value" in told:
            self.replace(told["value"])
        for change in told["changes"]:
            self.change(change)
        if told["changes"] and not self.values:
            self.look_up({change["path"] for change in told["changes"]})
        order = [(change["kind"] != "removed", change["path"]) for change in told["changes"]]
        assert order == sorted(order) and len(set(order)) == len(order)
        self.generation = told["generation"]

    def check_skipped(self, told):
        """Generations between what it knew and what it is told, of its workspace:
        never more than there were of all."""
        most = max(told["generation"] - self.generation - 1, 0)
        assert 0 <= told["skipped"] <= most, f"skipped {told['skipped']} after {self.generation}"

    def replace(self, value):
        if self.paths is None:
            self.known = leaves(value)
            return
        self.known = {}
        for path, item in value.items():
            self.known.update(leaves(item, split(path)))

    def change(self, change):
        path, kind = change["path"], change["kind"]
        assert (path in self.known) == (kind != "added"), f"{kind} {path}"
        if self.values and kind != "added":
            assert change["old"] == self.known[path], f"old value of {path}"
        if kind == "removed":
            del self.known[path]
        else:
            self.known[path] = change["new"] if self.values else None

    def look_up(self, paths):
        where = {"workspace": self.workspace} if self.workspace else {}
        try:
            tree = self.world.daemon.get(mask=not self.reveal, **where)
        except VarlinkError:
            return  # its workspace has gone: the next reply says so
        for path in paths & self.known.keys():
            there, value = at(tree, split(path))
            self.known[path] = value if there else None

    def expected(self, active):
        tree = self.world.tree(self.workspace or active)
        return leaves_at(tree if self.reveal else masked(tree), self.paths)

    def catch_up(self, active):
        """Read until it knows what is; then until nothing more comes."""
        want = self.expected(active)

        def knows():
            if not self.socket:
                self.connect()
            self.read()
            return self.known == want
        try:
            wait_until(knows, "it to know", 10)
        except AssertionError:
            differ = {path: (want.get(path, "absent"), self.known.get(path, "absent"))
                      for path in want.keys() | self.known.keys()
                      if want.get(path, "absent") != self.known.get(path, "absent")}
            raise AssertionError(f"should be, but knows: {differ}"[:3000]) from None


# --- a run ------------------------------------------------------------------

class Run:
    """One seed."""

    ROUNDS, STEPS, WATCHERS = 3, 14, 14
    HISTORY = (64, 64, 3, 64, 1)  # where it is short, much is a resync

    def __init__(self, seed, home, server):
        self.seed = seed
        self.rng = random.Random(seed)
        self.world = World(self.rng, home, server, self.HISTORY[seed % len(self.HISTORY)])
        tempers = list(Watcher.TEMPERS)
        self.watchers = [Watcher(random.Random(f"{seed} {number}"), self.world,
                                 tempers[number % len(tempers)])
                         for number in range(self.WATCHERS)]
        self.past = []  # names of the steps so far
        self.at_work = None

    def pump(self, seconds):
        """Let the watchers be themselves for so long."""
        end = time.monotonic() + seconds
        while True:
            for watcher in self.watchers:
                self.at_work = watcher
                watcher.turn()
            self.at_work = None
            left = end - time.monotonic()
            if left <= 0:
                return
            select.select([], [], [], min(left, 0.01))

    def play(self):
        for _ in range(self.STEPS):
            self.past.append(self.world.step())
            self.pump(self.rng.choice([0, 0, 0.02, 0.06, 0.2]))

    def compare(self):
        active = self.world.settle()
        self.past.append("use " + active)
        for again in (False, True):
            for watcher in self.watchers:
                self.at_work = watcher
                if again:
                    watcher.leave()  # since what it knows there is nothing new
                watcher.catch_up(active)
        for name in NAMES:
            self.say_once(name, active)
        self.at_work = None

    def say_once(self, name, active):
        """One change of one workspace, that nothing follows: all hear of it."""
        if name in self.world.held:
            self.past.append("release " + name)
            self.world.release(name)
        old = self.world.tree(name)
        while self.world.tree(name) == old:
            self.world.offer(name)
        self.past.append("offer " + name)
        self.world.wait_for(name)
        for watcher in self.watchers:
            self.at_work = watcher
            watcher.catch_up(active)

    def run(self):
        with self.world.daemon:
            for _ in range(self.ROUNDS):
                self.play()
                self.past.append("compare")
                self.compare()
            for watcher in self.watchers:
                watcher.leave()


def run(seed, home, server):
    """Play the seed; AssertionError tells how to play it again."""
    game = Run(seed, home, server)
    try:
        game.run()
    except AssertionError as failure:
        steps = " ".join(game.past)
        raise AssertionError(f"seed {seed}, {game.at_work}\nsteps: {steps}\n{failure}") from failure
