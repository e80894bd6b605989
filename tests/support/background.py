"""A client that goes on beside a test."""

import re
import subprocess
import threading

from harness import CLIENT, wait_until


class Background:
    """A client that goes on; `lines` is what it has printed so far."""

    def __init__(self, home, *arguments):
        self.process = subprocess.Popen(
            [CLIENT, *map(str, arguments)], env=home.env, cwd=home.path / "cwd",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines, self.errors = [], []
        self.threads = [threading.Thread(target=self._read, args=pair) for pair in
                        ((self.process.stdout, self.lines), (self.process.stderr, self.errors))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def wait_line(self, pattern, lines=None):
        def there():
            assert self.process.poll() is None, self.errors
            return next((x for x in (lines or self.lines) if re.search(pattern, x)), None)
        return wait_until(there, f"a line with {pattern}")
