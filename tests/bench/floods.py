"""What a user's Gets cost while the ClearML server, or an etcd, sends as fast as it can: quantiles in
milliseconds and the longest turn of the loop, with 10,000 keys. Where root may, the daemon and who
asks it have the processors before all else, so that it is not the other programs that are measured.

    floods.py     B=build SECONDS=5 in the environment
"""

import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from clearml_failures import FLOODS  # noqa: E402
from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer  # noqa: E402
from flooding_etcd import FloodingEtcd  # noqa: E402
from harness import FAST, Daemon, Home, wait_until  # noqa: E402
from hostile import latencies_of_another, put_first, quantile  # noqa: E402

SECONDS = max(1.0, float(os.environ.get("SECONDS", "5")))
KEYS = "".join(f'many.section_{i // 100}.key_{i} = "value {i}"\n' for i in range(10_000))
SITE = "[poll]\ntimeout = 3s\n[site]\netcd = {url}\nprobe = 1s\n"


def measure(name, daemon, before):
    taken = latencies_of_another(daemon.socket, SECONDS, before)
    figures = ", ".join(f"p{part} {quantile(taken, part / 100) * 1000:.2f} ms" for part in (50, 90, 99))
    print(f"{name}: {figures}; longest turn so far {daemon.longest_turn_ms():.1f} ms", flush=True)


def by_server(folder):
    with ClearMLServer(edition="enterprise") as server:
        home = Home(folder)
        home.settings(FAST)
        home.conf(f"api {{ api_server: {server.url}, credentials {{ access_key: {ACCESS_KEY}, "
                  f"secret_key: \"{SECRET_KEY}\" }} }}\nk: 1\n{KEYS}")
        with Daemon(home) as daemon:
            daemon.wait_state("ready")
            before = put_first(daemon.process.pid)
            measure("nobody floods", daemon, before)
            for kind in FLOODS:
                server.fail("flood", kind=kind)
                time.sleep(0.5)
                measure(f"the server, {kind}", daemon, before)
                server.clear_failures()


def by_etcd(folder, kind):
    with FloodingEtcd(kind) as etcd:
        home = Home(folder)
        home.settings(SITE.format(url=etcd.url))
        home.conf(f"k: 1\n{KEYS}")
        with Daemon(home) as daemon:
            wait_until(lambda: etcd.sent, "the flood")
            measure(f"etcd, {kind}", daemon, put_first(daemon.process.pid))


def main():
    with tempfile.TemporaryDirectory() as folder:
        by_server(folder)
    for kind in FloodingEtcd.EVENTS:
        with tempfile.TemporaryDirectory() as folder:
            by_etcd(folder, kind)


if __name__ == "__main__":
    main()
