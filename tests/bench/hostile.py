"""What a user's Gets cost while another does all the harm that a socket allows: quantiles in
milliseconds, each the median of some runs: alone, of the daemon that is attacked, and of
another daemon beside it, which shows what of it is the machine, whose processors the attacker
has too. Needs root, to be two users.

    hostile.py     B=build SECONDS=10 RUNS=3 in the environment
"""

import os
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from harness import Daemon, Home, Strangers  # noqa: E402
from hostile import GROWING, Attack, latencies, quantile  # noqa: E402

STRANGER = 65533
SECONDS = max(2.0, float(os.environ.get("SECONDS", "10")))
RUNS = max(1, int(os.environ.get("RUNS", "3")))
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def home_in(folder):
    home = Home(pathlib.Path(folder) / "home")
    home.settings(f"[access]\nread = {STRANGER}\n")
    home.conf(f"k: 1\n{GROWING}\n")
    return home


def run(asked, junk):
    """The latencies at the daemon `asked`, "attacked" or "beside", and what the attacker got."""
    with Strangers() as attacked, Strangers() as beside, \
            tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        with Daemon(home_in(one), "--socket", attacked.socket), \
                Daemon(home_in(other), "--socket", beside.socket), \
                Attack(attacked.socket, STRANGER, SECONDS + 2, junk) as attack:
            taken = latencies({"attacked": attacked, "beside": beside}[asked].socket, SECONDS)
    return taken, attack.figures


def alone():
    with Strangers() as strangers, tempfile.TemporaryDirectory() as folder:
        with Daemon(home_in(folder), "--socket", strangers.socket):
            return latencies(strangers.socket, SECONDS)


def figures(runs):
    return ", ".join(
        f"{name} {statistics.median(quantile(taken, part) for taken in runs) * 1000:.2f} ms"
        for name, part in QUANTILES.items())


def main():
    if os.geteuid() != 0:
        print("hostile left out: only root can be two users")
        return
    print(f"hostile Get alone: {figures([alone()])}")
    for junk in (False, True):
        with_junk = " with junk" if junk else ""
        runs = {"attacked": [], "beside": []}
        for _ in range(RUNS):
            for asked, taken in runs.items():
                latency, attack = run(asked, junk)
                taken.append(latency)
        print(f"hostile Get, attacked{with_junk}: {figures(runs['attacked'])} "
              f"(target p99 < 5 ms; at the end {attack['open']} connections, "
              f"{attack['refused']} refused)")
        print(f"hostile Get of another daemon, beside that: {figures(runs['beside'])}")


if __name__ == "__main__":
    main()
