"""Reports of hosts as their daemons write them (daemon/doc/fleet.md), for tests of those who read them."""

import hashlib
import json

from etcd import STATE


def machine_of(name):
    return hashlib.md5(name.encode()).hexdigest()


def report(name, documents=(), **more):
    """Of a host that is well. A document: (name, revision), with the id of a rollout if it is one's text."""
    listed = [dict(zip(("name", "revision", "rollout"), each)) for each in documents]
    told = {
        "format": 1, "host": name, "machine": machine_of(name), "groups": [], "version": "0.1.0",
        "time": 1764430000, "started": 1764420000, "state": "ready", "since": 1764429000,
        "site": {"state": "ready", "count": len(listed), "documents": listed},
        "workspaces": [{"name": "default", "active": True, "state": "ready", "generation": 17,
                        "digest": "4" * 32, "keyed": True, "paths": {"agent.a": "AAAAAAAA"}}],
    }
    told.update(more)
    return told


def with_digest(told, digest, **paths):
    """The same, of another tree."""
    told["workspaces"][0].update(digest=digest * 32, paths=paths)
    return told


def put_report(node, name, told=None, documents=(), **more):
    """As the host would; `told`: whatever else."""
    told = report(name, documents, **more) if told is None else told
    return node.put(name, told if isinstance(told, (str, bytes)) else json.dumps(told), prefix=STATE)
