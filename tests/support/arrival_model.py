"""A host of which the vaults arrive in stages, and what it must serve whatever is done to it: by a seed."""

import json
import random
import signal

from arriving import HOURS, revision_of
from harness import FAST, wait_until


SHARE = 1000
SETTINGS = FAST + "[change]\nstage = 10 % for 2h\n"


class World:
    """A StagedHost that has taken the vault v of k: 1, with `stage = 10 % for 2h`; and what it should be."""

    def __init__(self, host, server, seed):
        self.host, self.server = host, server
        self.random = random.Random(seed)
        self.said = [f"seed {seed}"]
        self.edits = self.slept = 0
        self.texts = 1        # that the server has had
        self.offered = 1      # that it has now
        self.in_force = 1     # that is served without a hold
        self.next = None      # that waits, or was skipped
        self.skipped = False
        self.seen = 0         # when it was first, by `slept`
        self.held = None
        self.away = False     # the server is
        self.hidden = False   # what waits is known by its digest alone: started while it was away
        self.revision = None  # of what is offered

    # --- what can happen ---

    def edit(self):
        """The author saves something new, or what is in force again."""
        back = self.next is not None and self.random.random() < 0.3
        self.texts += not back
        self._offer(self.in_force if back else self.texts)

    def _offer(self, number):
        self.edits += 1
        self.offered = number
        edited = f"2026-11-30T00:00:00.{self.edits:06}+00:00"
        self.server.state.set_vaults([{"id": "v", "data": f"k: {number}", "last_update": edited}])
        self.revision = revision_of([("v", edited)])
        if not self.away:
            self._meet()

    def _meet(self):
        """The host gets an answer."""
        self.hidden = False
        if self.offered == self.in_force:
            self.next, self.skipped = None, False
        elif self.offered != self.next:
            self.next, self.skipped, self.seen = self.offered, False, self.slept
            if self.host.is_first(self.revision, SHARE):
                self._take()
        elif not self.skipped and self.slept - self.seen >= 2 * HOURS:
            self._take()

    def _take(self):
        self.in_force, self.next, self.skipped = self.next, None, False

    def sleep(self):
        self.slept += self.random.choice((1, 3)) * HOURS
        self.host.sleep(self.slept)
        if self._waits() and not self.skipped and self.slept - self.seen >= 2 * HOURS:
            self._take()

    def _waits(self):
        return self.next is not None and not self.hidden

    def now(self):
        self.host.home.client("change", "now", check=0 if self._waits() else 1)
        if self._waits():
            self._take()

    def skip(self):
        self.host.home.client("change", "skip", check=0 if self._waits() else 1)
        self.skipped = self.skipped or self._waits()

    def leave_or_come_back(self):
        """The server."""
        self.away = not self.away
        if self.away:
            self.server.fail("drop")
        else:
            self.server.clear_failures()
            if self.revision:
                self._meet()

    def hold(self):
        self.host.home.client("hold", "--reason", "of the model", check=0)
        self.held = self.in_force if self.held is None else self.held

    def release(self):
        self.host.home.client("release", check=None)
        self.held = None

    def restart(self):
        """What the host was told is on disk; what it saw by itself, once that is written."""
        number = self.random.choice((signal.SIGKILL, signal.SIGTERM))
        if number == signal.SIGKILL:
            wait_until(self._is_kept, "what is on disk")
        self.host.daemon.stop(number)
        self.host.daemon.start()
        self.hidden = self.away

    def _is_kept(self):
        try:
            text = (self.host.home.path / "state/clearconf/cache/default.cache").read_text()
        except FileNotFoundError:
            return False
        kept = json.loads(text.partition("\n")[2])
        arrival = kept["arrivals"]["config"]
        return (kept["vaults"]["config"][0]["data"] == f"k: {self.in_force}"
                and ("next" in arrival) == (self.next is not None)
                and arrival.get("skipped", False) == self.skipped)

    # --- what must be ---

    def agrees(self):
        arriving = self.host.arriving()
        there = [(one["revision"], "until" in one) for one in arriving]
        served = self.host.daemon.get("k")
        return (served == (self.in_force if self.held is None else self.held)
                and len(there) == self._waits()
                and all(waits != self.skipped for _, waits in there))

    def live(self, steps):
        ways = ([self.edit, self.skip] * 2 + [self.restart] * 3
                + [self.sleep, self.now, self.hold, self.release, self.leave_or_come_back])
        for _ in range(steps):
            way = self.random.choice(ways)
            self.said.append(way.__name__)
            way()
            for _ in range(2):
                wait_until(self.agrees, f"{' '.join(self.said)}: {vars(self)}")
                self.next_answer()
        wait_until(self.agrees, " ".join(self.said))

    def next_answer(self):
        """One that was asked for from now on, well or not."""
        def answers():
            counters = self.host.daemon.status()["counters"]
            return counters["fetches"] // 2 + counters["fetches_failed"]  # of two feeds, or of the first
        before = answers()
        wait_until(lambda: answers() >= before + 2, "an answer")
