#!/usr/bin/python3
"""seed.py FOLDER - seeds for the fuzz targets, made of the corpora's texts."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/corpus"


def texts():
    """(target, bytes) of everything there is."""
    for path in sorted(CORPUS.glob("hocon/*/input*")):
        yield "hocon", path.read_bytes()
    for path in sorted((ROOT.parent / "shared/official").glob("*.conf")):
        yield "hocon", path.read_bytes()[:15000]
    for path in sorted(CORPUS.glob("yaml/*/input*")):
        yield "yaml", path.read_bytes()
    for path in sorted(CORPUS.glob("official/*.json")):
        yield "json", path.read_bytes()[:15000]
    for path in sorted(CORPUS.glob("vectors/*.json")):
        yield from of_vector(json.loads(path.read_text()))


def of_vector(case):
    stack = []
    for text in (case.get("files") or {}).values():
        yield "hocon", text.encode()
        stack.append(b"\0" + text.encode())
    for vault in case.get("vaults") or []:
        data = (vault.get("data") or "").encode()
        yield vault.get("format", "hocon"), data
        stack.append(b"\3" + data)
    for value in (case.get("env") or {}).values():
        yield "variable", value.encode()
        stack.append(b"\2" + value.encode())
    yield "stack", b"\xff".join(stack)


def caches():
    """Contents of the cache's files, and whole files."""
    who = {"workspace": "w", "api_server": "s", "company_id": "c", "access_key": "k"}
    vault = {"id": "i", "description": "d", "format": "yaml", "type": "config"}
    vault |= {"scope": "user", "last_update": "2026-11-24", "data": "a: \0\u00e9"}
    some = who | {"user_id": "u", "user_name": "n", "company_name": "e", "refused_at": 7}
    lists = {"config": [vault, vault], "monitoring": []}
    times = {"config": 1, "monitoring": 2}
    contents = [
        who | {"refused_at": 0, "vaults": {}, "fetched_at": {}},
        some | {"vaults": lists, "fetched_at": times},
    ]
    for content in contents:
        text = json.dumps(content).encode()
        yield text
        yield b"clearconf-cache 1 %016x %010d\n%s" % (fnv1a(text), len(text), text)


def etcd_answers():
    """What etcd's gateway says: pages, tokens, lines of a watch, errors."""
    header = {"cluster_id": "14900227465991411140", "revision": "9", "raft_term": "2"}
    kv = {"key": "YS8x", "create_revision": "2", "mod_revision": "8", "version": "1"}
    event = {"kv": kv | {"value": "eDogMQ=="}}
    denied = {"code": 7, "message": "etcdserver: permission denied", "error": "e"}
    lost = {"grpc_code": 14, "http_code": 503, "message": "etcdserver: no leader"}
    results = [
        {"created": True, "watch_id": "2"},
        {"watch_id": "1"},
        {"events": [event, {"type": "DELETE", "kv": kv}], "watch_id": "1"},
        {"canceled": True, "compact_revision": "4"},
        {"canceled": True, "cancel_reason": "rpc error: code = Unauthenticated desc = x"},
    ]
    yield from ({"result": {"header": header} | result} for result in results)
    yield {"header": header, "kvs": [event["kv"], kv], "more": True, "count": "3"}
    yield {"header": header, "token": "IPDlBjfBjSDfOEes.23"}
    yield denied
    yield {"error": lost}


def calls():
    """What peers of several rights ask, a few calls each."""
    asked = {
        "Get": [{}, {"view": "merged"}, {"path": "sdk.aws.s3", "mask": False},
                {"path": '"a.b"."c d"'}, {"environment": {"A": "b"}}],
        "Explain": [{}, {"path": "agent.list.1", "reveal": True}],
        "Watch": [{"documents": True}, {"states": True}, {}, {"paths": ["agent", "x"], "values": True, "since": 1}],
        "History": [{"limit": 2}, {"reveal": True}],
        "ResolveStorage": [{"uri": "s3://b/x"}, {"uri": "azure://a/b"}],
        "GetToken": [{"lifetime": 5}], "ProveCredentials": [{}],
        "UseWorkspace": [{"name": "one"}],
        "RevokeCredentials": [{"access_key": "k", "force": True}],
        "EditCredentials": [{"access_key": "k", "label": "l"}],
        "RotateCredentials": [{"grace": 5, "lifetime": 60}],
        "GetStatus": [{}], "ListWorkspaces": [{}], "Reload": [{}], "GetProfile": [{}],
        "ListCredentials": [{}], "CreateCredentials": [{"label": "l", "workspace": "one"}],
    }
    messages = [{"method": f"io.clearconf.{method}", "parameters": parameters, "more": more}
                for method, all_of_it in asked.items() for parameters in all_of_it
                for more in (False, True)]
    messages += [{"method": "org.varlink.service.GetInfo"},
                 {"method": "org.varlink.service.GetInterfaceDescription",
                  "parameters": {"interface": "io.clearconf"}}]
    texts = [json.dumps(message).encode() + b"\0" for message in messages]
    for rights in (1, 3, 7):
        yield bytes([rights, 0]) + b"".join(texts)
        for text in texts:
            yield bytes([rights, 9]) + text


def fnv1a(data):
    total = 0xCBF29CE484222325
    for byte in data:
        total = (total ^ byte) * 0x100000001B3 % 2**64
    return total


def main():
    folder = pathlib.Path(sys.argv[1])
    paths = [b"", b"a.b.c", b'a."b.c".0', b'"\\u00e9\\ud83d\\ude00".x', b"a b/c.d"]
    everything = list(texts()) + [("path", path) for path in paths]
    everything += [("cache", cache) for cache in caches()]
    everything += [("etcd", json.dumps(answer).encode()) for answer in etcd_answers()]
    everything += [("call", call) for call in calls()]
    for number, (target, data) in enumerate(everything):
        place = folder / f"fuzz_{target}"
        place.mkdir(parents=True, exist_ok=True)
        (place / str(number)).write_bytes(data)


if __name__ == "__main__":
    main()
