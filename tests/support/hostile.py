"""A user of this host who does all the harm that a socket allows, and what another user's
calls cost meanwhile. For the test and for the bench; the attacker is a process of its own uid."""

import json
import pathlib
import subprocess
import sys
import time

import varlink

# What a file of the victim may innocently hold: it grows with the caller's HOME.
GROWING = "\n".join(["grow.g0 = ${HOME}"] + [f"grow.g{i + 1} = ${{grow.g{i}}}${{grow.g{i}}}"
                                             for i in range(9)])

ATTACK = r"""
import json, os, resource, selectors, socket, sys, time

path, seconds, worst = sys.argv[1], float(sys.argv[2]), sys.argv[3]
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

def request(**parameters):
    return json.dumps({"method": "io.clearconf.Get", "parameters": parameters}).encode() + b"\0"

doubling = ",".join(["b0: [" + ",".join("1" * 9) + "]"]
                    + ["b%d: ${b%d}${b%d}" % (i + 1, i, i) for i in range(30)])
BOMBS = [request(environment={"HOME": "x" * 16000}),
         request(environment={"HOME": "y" * 60000}, path="grow.g9"),
         request(environment={"CLEARML_AGENT__A%d" % i: "{" + doubling + "}" for i in range(40)})]
FLOOD = request() * 400
JUNK = b'{"method":"io.clearconf.Get","parameters":{"path":[' + b"1," * 200000 + b"1]}}\0"

class Peer:
    def __init__(self, temper):
        self.temper, self.unsent = temper, b""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.setblocking(False)

    def turn(self, number):
        try:
            if self.temper != "deaf" and not self.socket.recv(1 << 20):
                return False
        except BlockingIOError:
            pass
        if not self.unsent:
            self.unsent = {"deaf": FLOOD, "slow": b"{", "junk": JUNK,
                           "bomb": BOMBS[number % len(BOMBS)]}[self.temper]
        try:
            self.unsent = self.unsent[self.socket.send(self.unsent):]
        except BlockingIOError:
            pass
        return True

peers, refused, begin, second, number = [], 0, time.monotonic(), 0, 0
tempers = ["bomb", "slow", "deaf", "slow", "deaf", "slow", worst, "deaf"]
while time.monotonic() < begin + seconds:
    for _ in range(50):
        if len(peers) >= hard - 32:
            break
        try:
            peers.append(Peer(tempers[number % len(tempers)]))
            number += 1
        except OSError:
            refused += 1
            break
    now = int(time.monotonic() - begin)
    turns, second = now != second, now
    for peer in list(peers):
        if peer.temper == "slow" and not turns:
            continue
        try:
            alive = peer.turn(number)
        except OSError:
            alive = False
        if not alive:
            refused += 1
            peer.socket.close()
            peers.remove(peer)
        number += 1
print(json.dumps({"open": len(peers), "refused": refused}), flush=True)
"""


class Attack:
    """Under way from entering to leaving; `figures` is what the attacker says at the end. One
    peer in eight sends as much junk as it can, or with `junk` false more bombs."""

    def __init__(self, socket, uid, seconds, junk=True):
        self.arguments = [str(socket), str(seconds), "junk" if junk else "bomb"]
        self.uid, self.seconds, self.figures = uid, seconds, None

    def __enter__(self):
        self.process = subprocess.Popen(["/usr/bin/python3", "-I", "-c", ATTACK, *self.arguments],
                                        user=self.uid, group=self.uid, extra_groups=[], cwd="/",
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        output, problem = self.process.communicate(timeout=self.seconds + 60)
        assert output, problem
        self.figures = json.loads(output)


def latencies(socket, seconds, pause=0.002):
    """What the Gets of this process take, one after the other, sorted; each must succeed."""
    taken, end = [], time.monotonic() + seconds
    with varlink.Connection(pathlib.Path(socket)) as line:
        while time.monotonic() < end:
            start = time.monotonic()
            line.call("Get", path="k")
            taken.append(time.monotonic() - start)
            time.sleep(pause)
    return sorted(taken)


FIRST = ["chrt", "--rr", "5"]
ASK = ("import json, sys; sys.path.insert(0, sys.argv[1]); from hostile import latencies; "
       "print(json.dumps(latencies(sys.argv[2], float(sys.argv[3]))))")


def put_first(pid):
    """Give the daemon the processors before all else, where root may, so that it is not the other
    programs that are measured; the command that has another have the same."""
    done = subprocess.run(["chrt", "--all-tasks", "--rr", "--pid", "5", str(pid)],
                          capture_output=True, check=False)
    return [] if done.returncode else FIRST


def latencies_of_another(socket, seconds, before=()):
    """latencies() of a process of its own, started by the command `before` it."""
    done = subprocess.run([*before, sys.executable, "-c", ASK, str(pathlib.Path(__file__).parent),
                           str(socket), str(seconds)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def quantile(values, part):
    return values[min(len(values) - 1, int(len(values) * part))]
