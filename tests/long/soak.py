#!/usr/bin/python3
"""A daemon under everything at once, for as long as one likes: `make soak SECONDS=N`.

soak.py SECONDS [SEED]: files and vaults change, the server fails in all ways, watchers come, read
slowly and go, settings are reloaded, callers come with environments. Memory and descriptors are
sampled meanwhile; a line through the samples (least squares) must be flat. At the end the faults
are over, and every watcher must be told the last change.

The first fifth is not counted: the history fills, and so do the pools of malloc.
"""

import os
import pathlib
import random
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from clearml_failures import FLOODS  # noqa: E402
from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer  # noqa: E402
from harness import SANITIZED, TURN_MS, Daemon, Home, wait_until  # noqa: E402
from varlink import Connection, VarlinkError  # noqa: E402

SETTINGS = """\
[daemon]
log_level = {level}
[poll]
interval = 300ms
jitter = 10%
timeout = 1s
backoff_max = 500ms
[limits]
history = 64
[workspace soak]
api_server = {url}
access_key = {access_key}
secret_key_file = soak.secret
active = yes
"""
WATCHERS_MAX = 40
SAMPLE_SECONDS = 1.0
PAUSE = 0.04         # seconds between two actions: some twenty a second
WARM_UP = 0.2        # of the time
RSS_GROWTH_MAX = 5   # % of the mean, by the line, from its begin to its end
FD_GROWTH_MAX = 0.5  # descriptors, likewise

FAULTS = [
    ("page", {"status": 503}), ("page", {"status": 502}), ("page", {"status": 429}),
    ("envelope", {}), ("data", {}), ("redirect", {}), ("gzip_bomb", {}), ("half", {}),
    ("half", {"reset": True}), ("half_chunk", {}), ("bad_chunk", {}), ("bad_gzip", {}),
    ("cut_gzip", {}), ("raw", {"data": "nonsense"}), ("drop", {}), ("drop", {"reset": True}),
    ("hang", {"seconds": 2}), ("delay", {}), ("slow", {"interval": 0.01}),
    *(("flood", {"kind": kind}) for kind in FLOODS),
]

# So many that work which should not be done for each of them shows.
TEN_THOUSAND = "".join(f"many.section_{i // 100}.key_{i} = value_{i}\n" for i in range(10000))


