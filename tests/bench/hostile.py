"""What a user's Gets cost while another does all the harm that a socket allows: quantiles in
milliseconds, each the median of some runs: alone, of the daemon that is attacked, and of
another daemon beside it, which shows what of it is the machine; and the worst p99 of a run. Needs
root, to be two users, and so that who is asked and who asks have the processors before all else.

    hostile.py     B=build SECONDS=3 RUNS=10 in the environment
"""

import os
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from harness import Daemon, Home, Strangers  # noqa: E402
from hostile import GROWING, Attack, latencies_of_another, put_first, quantile  # noqa: E402

STRANGER = 65533
SECONDS = max(2.0, float(os.environ.get("SECONDS", "3")))
RUNS = max(1, int(os.environ.get("RUNS", "10")))
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
        with Daemon(home_in(one), "--socket", attacked.socket) as first, \
                Daemon(home_in(other), "--socket", beside.socket) as second, \
                Attack(attacked.socket, STRANGER, SECONDS + 2, junk) as attack:
            daemon = {"attacked": first, "beside": second}[asked]
            taken = latencies_of_another(daemon.socket, SECONDS, put_first(daemon.process.pid))
    return taken, attack.figures


def alone():
    with Strangers() as strangers, tempfile.TemporaryDirectory() as folder:
        with Daemon(home_in(folder), "--socket", strangers.socket) as daemon:
            return latencies_of_another(daemon.socket, SECONDS, put_first(daemon.process.pid))


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
        worst = max(quantile(taken, 0.99) for taken in runs["attacked"]) * 1000
        print(f"hostile Get, attacked{with_junk}: {figures(runs['attacked'])}, worst p99 of {RUNS} "
              f"{worst:.2f} ms (target: each < 5 ms; at the end {attack['open']} connections, "
              f"{attack['refused']} refused)")
        print(f"hostile Get of another daemon, beside that: {figures(runs['beside'])}")


if __name__ == "__main__":
    main()
