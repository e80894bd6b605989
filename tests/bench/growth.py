#!/usr/bin/python3
"""How the cost of one changed key grows with what there is: workspaces, vaults, keys, watchers,
includes, generations.

    growth.py [--quick] [SERIES...]     B=build in the environment

A series is a row of the table SERIES: a daemon for each size, in which one key changes ROUNDS
times. Costs are CPU time, by the kernel's count of nanoseconds a thread ran, because that is the
same on a busy machine: of the whole process (cpu), of the loop's thread alone (loop), and the
longest turn of the loop since the daemon began (turn). Memory is what is resident above that of a
daemon with nothing. Then a row for each cost: the exponent e of cost = c x size ^ e, by least squares on the
logarithms, over all sizes, and in brackets over the upper half of them, where what is the same for
all sizes hides less; memory of less than a MiB is left out, for it is noise. Linear is 1. --quick leaves out the large sizes.
"""

import argparse
import math
import os
import pathlib
import resource
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer  # noqa: E402
from harness import Daemon, Home  # noqa: E402

QUIET = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
ROUNDS = 5
LINEAR = 1.15  # what a fit of something linear may come to
SETTINGS = """\
[poll]
interval = 1h
jitter = 0%
prove = 0
timeout = 60s

[limits]
connections_per_user = 30000
watchers_per_user = 30000
bytes_per_user = 1G
document = 256M
response = 1G
history_bytes = 1G
"""


def keys(count, mark="value"):
    return "".join(f'group{i // 100}.key{i % 100} = "{mark} {i}"\n' for i in range(count))


class World:
    """A daemon with `size` of something; change(i) changes one key and comes back when it is served."""

    settings = SETTINGS
    rounds = ROUNDS

    def __init__(self, folder, size):
        self.home = Home(folder)
        self.home.settings(self.settings)
        self.size = size
        self.daemon = Daemon(self.home)
        self.build()

    def build(self):
        self.home.conf("k: 0\n")

    def __enter__(self):
        self.daemon.start()
        self.daemon.wait_state("ready", "offline", "degraded")
        self.line = self.daemon.connect(timeout=120)
        self.told = self.daemon.connect(timeout=120)
        self.told.watch(paths=["k"], values=True)
        return self

    def __exit__(self, *_):
        self.line.close()
        self.told.close()
        self.daemon.stop()

    @property
    def pid(self):
        return self.daemon.process.pid

    def nanoseconds(self):
        """All threads, those of them that were; the loop's thread."""
        threads = {int(task.name): int((task / "schedstat").read_text().split()[0])
                   for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir()}
        return sum(threads.values()), threads[self.pid]

    def calm(self):
        """Until the process does nothing any more; its clocks."""
        before, since = self.nanoseconds(), time.monotonic()
        while time.monotonic() - since < 0.15:
            time.sleep(0.03)
            now = self.nanoseconds()
            if now[0] - before[0] > 300_000:
                since = time.monotonic()
            before = now
        return before

    def save(self, round_):
        self.home.conf(f"k: {round_}\n")

    def change(self, round_):
        self.save(round_)
        assert self.told.receive()["changes"][0]["new"] == round_

    def measure(self, round_):
        before, began = self.calm(), time.monotonic()
        self.change(round_)
        wall = time.monotonic() - began
        after = self.calm()
        return {"wall": wall * 1e3, "cpu": (after[0] - before[0]) / 1e6,
                "loop": (after[1] - before[1]) / 1e6}

    def prepare(self):
        """What is there before the first change, beside what build() made."""

    def figures(self):
        self.prepare()
        rounds = [self.measure(i + 1) for i in range(1 + self.rounds)]
        if self.rounds:  # the first finds everything cold
            del rounds[0]
        medians = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
        return {**medians, "turn": self.daemon.longest_turn_ms(), "memory": self.daemon.resident() * 1024}


class Workspaces(World):
    """Each with the same files below it; no server is there."""

    def build(self):
        self.home.settings(self.settings + "".join(
            f"[workspace w{i}]\napi_server = http://127.0.0.1:1\naccess_key = a\n"
            f"secret_key_file = {self.home.path}/secret\n"
            for i in range(self.size)))
        self.home.write("secret", "b").chmod(0o600)
        self.daemon = Daemon(self.home, "--offline")
        self.home.conf("k: 0\n" + keys(100))

    def save(self, round_):
        self.home.conf(f"k: {round_}\n" + keys(100))


class Vaults(World):
    """Of ten keys each; one of them changes."""

    def build(self):
        self.server = ClearMLServer()
        self.home.conf(f"api {{ api_server: {self.server.url}, credentials {{ access_key: "
                       f"{ACCESS_KEY}, secret_key: \"{SECRET_KEY}\" }} }}\n")
        self.save(0)

    def save(self, round_):
        self.server.state.set_vaults(
            [{"data": f"k: {round_}"}]
            + [{"data": "".join(f"v{i}.key{j} = {j}\n" for j in range(10))} for i in range(1, self.size)])

    def change(self, round_):
        self.save(round_)
        self.line.call("io.clearconf.Reload")
        self.told.receive()

    def __exit__(self, *_):
        super().__exit__()
        self.server.stop()


class Keys(World):
    """In the file that is saved."""

    def build(self):
        self.save(0)

    def save(self, round_):
        self.home.conf(f"k: {round_}\n" + keys(self.size))


