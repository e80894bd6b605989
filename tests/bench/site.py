#!/usr/bin/python3
"""How long a document takes from `etcdctl put` to those who watch for it.

    site.py [--daemons 200] [--puts 100] [--streams 10000] [--reporters 10000]

One etcd, as many daemons as a small fleet has, and a watcher at the socket of each: the time from
the put (sent) to the last watcher that was told, over --puts of them. The daemons keep their state
in memory, because a fleet has a disk each; etcd is on the disk. Then the same without daemons,
for what etcd itself bears: --streams watches as daemons open them, held by one process, and the
memory that etcd takes for each. The figures go to site.md, "Growing past one machine".

The daemons are measured twice, first without and then with `report = yes`, and --reporters hosts
are their reports alone, by the real code in one process (reporters.c): what they cost at rest, at a
change, and after outages of etcd that are shorter and longer than a lease.
"""

import argparse
import base64
import contextlib
import json
import os
import pathlib
import resource
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

from etcd import PREFIX, STATE, Node, coded  # noqa: E402

PACE = ["--heartbeat-interval", "100", "--election-timeout", "1000"]  # etcd's own
BUILD = pathlib.Path(os.environ.get("B", "build"))
DAEMON = (BUILD if BUILD.is_absolute() else ROOT / BUILD) / "clearconfd"
REPORTERS = DAEMON.parent / "tests/bench/reporters"


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def told(name, seconds):
    print(f"{name}: p50 {statistics.median(seconds) * 1000:.1f} ms, "
          f"p99 {percentile(seconds, 0.99) * 1000:.1f} ms, max {max(seconds) * 1000:.1f} ms",
          flush=True)


def row(work, seconds):
    """A line of make bench's table."""
    late = percentile(seconds, 0.99) * 1000
    figure = f"p50 {statistics.median(seconds) * 1000:.1f} ms, p99 {late:.1f} ms"
    print("%-4s %-54s %-18s %-44s %s" % ("site", work, "p99 < 100 ms", figure,
                                          "ok" if late < 100 else "NO"), flush=True)


def memory_of(pid):
    """Resident KiB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def cpu_of(pid):
    if not os.path.exists(f"/proc/{pid}"):
        return 0
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Lines:
    """Many connections of which each is told something; which of them have been told."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.sockets = []

    def add(self, line):
        line.setblocking(False)
        self.sockets.append(line)
        self.selector.register(line, selectors.EVENT_READ, [b""])

    def wait(self, mark, count, seconds=60):
        """Until `count` of them have received these bytes; when each did, by the clock."""
        end = time.monotonic() + seconds
        times = []
        while len(times) < count:
            assert time.monotonic() < end, f"{len(times)} of {count} were told"
            for key, _ in self.selector.select(1):
                data = key.fileobj.recv(1 << 16)
                assert data, "a connection was closed"
                key.data[0] = (key.data[0] + data)[-400:]
                if mark in key.data[0]:
                    key.data[0] = b""
                    times.append(time.monotonic())
        return times

    def close(self):
        for line in self.sockets:
            line.close()
        self.selector.close()


# --- daemons ------------------------------------------------------------------

def start_daemon(folder, url, more, number):
    """(process, path of its socket); a home of its own."""
    (folder / "config/clearconf").mkdir(parents=True)
    (folder / "config/clearconf/clearconfd.conf").write_text(f"[site]\netcd = {url}\n{more}")
    env = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PATH": os.environ["PATH"],
           "XDG_CONFIG_HOME": str(folder / "config"), "XDG_STATE_HOME": str(folder / "state")}
    before = own_host(number) if more else []
    process = subprocess.Popen([*before, DAEMON, "--user", "--log-level", "error"], env=env, cwd=folder)
    return process, folder / "clearconf/clearconf.sock"


def watch(path, deadline):
    while True:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(str(path))
            break
        except OSError:
            line.close()
            assert time.monotonic() < deadline, f"no daemon at {path}"
            time.sleep(0.05)
    line.sendall(json.dumps({"method": "io.clearconf.Watch", "more": True,
                             "parameters": {"values": True}}).encode() + b"\0")
    return line


