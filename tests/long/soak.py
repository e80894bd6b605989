#!/usr/bin/python3
"""A daemon under everything at once, for as long as one likes: `make soak SECONDS=N`.

soak.py SECONDS [SEED] plays tests/support/world.py. Memory and descriptors are sampled meanwhile; a
line through the samples (least squares) must be flat.

The first fifth is not counted: the history fills, and so do the pools of malloc.
"""

import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from clearml_server import ClearMLServer  # noqa: E402
from harness import SANITIZED, TURN_MS, wait_until  # noqa: E402
from world import PAUSE, TELLTALE, World  # noqa: E402

SAMPLE_SECONDS = 1.0
WARM_UP = 0.2        # of the time
RSS_GROWTH_MAX = 5   # % of the mean, by the line, from its begin to its end
FD_GROWTH_MAX = 0.5  # descriptors, likewise


class Soak(World):
    """The world, measured."""

    def sample(self):
        """(resident kilobytes, descriptors that are no client's)."""
        status = self.daemon.call("GetStatus")["status"]
        return self.daemon.resident(), self.daemon.descriptors() - status["connections"] + 1

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
        super().end_well()
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
    print(f"soak: {samples[-1][0]:.0f} s, {len(counted)} samples, {soak.told()}")
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
        assert TELLTALE not in soak.daemon.log()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
