"""Every secret that this run of tests has used, and all that was said where none may be told.

Secrets come from the stand-in servers (key pairs, tokens, vaults) and from the files of homes; what
was said are logs, status, errors, and what the daemons keep in their state folders. The fixture
nothing_is_given_away in conftest.py compares them after each test.
"""

import json
import pathlib
import re
import time

LONGEST = 1 << 20  # characters of a text that are searched: some tests write absurd ones
SHORTEST = 8  # characters: the daemon itself hides no shorter ones
# A key that ClearML hides and its value; a file's name is none.
SECRET = re.compile(r"""(?i)(?:secret|pass|token|account_key|contents)(?!\w*file)\w*["']?\s*[:=]\s*"""
                    r"""(?:"([^"\n]+)"|([^"\s,{}\[\]$]+))""")


class Ledger:
    """One for the whole run; `said` is of one test."""

    def __init__(self):
        self.secrets = set()
        self.said = set()    # (where, text)
        self.homes = []
        self.since = 0.0

    def begin(self):
        """A test begins."""
        self.said.clear()
        self.since = time.time()

    def learn(self, *secrets):
        """These are secrets from now on."""
        self.secrets.update(each for each in secrets
                            if len(each) >= SHORTEST and not each.isdigit())

    def learn_text(self, text):
        """So are the values of secret keys in a configuration."""
        self.learn(*(value for pair in SECRET.findall(str(text)[:LONGEST]) for value in pair))

    def hear(self, where, text):
        """This was said where no secret may be told; texts or what is JSON-able."""
        self.said.add((where, text if isinstance(text, str) else json.dumps(text)))

    def given_away(self):
        """[(where, secret)] of what was told all the same."""
        for home in self.homes:
            self._read(home)
        return sorted((where, secret) for where, text in self.said
                      for secret in self.secrets if secret in text)

    def _read(self, home):
        for path in [home / "daemon.log", *(home / "state").rglob("*")]:
            if self._is_of_this_test(path) and not is_kept(path):
                self.hear(str(path), path.read_bytes().decode(errors="replace"))

    def _is_of_this_test(self, path):
        """Seconds are enough: time stamps of files lag a little."""
        return path.is_file() and path.stat().st_mtime >= self.since - 1


def is_kept(path):
    """What serves and has served is kept with its secrets, for the daemon's eyes only: the last known
    good vaults, the history, a hold."""
    parts = pathlib.PurePath(path).parts
    return ("history" in parts or ".hold" in parts[-1] or
            any("cache" in part for part in parts[-2:]))


LEDGER = Ledger()