def bench_daemons(options, folder):
    for name, more in (("without reports", ""), ("with reports", "report = yes\n")):
        place = folder / name.replace(" ", "-")
        place.mkdir()
        print(f"--- {options.daemons} daemons, {name}")
        bench_daemons_that(options, place, more)


def own_host(number):
    """A name of its own for each daemon: the command that is run before it."""
    return ["unshare", "--uts", "sh", "-c", f'hostname "host-{number}" && exec "$@"', "sh"]


def bench_daemons_that(options, folder, more):
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with contextlib.ExitStack() as stack:
        homes = stack.enter_context(tempfile.TemporaryDirectory(prefix="cc.", dir=memory))
        etcd = stack.enter_context(Node(folder, options=PACE))
        etcd.put("10-base.conf", "mark: start")
        before = memory_of(etcd.process.pid)
        processes = []
        stack.callback(lambda: [each.kill() or each.wait() for each, _ in processes])
        for number in range(options.daemons):
            home = pathlib.Path(homes) / f"h{number}"
            home.mkdir()
            processes.append(start_daemon(home, etcd.url, more, number))
        lines = Lines()
        deadline = time.monotonic() + 120
        for _, path in processes:
            lines.add(watch(path, deadline))
        lines.wait(b"start", options.daemons, 120)
        time.sleep(10)  # probes and the first rounds are over
        report_daemons(options, etcd, [each.pid for each, _ in processes], lines)
        grown = memory_of(etcd.process.pid) - before
        print(f"etcd: {grown / options.daemons:.0f} KiB a daemon; "
              f"a daemon: {memory_of(processes[0][0].pid)} KiB")
        lines.close()


def report_daemons(options, etcd, pids, lines):
    seconds, put_seconds = [], []
    cpu = [cpu_of(etcd.process.pid), sum(map(cpu_of, pids))]
    for number in range(options.puts):
        begun = time.monotonic()
        etcd.put("10-base.conf", f"mark: put-{number}-")
        put_seconds.append(time.monotonic() - begun)
        seconds.append(lines.wait(f"put-{number}-".encode(), options.daemons)[-1] - begun)
        time.sleep(0.05)
    told("the put itself", put_seconds)
    row(f"put to the last of {options.daemons} daemons' watchers", seconds)
    cpu = [cpu_of(etcd.process.pid) - cpu[0], sum(map(cpu_of, pids)) - cpu[1]]
    print(f"CPU a put: etcd {cpu[0] / options.puts * 1000:.1f} ms, "
          f"a daemon {cpu[1] / options.puts / options.daemons * 1000:.2f} ms")
    begun, before = time.monotonic(), cpu_of(etcd.process.pid)
    time.sleep(10)
    used = (cpu_of(etcd.process.pid) - before) / (time.monotonic() - begun)
    print(f"etcd at rest, {options.daemons} daemons: {used * 100:.1f} % of a core")


# --- reports alone --------------------------------------------------------------

class Reporters:
    """Hosts that report, in one process."""

    def __init__(self, etcd, hosts, lease, sample):
        self.etcd, self.hosts = etcd, hosts
        self.process = subprocess.Popen([REPORTERS, etcd.url, str(hosts), str(lease), sample], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, line):
        """Seconds, questions, the most of them in a second, leases run out; what etcd and we worked."""
        pids = self.etcd.process.pid, self.process.pid
        before = [cpu_of(pid) for pid in pids]
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        seconds, asked, most, lapses = map(float, self.process.stdout.readline().split())
        if self.etcd.process.pid != pids[0]:
            before[0] = 0
        worked = [cpu_of(pid) - was for pid, was in zip((self.etcd.process.pid, pids[1]), before)]
        return seconds, asked, most, lapses, *worked

    def say(self, what, line):
        seconds, asked, most, lapses, etcd, ours = self.ask(line)
        print(f"{what}: {seconds:.1f} s, {asked:.0f} questions, at most {most:.0f} in a second, "
              f"{lapses:.0f} leases run out so far; CPU of etcd {etcd:.2f} s, of all hosts {ours:.2f} s",
              flush=True)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def sample_report(folder, etcd):
    """What a real daemon says, in a file."""
    home = folder / "home"
    home.mkdir()
    etcd.put("10-base.conf", "agent { git_user: me, default_docker.image: x }\nsdk.aws.s3.region: y")
    process, _ = start_daemon(home, etcd.url, "report = yes\n", 0)
    end = time.monotonic() + 30
    while not (text := etcd.get("host-0", STATE)) or '"digest"' not in text:
        assert time.monotonic() < end, "the daemon does not report"
        time.sleep(0.1)
    process.kill()
    process.wait()
    (folder / "report.json").write_text(text)
    print(f"a report: {len(text)} bytes")
    return folder / "report.json"


