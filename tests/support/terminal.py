"""Terminals for programs: two of them, as stdout and stderr."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading

from harness import CLIENT, wait_until


class Terminal:
    """A program on terminals of `rows` and `columns`; 0: they do not say. `out` and `err` are what
    it has written so far."""

    def __init__(self, home, *words, env=None, program=CLIENT, rows=0, columns=0):
        self.texts = {"out": b"", "err": b""}
        ends, self.threads = [], []
        for name in self.texts:
            master, end = pty.openpty()
            fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            self.threads.append(threading.Thread(target=self._read, args=(name, master)))
            ends.append(end)
        self.process = subprocess.Popen(
            [program, *map(str, words)], env=dict(home.env, **(env or {})), cwd=home.path / "cwd",
            stdin=subprocess.DEVNULL, stdout=ends[0], stderr=ends[1])
        for end in ends:
            os.close(end)
        for thread in self.threads:
            thread.start()

    def _read(self, name, master):
        try:
            while data := os.read(master, 1 << 16):
                self.texts[name] += data
        except OSError:  # EIO: the other end is closed
            pass
        os.close(master)

    @property
    def out(self):
        return self.texts["out"].decode(errors="replace")

    @property
    def err(self):
        return self.texts["err"].decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.end()

    def end(self):
        """Wait for its end; what it has written."""
        self.process.wait(timeout=60)
        for thread in self.threads:
            thread.join()
        return self.out, self.err

    def wait_out(self, text):
        wait_until(lambda: text in self.out, f"{text} on the terminal")


def on_terminal(home, *words, **more):
    """What a terminal gets from stdout, and from stderr."""
    return Terminal(home, *words, **more).end()
