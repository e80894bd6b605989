"""Hosts that are to take vaults in turns ([change] stage): who goes first, computed as anybody can."""

import hashlib
import hmac

from harness import FAST, Daemon, Home
from host import Host
from share import share_of

APPLICATION = bytes.fromhex("c1ea4c04f1ee4d0f9b5e6d0f2c3a7e11")  # daemon/core/base/machine.c
HOURS = 3600
STAGED = FAST + "[change]\nstage = 30 % for 2h\n"


def machine_of(text):
    """What `systemd-id128 machine-id --app-specific=` makes of a machine id."""
    mac = bytearray(hmac.new(bytes.fromhex(text), APPLICATION, "sha256").digest()[:16])
    mac[6] = mac[6] & 0x0F | 0x40
    mac[8] = mac[8] & 0x3F | 0x80
    return mac.hex()


def revision_of(vaults):
    """The name of an answer of these vaults, (id, last_update) each."""
    parts = [part.encode() for vault in vaults for part in vault]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "little") + part
                                   for part in parts)).hexdigest()[:12]


class StagedHost:
    """A host with a machine id of its own, and its daemon."""

    def __init__(self, folder, library, number, conf, settings=STAGED, socket=None):
        self.id = hashlib.md5(str(number).encode()).hexdigest()
        self.machine = machine_of(self.id)
        folder.mkdir()
        self.host = Host(folder, library)
        self.host.set_machine_id(self.id + "\n")
        self.home = Home(folder / "home")
        self.home.settings(settings)
        self.home.conf(conf)
        self.daemon = Daemon(self.home, env=self.host.env)
        self.daemon.socket = socket or self.daemon.socket

    def sleep(self, seconds):
        """The boot clock goes on by so much; the next answer of the server finds it so."""
        self.host.sleep(seconds)

    def arriving(self):
        return self.daemon.workspace().get("arriving", [])

    def is_first(self, revision, share=3000):
        return share_of(self.machine, revision) < share


def edited_so_that(hosts, vault, count):
    """A time of the last edit with which so many of the hosts go first, and the revision's name."""
    for minute in range(100000):
        edited = f"2026-11-29T00:00:00.{minute:06}+00:00"
        revision = revision_of([(vault, edited)])
        if sum(host.is_first(revision) for host in hosts) == count:
            return edited, revision
    raise AssertionError("no such time")