def bench_reporters(options, folder):
    with Node(folder, options=PACE) as etcd:
        sample = sample_report(folder, etcd)
        before = memory_of(etcd.process.pid)
        hosts = Reporters(etcd, options.reporters, options.lease, sample)
        print(f"--- {options.reporters} reporters, leases of {options.lease} s")
        hosts.say("all begin", "set one")
        hosts.say("at rest", f"rest {options.rest}")
        hosts.say("a change of all", "set two")
        hosts.say("another", "set three")
        print(f"memory: etcd {(memory_of(etcd.process.pid) - before) / options.reporters:.1f} KiB a host, "
              f"a host {memory_of(hosts.process.pid) / options.reporters:.1f} KiB")
        for name, away in (("short", 3), ("long", options.lease + 5)):
            etcd.end()
            hosts.ask(f"rest {away}")
            etcd.start().wait()
            hosts.say(f"after a {name} outage ({away} s), etcd's lease kept", "back")
            hosts.say("the minute after", f"rest {options.rest}")
        freeze(etcd, hosts, options)
        hosts.end()


def freeze(etcd, hosts, options):
    """All leases run out: every host is away, and etcd is not."""
    hosts.process.send_signal(signal.SIGSTOP)
    time.sleep(options.lease + 10)
    hosts.process.send_signal(signal.SIGCONT)
    hosts.ask("rest 1")
    hosts.say("all leases had run out", "back")
    hosts.say("a change of all", "set four")


# --- streams alone ------------------------------------------------------------

def spans(host):
    return [(PREFIX, PREFIX + "groups/"), (PREFIX + "groups0", PREFIX + "hosts/"),
            (PREFIX + "hosts0", PREFIX[:-1] + "0"),
            (PREFIX + f"hosts/{host}/", PREFIX + f"hosts/{host}0")]


def stream(port, number, revision):
    """One as a daemon's."""
    body = "".join(json.dumps({"create_request": {
        "key": coded(key), "range_end": coded(end), "watch_id": each, "start_revision": revision,
        "progress_notify": True}}) for each, (key, end) in enumerate(spans(f"host{number}"), 1))
    line = socket.create_connection(("127.0.0.1", port))
    line.sendall(f"POST /v3/watch HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return line


def bench_streams(options, folder):
    with Node(folder, options=PACE) as etcd:
        before = memory_of(etcd.process.pid)
        revision = etcd.put("10-base.conf", "mark: start") + 1
        lines = Lines()
        for number in range(options.streams):
            lines.add(stream(etcd.port, number, revision))
        lines.wait(b'"watch_id":"4","created":true', options.streams, 300)
        seconds = []
        for number in range(20):
            # Four characters of base64 are three bytes: the mark stays one piece.
            text = f"put-{number:05d}"
            begun = time.monotonic()
            etcd.put("10-base.conf", text, timeout=60)
            mark = base64.b64encode(text.encode())
            seconds.append(lines.wait(mark, options.streams)[-1] - begun)
            time.sleep(0.2)
        told(f"put to the last of {options.streams} streams", seconds)
        print(f"etcd: {(memory_of(etcd.process.pid) - before) / options.streams:.0f} KiB a stream")
        lines.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--daemons", type=int, default=200)
    parser.add_argument("--puts", type=int, default=100)
    parser.add_argument("--streams", type=int, default=8000)
    parser.add_argument("--reporters", type=int, default=10000)
    parser.add_argument("--lease", type=int, default=120)
    parser.add_argument("--rest", type=int, default=60)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="cc.") as folder:
        for name, bench, wanted in (("daemons", bench_daemons, options.daemons),
                                    ("reporters", bench_reporters, options.reporters),
                                    ("streams", bench_streams, options.streams)):
            if wanted:
                place = pathlib.Path(folder) / name
                place.mkdir()
                bench(options, place)


main()
