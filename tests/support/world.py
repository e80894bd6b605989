"""One daemon in a world that changes at random, by a seed, and may do so for ever: files and vaults,
a server that fails in all ways, watchers who come, read slowly and go, settings that are reloaded,
callers who bring environments.

tests/long/soak.py measures the daemon in it; storm.py adds what is rougher. Whatever it says is held
against the interface. At the end the faults are over, and what is there last is served.
"""

import json
import random
import signal
import time

from clearml_failures import FLOODS
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import INTERFACE, Daemon, Home
from varlink import Connection, VarlinkError

PAUSE = 0.04         # seconds between two deeds: some twenty a second
WATCHERS_MAX = 40
TELLTALE = "world-secret-"
# So many that work which should not be done for each of them shows.
TEN_THOUSAND = "".join(f"many.section_{i // 100}.key_{i} = value_{i}\n" for i in range(10000))

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
{more}
"""
SECTION = """\
[workspace {name}]
api_server = {url}
access_key = {key}
secret_key_file = {name}.secret
"""
FAULTS = [
    ("page", {"status": 503}), ("page", {"status": 502}), ("page", {"status": 429}),
    ("envelope", {}), ("data", {}), ("redirect", {}), ("gzip_bomb", {}), ("half", {}),
    ("half", {"reset": True}), ("half_chunk", {}), ("bad_chunk", {}), ("bad_gzip", {}),
    ("cut_gzip", {}), ("raw", {"data": "nonsense"}), ("drop", {}), ("drop", {"reset": True}),
    ("hang", {"seconds": 2}), ("delay", {}), ("slow", {"interval": 0.01}),
    *(("flood", {"kind": kind}) for kind in FLOODS),
]
CALLS = [
    ("Get", {"path": "file"}), ("Get", {"path": "none.such"}), ("Explain", {"path": ""}),
    ("Get", {"environment": {"CLEARML_AGENT__A__B": "1", "CLEARML_WORKER_ID": "me"}}),
    ("History", {}), ("GetStatus", {}), ("ListWorkspaces", {}), ("Get", {"path": "a..b"}),
    ("ResolveStorage", {"uri": "s3://bucket/key"}), ("GetToken", {}), ("GetProfile", {}),
    ("ListConsumers", {}), ("CheckVault", {"text": "file.turn: 0\nmore: [1, ${?HOME}]"}),
    ("GetArrivals", {}), ("Get", {"view": "merged"}), ("Diff", {}),
]


class World:
    """A home, a stand-in server, a daemon, watchers."""

    KEYS = {"one": (ACCESS_KEY, SECRET_KEY)}

    def __init__(self, folder, server, seed, *arguments, **options):
        self.random = random.Random(seed)
        self.server = server
        self.home = Home(folder)
        self.turn = 0
        self.watchers = []
        self.deeds = {}
        self.denied = 0
        self.more = ""  # further settings
        for name, (_, secret) in self.KEYS.items():
            self.home.write(f"config/clearconf/{name}.secret", secret + "\n").chmod(0o600)
        self.settle("warning")
        self.change_file()
        self.change_vault()
        self.daemon = Daemon(self.home, *arguments, **options)

    def settle(self, level):
        self.home.settings(SETTINGS.format(level=level, more=self.more) + "".join(
            SECTION.format(name=name, url=self.server.url, key=key)
            for name, (key, _) in self.KEYS.items()))

    # -- files, vaults, the server ----------------------------------------------------------------

    def text(self, name):
        """A configuration of the usual size, another each time."""
        self.turn += 1
        keys = "".join(f'  key_{self.random.randrange(200)} = "{self.random.random()}"\n'
                       for _ in range(self.random.randrange(50, 150)))
        return (f'{name} {{ turn = {self.turn}\n token = "{TELLTALE}{self.turn:08}"\n{keys} }}\n'
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
        """For some requests, or until another deed ends it."""
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

    # -- callers ----------------------------------------------------------------------------------

    def watch(self):
        if len(self.watchers) >= WATCHERS_MAX:
            return self.go()
        connection = Connection(self.daemon.socket)
        connection.send("io.clearconf.Watch", {"values": self.random.random() < 0.5}, more=True)
        connection.generation = 0
        self.watchers.append(connection)

    def go(self):
        """A watcher leaves, whatever it was being told."""
        if self.watchers:
            self.watchers.pop(self.random.randrange(len(self.watchers))).close()

    def drain(self):
        """Some of them read; the others are slow."""
        for connection in self.random.sample(self.watchers, len(self.watchers) // 2):
            if not self.hear(connection):
                self.watchers.remove(connection)
                connection.close()

    @staticmethod
    def hear(connection):
        """Take what a watcher was told; False: that was the last, as it was too slow for its user's
        quota, or its connection has ended."""
        messages = take(connection)
        for message in messages or ():
            reply = json.loads(message)
            misfits = INTERFACE.misfits_of_reply("io.clearconf.Watch", reply)
            assert not misfits, f"Watch: {misfits}"
            if "error" in reply:
                return False
            connection.generation = reply["parameters"]["generation"]
        return messages is not None

    def ask(self):
        method, parameters = self.random.choice(CALLS)
        try:
            self.daemon.call(method, **parameters)
        except VarlinkError:
            self.denied += 1

    def leave_at_once(self):
        with Connection(self.daemon.socket) as connection:
            connection.send_raw(b'{"method":"io.clearconf.Get"'[:self.random.randrange(28)])

    # -- settings ---------------------------------------------------------------------------------

    def reload(self):
        self.settle(self.random.choice(["warning", "error"]))
        self.daemon.process.send_signal(signal.SIGHUP)

    def break_settings(self):
        self.home.settings("[poll]\ninterval = never\n")
        self.daemon.process.send_signal(signal.SIGHUP)

    TABLE = {change_file: 6, break_file: 1, change_vault: 5, break_vault: 1, fail: 2, recover: 4,
             forget_tokens: 1, close_door: 1, watch: 5, go: 4, drain: 10, reload: 1, break_settings: 1,
             ask: 20, leave_at_once: 2}

    def act(self):
        deed, = self.random.choices(list(self.TABLE), list(self.TABLE.values()))
        self.deeds[deed.__name__] = self.deeds.get(deed.__name__, 0) + 1
        deed(self)

    def told(self):
        """The deeds so far, for people."""
        return (f"{sum(self.deeds.values())} deeds: "
                + ", ".join(f"{name} {count}" for name, count in sorted(self.deeds.items())))

    def end_well(self):
        """The faults end: what is there last is served, and told to whoever watches."""
        self.recover()
        self.settle("warning")
        self.daemon.process.send_signal(signal.SIGHUP)
        self.change_file()
        self.home.conf(self.text("file") + f"last = {self.turn}\n")
        self.daemon.wait_value("last", self.turn)
        with Connection(self.daemon.socket) as connection:
            first = connection.watch(values=True)
            assert first["value"]["last"] == self.turn
        self.server.state.set_vaults([f"vault.last = {self.turn}\n"])
        self.daemon.wait_value("vault.last", self.turn)


def take(connection):
    """Messages that have come, as they are; None: the connection has ended."""
    connection.socket.setblocking(False)
    try:
        while piece := connection.socket.recv(1 << 20):
            connection.buffer += piece
    except BlockingIOError:
        *messages, connection.buffer = connection.buffer.split(b"\0")
        return messages
    except ConnectionError:
        pass
    return None
