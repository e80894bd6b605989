"""A file that `clearconf dump --watch` keeps current, its writer killed again and
again, and a reader that looks without a pause: it must never see half a file, or
one that others may read.

Every state of the configuration is `n: N, copies: [N, N, ...]` with a secret, so
that each file can be told to be whole. The masks of the reader's process and of
the folder are the laxest there are.
"""

import json
import os
import random
import signal
import stat
import subprocess
import threading
import time

from harness import CLIENT, wait_until

COPIES = 2000


def configuration(number):
    return f"n: {number}, copies: [{', '.join([str(number)] * COPIES)}], secret: s"


class Reader(threading.Thread):
    """Reads the file over and over; .wrong says what it should not have seen."""

    def __init__(self, path):
        super().__init__()
        self.path, self.wrong, self.seen, self.reads = path, [], set(), 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set() and not self.wrong:
            for name in os.listdir(self.path.parent):
                self.look(self.path.parent / name)

    def look(self, path):
        """The file, or a temporary one that is on its way to become it."""
        try:
            with open(path, "rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                data = file.read()
        except FileNotFoundError:
            return
        if mode & 0o077:
            self.wrong.append(f"{path.name} has mode {mode:o}")
        if path == self.path:
            self.check(data)

    def check(self, data):
        self.reads += 1
        try:
            tree = json.loads(data)
        except ValueError:
            self.wrong.append(f"{len(data)} bytes that are no JSON")
            return
        if tree["copies"] != [tree["n"]] * COPIES:
            self.wrong.append("two states in one file")
        self.seen.add(tree["n"])


def run(home, daemon, changes, kills):
    """The reader, and how many files the killed have left. Those are whole: there is
    one instant between the file's getting a name and its getting the right one."""
    dice = random.Random(changes)
    folder = home.path / "folder"
    folder.mkdir(mode=0o755)
    path = folder / "out.json"
    home.conf(configuration(0))
    daemon.start()

    def write():
        return subprocess.Popen([CLIENT, "dump", "--watch", "--output", path], env=home.env,
                                umask=0)
    writer = write()
    reader = None
    try:
        wait_until(path.exists, "the first file")
        reader = Reader(path)
        reader.start()
        for number in range(1, changes + 1):
            home.conf(configuration(number))
            if number % (changes // kills) == 0:
                time.sleep(dice.uniform(0, 0.1))  # the file takes about half of that
                writer.send_signal(signal.SIGKILL)
                writer.wait()
                writer = write()
            wait_until(lambda: reader.wrong or number in reader.seen, f"change {number}")
        writer.send_signal(signal.SIGTERM)
        writer.wait()
        for leftover in set(os.listdir(folder)) - {path.name}:
            reader.check((folder / leftover).read_bytes())
    finally:
        if reader:
            reader.stopping.set()
            reader.join()
        if writer.poll() is None:
            writer.kill()
            writer.wait()
    return reader, len(os.listdir(folder)) - 1
