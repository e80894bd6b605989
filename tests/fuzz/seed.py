#!/usr/bin/python3
"""seed.py FOLDER - seeds for the fuzz targets, made of the corpora's texts.

FOLDER/fuzz_TARGET holds them. FOLDER/long/fuzz_TARGET holds LONG_ONES of them in which pieces are
repeated up to LONG bytes, always the same: work that grows faster than its input shows there.
"""

import base64
import gzip
import json
import pathlib
import random
import re
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/corpus"
LONG = 200_000
LONG_ONES = 16


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
        some | {"vaults": lists, "fetched_at": times, "arrivals": {
            "config": {"in_force": "0a" * 16, "next": "1b" * 16, "seen_at": 3, "skipped": True}}},
    ]
    for content in contents:
        text = json.dumps(content).encode()
        yield text
        yield b"clearconf-cache 1 %016x %010d\n%s" % (fnv1a(text), len(text), text)


def fleet_values():
    """What hosts and tools put into etcd: the examples of daemon/doc/fleet.md, and what is nearly so."""
    page = (ROOT / "daemon" / "doc" / "fleet.md").read_text()
    examples = re.findall(r"```json\n(.*?)```", page, re.S)
    assert len(examples) >= 3, "the examples of fleet.md are not found"
    for example in examples:
        yield example.encode()
        yield example.replace('"format": 1', '"format": 2').encode()
        yield example.encode()[:len(example) // 2]


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
        "ListConsumers": [{}], "ReportConsumer": [{"how": "x", "generation": 3, "child": 1}],
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


def server_answers():
    """Envelopes of ClearML's, a login's token in one, behind a byte for the status."""
    claims = {"exp": 2 ** 31, "iat": 1, "api_version": "2.31", "feature_set": "full",
              "identity": {"user": "u", "user_name": "n", "company": "c", "company_name": "e"}}
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    token = f"e30.{part}.c2ln"
    vault = {"id": "i", "format": "hocon", "data": "a: 1", "last_update": "2026-11-24T00:00:00"}
    for data in ({"token": token}, {"vaults": [vault, vault]}, {}):
        meta = {"result_code": 200, "result_subcode": 0, "result_msg": "OK"}
        yield b"\0" + json.dumps({"meta": meta, "data": data}).encode()
    for status, code, subcode in ((1, 400, 12), (2, 401, 22), (2, 401, 20), (3, 403, 1)):
        meta = {"result_code": code, "result_subcode": subcode, "result_msg": "No\n"}
        yield bytes([status]) + json.dumps({"meta": meta, "data": {}}).encode()
    for text in (token, "2026-11-24T05:06:07.89+00:00", "2.31", "<html>502</html>"):
        yield b"\7" + text.encode()


def replies():
    """What the library may be told, behind a byte for who asks."""
    values = [1, 2.5e300, "x\u0000\u00e9\\", None, True, {"a": [1]}, "****"]
    messages = [{"parameters": {"value": value, "masked": True, "generation": 9}}
                for value in values]
    messages += [{"error": "io.clearconf.PathNotFound", "parameters": {"path": "a"}},
                 {"error": "org.varlink.service.InvalidParameter",
                  "parameters": {"parameter": "x"}},
                 {"parameters": {}, "continues": True}]
    texts = [json.dumps(message).encode() + b"\0" for message in messages]
    for who in (b"\0", b"\1"):
        yield who + b"".join(texts)
        yield from (who + text for text in texts)
    yield b'\0"\\ud83d\\ude00\\u0000\\n"'


def settings():
    yield (ROOT / "systemd/clearconfd.conf").read_bytes()
    yield (b"[workspace a.b]\napi_server = https://h\naccess_key = k\nsecret_key_file = s\n"
           b"active = yes\nread = group:g 0\n[mask]\nadd = ^a|b$ [c-d]{2}(e|f)\n"
           b"[lock]\nkeys = a.b \"c d\".e\n[poll]\ninterval = 5m ; c\njitter = 5%\n"
           b"[site]\netcd = https://a:2379 https://b:2379\nuser = u\npassword_file = p\n"
           b"[limits]\nmessage = 2M\n[local]\nfiles = /a /b\nfiles = c\n")


def patterns():
    words = ["abc", "^a[b-d]+.*x?$", "\\w\\d|[^a]", "a{2,3}(b|c)*", "((((a)+)+)+)+", "[[:alpha:]]"]
    for author in "01":
        yield "\n".join([author + word for word in words] + ["", "abc", "aaab", "x" * 500]).encode()


def secrets():
    document = (b"agent { git_pass: swordfish-1, environment { A: swordfish-2 }\n"
                b"sanitize_config_printout { hide_secrets: [\"^a[bc]*$\", \"((x)+)+\"] } }")
    texts = [b"swordfish-3", b"x swordfish-3 https://u:pa/ss@h/?token=abc&x=1",
             b"aaaaaaaaaaaa", b"Authorization: Bearer aaaaaaaaaaaa\n--docker-arg PASSWORD=\"x y\"",
             b"aaaaaaaabaaa", b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"]
    yield b"\xff".join([document, *texts])


def histories():
    texts = [b"a { b: 1, c: [1, 2] }", b"a { b: 2 }\nd: {}", b"a: 3, \"d.e\": x", b"",
             b"secret { x: swordfish }"]
    yield b"\xff".join(texts)
    yield b"\xff".join(texts * 3)


def http_answers():
    """Heads and bodies, behind a byte for how the call is made and one for the size of pieces."""
    body = b'{"a": 1}\n'
    squeezed = gzip.compress(body * 9, mtime=0)
    heads = [b"200 OK", b"404 NOT FOUND", b"429 SLOW\r\nRetry-After: 7", b"204 NO CONTENT",
             b"503 X\r\nDate: Tue, 24 Nov 2026 02:31:14 GMT\r\nRetry-After: Tue, 24 Nov 2026 02:33:14 GMT",
             b"302 FOUND\r\nLocation: /y", b"301 MOVED\r\nLocation: http://127.0.0.1:1/y",
             b"100 CONTINUE\r\n\r\nHTTP/1.1 200 OK", b"200 OK\r\nConnection: keep-alive",
             b"200 OK\r\nSet-Cookie: a=b; Path=/"]
    bodies = [b"\r\n\r\n" + body, b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body,
              b"\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n%s\r\n9;x=y\r\n%s\r\n0\r\nX: y\r\n\r\n" % (body, body),
              b"\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(squeezed) + squeezed,
              b"\r\nContent-Length: 99999\r\n\r\nx", b"\r\nContent-Length: 0\r\n\r\n"]
    for number, head in enumerate(heads):
        for turn, rest in enumerate(bodies):
            yield bytes([(number + turn) % 16, turn * 3]) + b"HTTP/1.1 " + head + rest
    yield b"\0\0HTTP/2 200\r\n\r\nx"
    yield b"\0\0nonsense\r\n\r\nx"


def states():
    """Files of the state folder, behind a byte for which."""
    for text in ("", "0\n", "1000\n", "9007199254740992\n", "18446744073709551615\n", "-1\n", "12"):
        yield b"\0" + text.encode()
    for text in ("", "research\n", "a\0b\n", " x "):
        yield b"\1" + text.encode()
    journal = {"old": "k", "mark": "m", "label": "l", "new": "n", "grace": 600, "revoke_at": 7}
    yield b"\2" + json.dumps(journal).encode()
    yield b"\2" + json.dumps({"old": "k", "mark": "m"}).encode()
    yield b'\3api { credentials { access_key: "k", secret_key: "s" } }'
    yield b'\3{"api": {"credentials": {"access_key": "k\\n", "secret_key": "${A}"}}, "x": 1}'
    head = b"\4\1w" + b"\0" * 4 + b"\5\2\0\0\1x" + b"\0" * 4
    yield head
    yield head + b"\5\2\5start\0" + b"\0" * 33
    yield b"\4\1w" + b"\1\1a" * 4 + b"\5\2\4\7\1x\1\1l\1\1\1m\1k"


def cgroups():
    """Of version 2, 1 and both."""
    unit = b"/user.slice/user-1.slice/user@1.service/app.slice/x.service"
    yield b"0::" + unit + b"\n"
    yield b"4:cpu,cpuacct:/docker/1\n1:name=systemd:/system.slice/_x.service (deleted)\n0::/\n"
    yield b"1:name=systemd:" + unit + b"\n0::/../a:b/x.service"


def fnv1a(data):
    total = 0xCBF29CE484222325
    for byte in data:
        total = (total ^ byte) * 0x100000001B3 % 2**64
    return total


def repeated(data, size, chance):
    """One piece of @data, again and again in its place."""
    at = chance.randrange(len(data))
    piece = data[at:at + chance.choice([1, 2, 3, 4, 6, 8, 12, 20, 40, 100])]
    return data[:at] + piece * (size // len(piece)) + data[at + len(piece):]


def long_ones(seeds, chance):
    """As a bracket and its end are two pieces, one in two has two of them."""
    for number in range(LONG_ONES):
        data = chance.choice(seeds)
        if number % 2:
            data = repeated(data, LONG // 3, chance)
        yield repeated(data, LONG - len(data), chance)


def growing():
    """(target, bytes) of what each grammar can have very much of."""
    count = LONG // 40
    lines = {
        "hocon": ["k%d: ${?k%d}x\n", "a += %d, b.c%d { d: e }\n", "a = ${?a} %d\n", "// %d\n", "a.b%d.",
                  "a%d { b: [1, 2, { c: \"d\" }] }\n", "a: ${b%d}${?c} \"\"\"x\"\"\" y\n", "a: 1%d s\n"],
        "yaml": ["k%d: [1, {a: b}]\n", "- %d\n", "a%d: &x%d\n", "k%d: *x\n", "? k%d\n", "k%d: |\n  x\n",
                 "- - %d\n", "k%d: !!int 3\n", "# %d\n"],
        "path": ["a%d.", '"b.%d".'],
        "settings": ["files = /a%d\n", "add = a%d(b|c)\n", "[workspace w%d]\napi_server = http://h\n"],
        "pattern": ["0(a%d|b)*\n", "1^a%d.*b+[c-d]*\n", "2.*.*.*%d\n"],
        "client": ['{"parameters":{"value":"x\\u0000%d"}}\0', '{"error":"a%d",'],
    }
    for target, repeats in lines.items():
        begin = {"settings": "[local]\n[mask]\n", "client": "\1", "pattern": "1a.*b\n\n"}.get(target, "")
        for line in repeats:
            yield target, begin + "".join(line.replace("%d", str(n)) for n in range(count))
    yield "hocon", "a: x" + " ${?b}" * (LONG // 6)
    numbers = [f'"k{n}":{n}' for n in range(count)]
    for target, before, after in (("json", "", ""), ("render", "", ""), ("etcd", "", ""), ("api", "\0", ""),
                                  ("fleet", '{"format":1,"state":"x","more":', "}")):
        yield target, before + "{" + ",".join(numbers) + "}" + after
        yield target, before + '{"a":[' + "0," * (5 * count) + "0]}" + after
    head = "\0\0HTTP/1.1 200 OK\r\n"
    yield "http", head + "X: y\r\n" * (LONG // 6)
    yield "http", head + "Transfer-Encoding: chunked\r\n\r\n" + "1\r\na\r\n" * (LONG // 6)
    yield "http", "\1" + head[1:] + "\r\n" + "a\n" * (LONG // 2)
    yield "http", "\0\0" + "HTTP/1.1 100 GO\r\n\r\n" * (LONG // 20)
    yield "state", "\3{" + ",".join(numbers) + "}"
    secrets = "\n".join(f"secret: {{ a: swordfish, b{n}: swordfis{n} }}" for n in range(count))
    yield "secret", (secrets + "\udcffx\udcff" + "swordfish" * 4 * count)
    yield "secret", "a: 1" + "".join(f"\udcffaaaaaaaa{'a' * (n % 99)}b\udcff" + "a" * 100 for n in range(count // 5))
    yield "secret", "a: 1\udcffx\udcff" + "http://a:b" * (4 * count)
    yield "secret", "a: 1\udcffx\udcff" + "x=-----BEGIN PRIVATE KEY " * count
    yield "history", "\udcff".join("\n".join(f"k{n}: {n % turn}" for n in range(count // 10))
                                  for turn in range(1, 11))
    yield "stack", "\udcff".join("\3" + "\n".join(f"a.k{n}: ${{?a.k{n - 1}}}{turn}" for n in range(count // 10))
                                for turn in range(8))
    yield "cgroup", "1:a:/\n" * (LONG // 6)
    yield "cgroup", "0::" + "/x.slice" * (LONG // 8) + "\n"
    yield "variable", "[" + "{ a: 1, b: [x y] }, " * count + "]"


def write(folder, texts):
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(texts):
        (folder / str(number)).write_bytes(data)


def kept():
    """(target, bytes) of what earlier runs found, as keep.py packs it."""
    for path in sorted((CORPUS / "fuzz").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            yield from ((path.stem, archive.read(name)) for name in archive.namelist())


def main():
    folder = pathlib.Path(sys.argv[1])
    paths = [b"", b"a.b.c", b'a."b.c".0', b'"\\u00e9\\ud83d\\ude00".x', b"a b/c.d"]
    everything = list(texts()) + list(kept()) + [("path", path) for path in paths]
    everything += [("cache", cache) for cache in caches()]
    everything += [("etcd", json.dumps(answer).encode()) for answer in etcd_answers()]
    everything += [("call", call) for call in calls()]
    for target, some in (("api", server_answers), ("client", replies), ("settings", settings),
                         ("pattern", patterns), ("secret", secrets), ("history", histories),
                         ("fleet", fleet_values), ("http", http_answers), ("state", states),
                         ("cgroup", cgroups)):
        everything += [(target, data) for data in some()]
    everything += [("snapshot", data + b"\xff" + bytes([0, n % 256, 1, 0, n * 7 % 256, 128]))
                   for n, (target, data) in enumerate(everything) if target == "hocon"]
    everything += [("render", data) for target, data in everything if target == "json"]
    for target in sorted({target for target, _ in everything}):
        seeds = [data for name, data in everything if name == target]
        write(folder / f"fuzz_{target}", seeds)
        longest = [text.encode(errors="surrogateescape") for name, text in growing()
                   if name == target]
        longest += long_ones([data for data in seeds if data], random.Random(target))
        write(folder / f"long/fuzz_{target}", longest)


if __name__ == "__main__":
    main()
