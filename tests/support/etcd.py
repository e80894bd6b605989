"""Real etcd nodes for tests, in a temporary folder, on ports of this machine alone; and a client that
speaks to their JSON gateway."""

import base64
import functools
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

PREFIX = "/clearconf/site/"
BASE = PREFIX[:-1]  # with which all begins that is ours
STATE = BASE + ".state/"  # the hosts' reports


def free_ports(count):
    """Ports that nobody has at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def coded(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


class EtcdError(Exception):
    """What etcd answers instead."""


@functools.lru_cache(None)
def version():
    """Of the etcd that is installed: (3, 4); (0, 0): none."""
    try:
        told = subprocess.run(["etcd", "--version"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        return 0, 0
    return tuple(map(int, re.search(r"Version: (\d+)\.(\d+)", told).groups()))


def require():
    if version() < (3, 4):
        pytest.skip("etcd 3.4 or later is not installed")


class Node:
    """One etcd; several with the same `peers` are a cluster."""

    def __init__(self, folder, name="one", peers=None, client_port=None, options=(), tls=None):
        self.folder, self.name = pathlib.Path(folder), name
        self.port = client_port or free_ports(1)[0]
        self.peers = peers or {name: free_ports(1)[0]}
        self.tls = tls  # a context for clients; None: http
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self.options, self.process, self.token = options, None, None
        self.log = self.folder / f"{name}.log"

    def command(self):
        peer = f"http://127.0.0.1:{self.peers[self.name]}"
        beat = 100 if len(self.peers) > 1 else 10  # who is alone need not wait for others
        cluster = ",".join(f"{name}=http://127.0.0.1:{port}" for name, port in self.peers.items())
        return ["etcd", "--name", self.name, "--data-dir", str(self.folder / self.name),
                "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", cluster, "--heartbeat-interval", str(beat),
                "--election-timeout", str(10 * beat), *self.options]

    def start(self):
        require()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                            env={"PATH": os.environ["PATH"]})
        return self

    def wait(self, seconds=30):
        """Until it answers with a leader's word."""
        end = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            try:
                self.get("nothing")
                return self
            except EtcdError as error:
                if "user name is empty" in str(error):
                    return self
            except OSError:
                pass
            assert time.monotonic() < end, self.log.read_text()[-2000:]
            time.sleep(0.02)

    def __enter__(self):
        return self.start().wait()

    def __exit__(self, *_):
        self.end()

    def end(self, number=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    # What clients say.

    def call(self, method, timeout=5, **body):
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        options = {"context": self.tls} if self.tls else {}
        connection = kind("127.0.0.1", self.port, timeout=timeout, **options)
        headers = {"Authorization": self.token} if self.token else {}
        try:
            connection.request("POST", "/v3/" + method, json.dumps(body), headers)
            answer = json.loads(connection.getresponse().read())
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()
        if "error" in answer:
            raise EtcdError(answer["error"])
        return answer

    def put(self, name, text, prefix=PREFIX, **options):
        """The revision that it made."""
        answer = self.call("kv/put", key=coded(prefix + name), value=coded(text), **options)
        return int(answer["header"]["revision"])

    def delete(self, name, prefix=PREFIX, **options):
        answer = self.call("kv/deleterange", key=coded(prefix + name), **options)
        return int(answer["header"]["revision"])

    def clear(self, prefix=PREFIX):
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        self.call("kv/deleterange", key=coded(prefix), range_end=coded(end))

    def get(self, name, prefix=PREFIX):
        kvs = self.call("kv/range", key=coded(prefix + name)).get("kvs", [])
        return base64.b64decode(kvs[0].get("value", "")).decode() if kvs else None

    def revision(self):
        return int(self.call("kv/range", key=coded("x"))["header"]["revision"])

    def compact(self):
        self.call("kv/compaction", revision=str(self.revision()), physical=True)

    def leader(self):
        """Is it the leader?"""
        status = self.call("maintenance/status")
        return status.get("leader") == status["header"]["member_id"]

    def log_in(self, user, password):
        self.token = None
        self.token = self.call("auth/authenticate", name=user, password=password)["token"]

    def guard(self, user="host", password="host-password-12345", prefix=PREFIX):
        """Switch rights on: root, and a user who may read the prefix."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        self.call("auth/user/add", name="root", password="root-password")
        self.call("auth/role/add", name="root")
        self.call("auth/user/grant", user="root", role="root")
        self.call("auth/role/add", name="site-read")
        self.call("auth/role/grant", name="site-read", perm={
            "permType": "READ", "key": coded(prefix), "range_end": coded(end)})
        self.call("auth/user/add", name=user, password=password)
        self.call("auth/user/grant", user=user, role="site-read")
        self.call("auth/enable")
        self.log_in("root", "root-password")


class Cluster:
    """Three nodes."""

    def __init__(self, folder, size=3):
        names = [f"n{number}" for number in range(size)]
        peers = dict(zip(names, free_ports(size)))
        self.nodes = [Node(folder, name, peers) for name in names]

    def __enter__(self):
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait()
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.end()

    @property
    def urls(self):
        return " ".join(node.url for node in self.nodes)

    def at(self, url):
        return next(node for node in self.nodes if node.url == url)

    def leader(self):
        """The node that leads now."""
        for _ in range(500):
            for node in self.nodes:
                try:
                    if node.process.poll() is None and node.leader():
                        return node
                except (OSError, EtcdError):
                    pass
            time.sleep(0.02)
        raise AssertionError("no leader")

    def any_put(self, name, text, avoid=(), seconds=30, prefix=PREFIX):
        """Through whichever node takes it; the revision."""
        end = time.monotonic() + seconds
        while True:
            for node in self.nodes:
                if node in avoid or node.process.poll() is not None:
                    continue
                try:
                    return node.put(name, text, prefix)
                except (OSError, EtcdError):
                    pass
            assert time.monotonic() < end, [(node.process.poll(), node.log.read_text()[-2000:])
                                            for node in self.nodes]


def trusting(ca, cert=None, key=None):
    """A client's TLS context."""
    context = ssl.create_default_context(cafile=str(ca))
    if cert:
        context.load_cert_chain(str(cert), str(key))
    return context