class KeysBelow(World):
    """In a file that stays as it is, below the one that is saved."""

    def prepare(self):
        time.sleep(3.1)  # until it counts as old

    def build(self):
        self.home.settings(self.settings + f"[local]\nfiles = {self.home.path}/large.conf "
                                           f"{self.home.path}/clearml.conf\n")
        self.home.write("large.conf", keys(self.size))
        self.save(0)


class Includes(World):
    """Files of ten keys, of which one is saved; a file includes sixty at most."""

    prepare = KeysBelow.prepare

    def build(self):
        parts = [f"part{i}.conf" for i in range(self.size)]
        files = [parts[i:i + 60] for i in range(0, self.size, 60)]
        for i, names in enumerate(files):
            self.home.write(f"main{i}.conf", "".join(f'include "{name}"\n' for name in names))
        self.home.settings(self.settings + "[local]\n" + "".join(
            f"files = {self.home.path}/main{i}.conf\n" for i in range(len(files))))
        for i, name in enumerate(parts[1:]):
            self.home.write(name, "".join(f"v{i}.key{j} = {j}\n" for j in range(10)))
        self.save(0)

    def save(self, round_):
        self.home.write("part0.conf", f"k: {round_}\n")


class Watchers(World):
    """Of that key, each told its value; what they are told waits in their sockets."""

    watchers = ()

    def prepare(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100  # what a process may open
        self.watchers = []
        for _ in range(min(self.size, most)):
            self.watchers.append(self.daemon.connect())
            self.watchers[-1].watch(paths=["k"], values=True)

    def __exit__(self, *_):
        for line in self.watchers:
            line.close()
        super().__exit__()


class Generations(World):
    """Of 10,000 keys, all kept; the cost is that of who asks for their history."""

    KEYS = 10_000

    def save(self, round_):
        self.home.conf(f"k: {round_}\n" + keys(self.KEYS))

    build = Keys.build

    def prepare(self):
        for number in range(self.size):
            World.change(self, -number - 1)

    def change(self, round_):
        self.line.call("io.clearconf.History", limit=64)


class FirstHistory(Generations):
    """The same of who asks first, when nothing of the old ones was ever shown."""

    rounds = 0


class Since(Keys):
    """A Watch from the generation before on; the change itself is not counted."""

    def prepare(self):
        self.save(-1)
        World.change(self, -1)
        self.since = self.generation()
        World.change(self, -2)

    def generation(self):
        return self.line.call("io.clearconf.Get", path="k")["generation"]

    def change(self, round_):
        self.line.call("io.clearconf.Watch", since=self.since)


SERIES = {
    "workspaces": (Workspaces, (1, 3, 10, 30, 100)),
    "vaults": (Vaults, (1, 10, 100, 1000)),
    # A text may have a million values, groups among them.
    "keys": (Keys, (100, 1000, 10_000, 100_000, 980_000)),
    "keys-below": (KeysBelow, (100, 1000, 10_000, 100_000, 980_000)),
    "watchers": (Watchers, (1, 10, 100, 1000, 10_000, 20_000)),
    "includes": (Includes, (1, 10, 100, 1000)),
    "generations": (Generations, (1, 4, 16, 63)),
    "first-history": (FirstHistory, (1, 4, 16, 63)),
    "since": (Since, (100, 1000, 10_000, 100_000)),
}
QUICK = {"keys": 10_000, "keys-below": 10_000, "watchers": 1000, "vaults": 100, "since": 10_000,
         "includes": 100, "workspaces": 30, "generations": 16, "first-history": 16}


def exponent(points):
    """e of cost = c x size ^ e: the slope of the line through the logarithms."""
    points = [(math.log(size), math.log(cost)) for size, cost in points]
    if len(points) < 2:
        return 0.0
    x, y = (statistics.mean(each) for each in zip(*points))
    return (sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points))


def measure(world, size):
    with tempfile.TemporaryDirectory(prefix="clearconf-growth.", dir=QUIET) as folder, \
            world(folder, size) as there:
        return there.figures()


def run(name, world, sizes, empty):
    figures = []
    for size in sizes:
        figures.append(measure(world, size))
        figures[-1]["memory"] = max(figures[-1]["memory"] - empty, 0)
        print("{:<14} {:>9,}  wall {wall:>9.2f} ms  cpu {cpu:>9.2f} ms  loop {loop:>9.2f} ms  "
              "turn {turn:>7.1f} ms  memory {mib:>7.1f} MiB".format(
                  name, size, **figures[-1], mib=figures[-1]["memory"] / 2**20), flush=True)
    for cost, least in (("cpu", 0), ("loop", 0), ("memory", 2**20)):
        points = [(size, each[cost]) for size, each in zip(sizes, figures) if each[cost] > least]
        whole, upper = exponent(points), exponent(points[max(len(points) // 2 - 1, 0):])
        print(f"{name:<14} {cost:<7} size ^ {whole:.2f} (upper half {upper:.2f})  <= linear"
              f"  {'NO' if max(whole, upper) > LINEAR else 'yes'}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("series", nargs="*", choices=[[], *SERIES])
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    empty = measure(World, 0)["memory"]
    for name in options.series or SERIES:
        world, sizes = SERIES[name]
        run(name, world, [each for each in sizes if not options.quick or each <= QUICK[name]], empty)


if __name__ == "__main__":
    main()