class Soak:
    def __init__(self, folder, server, seed):
        self.random = random.Random(seed)
        self.server = server
        self.home = Home(folder)
        self.turn = 0
        self.watchers = []
        self.actions = {}
        self.denied = 0
        self.home.write("config/clearconf/soak.secret", SECRET_KEY + "\n")
        self.settle("warning")
        self.change_file()
        self.change_vault()
        self.daemon = Daemon(self.home)

    # -- actions ----------------------------------------------------------------------------------

    def settle(self, level):
        self.home.settings(SETTINGS.format(url=self.server.url, access_key=ACCESS_KEY, level=level))

    def text(self, name):
        """A configuration of the usual size, another each time."""
        self.turn += 1
        keys = "".join(f'  key_{self.random.randrange(200)} = "{self.random.random()}"\n'
                       for _ in range(self.random.randrange(50, 150)))
        return (f'{name} {{ turn = {self.turn}\n token = "soak-secret-{self.turn:08}"\n{keys} }}\n'
                "sdk.aws.s3.region = ${?HOME}\n")

    def change_file(self):
        self.home.conf(TEN_THOUSAND + self.text("file"))

    def break_file(self):
        self.home.conf("file { turn = [1, \n")

    def change_vault(self):
        count = self.random.randrange(1, 4)
        self.server.state.set_vaults([self.text("vault") for _ in range(count)])

    def break_vault(self):
        self.server.state.set_vaults(["a = {"])

    def fail(self):
        """For some requests, or until another action ends it."""
        name, options = self.random.choice(FAULTS)
        endpoint = self.random.choice(["users.get_vaults", "auth.login", None])
        self.server.fail(name, endpoint=endpoint, times=self.random.choice([1, 3, None]), **options)

    def recover(self):
        self.server.clear_failures()
        self.server.clear_requests()

    def forget_tokens(self):
        self.server.state.invalidate_tokens()

    def close_door(self):
        self.server.close_door()
        time.sleep(0.2)
        self.server.open_door()

    def watch(self):
        if len(self.watchers) >= WATCHERS_MAX:
            return self.go()
        connection = Connection(self.home.socket)
        connection.send("io.clearconf.Watch", {"values": self.random.random() < 0.5}, more=True)
        self.watchers.append(connection)

    def go(self):
        """A watcher leaves, whatever it was being told."""
        if self.watchers:
            self.watchers.pop(self.random.randrange(len(self.watchers))).close()

    def drain(self):
        """Some of them read; the others are slow."""
        for connection in self.random.sample(self.watchers, len(self.watchers) // 2):
            connection.socket.setblocking(False)
            try:
                while connection.socket.recv(1 << 20):
                    pass
            except BlockingIOError:
                pass

    def reload(self):
        self.settle(self.random.choice(["warning", "error"]))
        self.daemon.process.send_signal(signal.SIGHUP)

    def break_settings(self):
        self.home.settings("[poll]\ninterval = never\n")
        self.daemon.process.send_signal(signal.SIGHUP)

    def ask(self):
        method, parameters = self.random.choice([
            ("Get", {"path": "file"}), ("Get", {"path": "none.such"}), ("Explain", {"path": ""}),
            ("Get", {"environment": {"CLEARML_AGENT__A__B": "1", "CLEARML_WORKER_ID": "me"}}),
            ("History", {}), ("GetStatus", {}), ("ListWorkspaces", {}), ("Get", {"path": "a..b"}),
            ("ResolveStorage", {"uri": "s3://bucket/key"}), ("GetToken", {}), ("GetProfile", {})])
        try:
            self.daemon.call(method, **parameters)
        except VarlinkError:
            self.denied += 1

    def leave_at_once(self):
        with Connection(self.home.socket) as connection:
            connection.send_raw(b'{"method":"io.clearconf.Get"'[:self.random.randrange(28)])

    TABLE = ((change_file, 6), (break_file, 1), (change_vault, 5), (break_vault, 1), (fail, 2),
             (recover, 4), (forget_tokens, 1), (close_door, 1), (watch, 5), (go, 4), (drain, 10),
             (reload, 1), (break_settings, 1), (ask, 20), (leave_at_once, 2))

    def act(self):
        actions, weights = zip(*self.TABLE)
        [action] = self.random.choices(actions, weights)
        self.actions[action.__name__] = self.actions.get(action.__name__, 0) + 1
        action(self)

    # -- measure --------------------------------------------------------------------------------

    def sample(self):
        """(resident kilobytes, descriptors that are no client's)."""
        text = pathlib.Path(f"/proc/{self.daemon.process.pid}/status").read_text()
        status = self.daemon.call("GetStatus")["status"]
        return (int(text.partition("VmRSS:")[2].split()[0]),
                self.daemon.descriptors() - status["connections"] + 1)

    def run(self, seconds):
        """[(second, kilobytes, descriptors)]"""
        begin, samples = time.monotonic(), []
        while (now := time.monotonic() - begin) < seconds:
            self.act()
            if now >= len(samples) * SAMPLE_SECONDS:
                samples.append((now, *self.sample()))
            time.sleep(PAUSE)
        return samples

    def end_well(self):
        """The faults end: what is there last is served, and told to whoever watches."""
        self.recover()
        self.settle("warning")
        self.reload()
        self.change_file()
        self.home.conf(self.text("file") + f"last = {self.turn}\n")
        self.daemon.wait_value("last", self.turn)
        with Connection(self.home.socket) as connection:
            first = connection.watch(values=True)
            assert first["value"]["last"] == self.turn
        self.server.state.set_vaults([f"vault.last = {self.turn}\n"])
        self.daemon.wait_value("vault.last", self.turn)
        while self.watchers:
            self.go()
        self.turns = self.daemon.status()["counters"]
        wait_until(lambda: self.daemon.status()["connections"] == 1, "clients to be gone")


def line(points):
    """(mean, slope) of the least squares' line through [(x, y)]."""
    xs, ys = zip(*points)
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return mean_y, sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


def judge(samples, soak):
    """Print what was found; the number of reasons to be unhappy."""
    counted = [each for each in samples if each[0] >= samples[-1][0] * WARM_UP]
    span = counted[-1][0] - counted[0][0]
    rss, rss_slope = line([(at, kilobytes) for at, kilobytes, _ in counted])
    fds, fd_slope = line([(at, count) for at, _, count in counted])
    rss_growth, fd_growth = 100 * rss_slope * span / rss, fd_slope * span
    peak = max(kilobytes for _, kilobytes, _ in counted)
    print(f"soak: {samples[-1][0]:.0f} s, {sum(soak.actions.values())} actions, {len(counted)} samples")
    print("actions: " + ", ".join(f"{name} {count}" for name, count in sorted(soak.actions.items())))
    print(f"resident: mean {rss / 1024:.1f} MiB, peak {peak / 1024:.1f} MiB, line "
          f"{rss_slope * 3600:+.0f} KiB/h, {rss_growth:+.2f} % over the run (limit "
          f"{RSS_GROWTH_MAX} %)")
    print(f"descriptors: mean {fds:.2f}, line {fd_slope * 3600:+.3f}/h, {fd_growth:+.3f} over the "
          f"run (limit {FD_GROWTH_MAX})")
    worked, passed = (soak.turns[f"longest_turn{clock}_us"] / 1000 for clock in ("_cpu", ""))
    print(f"longest turn of the loop: {worked:.1f} ms of work (limit {TURN_MS} ms), {passed:.1f} ms "
          "by the clock")
    grows = rss_growth > RSS_GROWTH_MAX and not SANITIZED  # which keeps what is freed
    return grows + (fd_growth > FD_GROWTH_MAX) + (worked >= TURN_MS)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="clearconf-soak.") as folder, ClearMLServer() as server:
        soak = Soak(folder, server, seed)
        with soak.daemon:
            samples = soak.run(seconds)
            soak.end_well()
        problems = judge(samples, soak)
        assert "soak-secret-" not in soak.daemon.log()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
