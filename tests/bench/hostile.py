"""What a user's Gets cost while another does all the harm that a socket allows: quantiles in
milliseconds, alone and attacked. Needs root, to be two users. On a busy machine both are the
machine's.

    hostile.py     B=build SECONDS=5 in the environment
"""

import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from harness import Daemon, Home, Strangers  # noqa: E402
from hostile import GROWING, Attack, latencies, quantile  # noqa: E402

STRANGER = 65533
SECONDS = max(2.0, float(os.environ.get("SECONDS", "5")))


def figures(taken):
    return ", ".join(f"{name} {quantile(taken, part) * 1000:.2f} ms"
                     for name, part in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)))


def main():
    if os.geteuid() != 0:
        print("hostile left out: only root can be two users")
        return
    with Strangers() as strangers, tempfile.TemporaryDirectory() as folder:
        home = Home(pathlib.Path(folder) / "home")
        home.settings(f"[access]\nread = {STRANGER}\n")
        home.conf(f"k: 1\n{GROWING}\n")
        with Daemon(home, "--socket", strangers.socket):
            print(f"hostile Get alone: {figures(latencies(strangers.socket, SECONDS))}")
            with Attack(strangers.socket, STRANGER, SECONDS + 2) as attack:
                taken = latencies(strangers.socket, SECONDS)
            print(f"hostile Get attacked: {figures(taken)} (target p99 < 5 ms; "
                  f"{attack.figures['open']} connections, {attack.figures['refused']} refused)")


if __name__ == "__main__":
    main()
