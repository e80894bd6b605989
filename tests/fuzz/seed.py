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


def main():
    folder = pathlib.Path(sys.argv[1])
    paths = [b"", b"a.b.c", b'a."b.c".0', b'"\\u00e9\\ud83d\\ude00".x', b"a b/c.d"]
    everything = list(texts()) + [("path", path) for path in paths]
    for number, (target, data) in enumerate(everything):
        place = folder / f"fuzz_{target}"
        place.mkdir(parents=True, exist_ok=True)
        (place / str(number)).write_bytes(data)


if __name__ == "__main__":
    main()
