#!/usr/bin/python3
"""How long `clearconf fleet` takes to say how 10,000 hosts stand.

    fleet_look.py [--hosts 10000]

One etcd that holds as many reports as there are hosts, of 1.6 KB each, which is what a host with five
documents and thirty parts of its tree has; all processes on this machine. The first look, which writes the
roster, is told but not judged. The figures go to daemon/doc/site.md, "Many hosts".
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

import fleet  # noqa: E402
from etcd import PREFIX, STATE, Node, coded  # noqa: E402

BUILD = pathlib.Path(os.environ.get("B", "build"))
CLIENT = (BUILD if BUILD.is_absolute() else ROOT / BUILD) / "clearconf"
LIMIT = 1.0  # seconds


def fill(node, count):
    documents = [(f"{number:02}-document.conf", node.put(f"{number:02}-document.conf", "a = 1\n")) for number in range(5)]
    paths = {f"agent.section{number}": "x1Yz8-_a" for number in range(30)}
    for first in range(0, count, 100):
        puts = []
        for number in range(first, min(first + 100, count)):
            name = f"host-{number:05}"
            told = fleet.with_digest(fleet.report(name, documents, groups=["gpu"]), "4", **paths)
            puts.append({"request_put": {"key": coded(STATE + name), "value": coded(json.dumps(told))}})
        node.call("kv/txn", success=puts, timeout=30)


def look(node):
    """(seconds, seconds of the client's own CPU)"""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([CLIENT, "fleet", "--etcd", node.url, "--prefix", PREFIX], check=True, capture_output=True,
                          text=True)
    seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "ready" in done.stdout, done.stdout
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=10000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cc.") as folder, Node(folder) as node:
        fill(node, options.hosts)
        first, _ = look(node)
        looks = [look(node) for _ in range(7)]
    seconds = statistics.median(each for each, _ in looks)
    cpu = statistics.median(each for _, each in looks)
    figure = f"{seconds:.2f} s (first {first:.2f}), client {cpu:.2f} s CPU"
    print("%-4s %-54s %-18s %-44s %s" % ("site", f"clearconf fleet, {options.hosts:,} hosts", f"< {LIMIT:.0f} s", figure,
                                          "ok" if seconds < LIMIT else "NO"), flush=True)


main()
