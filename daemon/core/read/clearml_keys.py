#!/usr/bin/python3
"""The keys that ClearML knows: clearml_keys.txt, from ClearML's public sources.

clearml_keys.py CHECKOUT... prints, sorted, each key that the checkouts of ClearML's SDK and agent
name: in their default and sample configuration files, and in the code, where it asks the
configuration for a key. clearml_keys.py --missing CHECKOUT... prints those that
clearml_keys.txt beside it lacks; keys that the documentation alone names stand there as well.
The types in that file (schema.h has their grammar) are from the same sources, read by a person:
from a default, from what the code does with the value, from the comment beside it.
"""

import ast
import pathlib
import re
import sys

SECTIONS = ("agent", "api", "sdk")
# Without the section: what the SDK's own configuration object is asked for.
PART_OF_SDK = ("apply_", "aws.", "azure.", "dataset.", "development.", "google.", "http.", "log.",
               "metric.", "metrics.", "network.", "resource_monitoring.", "storage.")
ASKING = {"get", "put", "pop", "get_int", "get_bool", "deferred_config", "get_config"}
NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*\Z")
# A key of a configuration file: `key: value`, `key {`.
LINE = re.compile(r"^\s*([a-z][a-z0-9_.]*)\s*[{:=]")
HOSTS = re.compile(r"\.(clear|ml|com|py|conf|github)\b")


def with_parents(key):
    parts = key.split(".")
    return {".".join(parts[:n]) for n in range(1, len(parts) + 1)}


def asked_for(tree):
    """Strings that a program asks its configuration for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in ASKING and isinstance(node.args[0].value, str):
                yield node.args[0].value
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value.split(".")[0] in SECTIONS:
                yield node.value


def of_program(path):
    for key in asked_for(ast.parse(path.read_text())):
        if not NAME.match(key) or HOSTS.search(key) or re.search(r"\.\d", key):
            continue
        if key.split(".")[0] in SECTIONS and "." in key:
            yield key
        elif key.startswith(PART_OF_SDK):
            yield "sdk." + key


def of_file(path, stem):
    """Keys of a HOCON file as ClearML writes them: an object opens at the end of its line, a list of
    objects has keys of its own, which are nobody's path."""
    levels, lists = ([stem] if stem else []), 0
    for line in path.read_text().splitlines():
        match = LINE.match(line)
        code = line.split("#")[0]
        if match and not lists:
            key = ".".join([*levels, match[1]])
            if key.split(".")[0] in SECTIONS:
                yield key
        lists += code.count("[") - code.count("]")
        if not lists and match and code.rstrip().endswith("{"):
            levels.append(match[1])
        elif not lists and code.strip().startswith("}") and levels:
            levels.pop()


def of_checkout(root):
    for path in root.rglob("*.conf"):
        if "default" in path.parts:
            yield from of_file(path, path.stem)
        elif path.name == "clearml.conf":
            yield from of_file(path, "")
    for path in root.rglob("*.py"):
        if "tests" not in path.parts and "examples" not in path.parts:
            yield from of_program(path)


def main(words):
    lines = pathlib.Path(__file__).with_suffix(".txt").read_text().splitlines()
    known = {line.split()[0] for line in lines}
    missing = words[:1] == ["--missing"]
    keys = set()
    for root in words[missing:]:
        for key in of_checkout(pathlib.Path(root)):
            keys |= with_parents(key)
    print(*sorted(keys - known if missing else keys), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
