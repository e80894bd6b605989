#!/usr/bin/python3
"""Fail when the daemon's source and include/io.clearconf.varlink disagree: on
methods and what they take (daemon/serve/methods.c), or on errors and what they
say (daemon/serve/reply.c). Where the contract's own text lies beside the
checkout, the interface must be it."""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from idl import Interface  # noqa: E402

IDL = ROOT / "include" / "io.clearconf.varlink"
SHARED = pathlib.Path(os.environ.get("CLEARCONF_SHARED", ROOT.parent / "shared")) / IDL.name
TYPES = {"STRING": "string", "INT": "int", "BOOL": "bool", "STRINGS": ("array", "string"),
         "VARIABLES": ("map", "string")}
FIELD = re.compile(r"(if \([^;]*?\)\s*)?(?:add_str|add_masked|json_add_(\w+))\(\s*"
                   r"(?:error_open\([^)]*\)|fields),\s*\"(\w+)\"", re.S)


def read(name):
    return (ROOT / "daemon" / "serve" / name).read_text()


def parameters_in(text, macros):
    """{name: type} of the macros that make a table."""
    for name, meaning in macros.items():
        text = re.sub(rf"\b{name}\b", meaning, text)
    fields = {}
    for word, name, kind in re.findall(r'(REQUIRED|OPTIONAL)\("(\w+)", (\w+)\)', text):
        fields[name] = TYPES[kind] if word == "REQUIRED" else ("maybe", TYPES[kind])
    return fields


def methods_of_source():
    text = read("methods.c")
    macros = dict(re.findall(r"^#define ([A-Z]+) +(OPTIONAL\(.*\)|REQUIRED\(.*\))$", text, re.M))
    table = re.search(r"struct method clearconf_methods\[\] = \{\n(.*?)\n\};", text, re.S)[1]
    rows = re.split(r'^\t\{(?=")', table, flags=re.M)[1:]
    return {re.match(r'"(\w+)"', row)[1]: parameters_in(row, macros) for row in rows}


def fields_of_error(text):
    """{name: type} of what a function adds; behind an `if` it may be absent."""
    fields = {}
    for condition, kind, name in FIELD.findall(text):
        kind = "int" if kind == "int" else "string"
        fields[name] = ("maybe", kind) if condition else kind
    for block in re.findall(r"if \([^;{]*\) \{(.*?)\}", text, re.S):
        for _, kind, name in FIELD.findall(block):
            fields[name] = ("maybe", "int" if kind == "int" else "string")
    return fields


def errors_of_source():
    text = read("reply.c")
    found = {name: {field: "string"} for name, field in
             re.findall(r'\{\s*"io\.clearconf\.(\w+)",\s*"(\w+)"\s*\}', text)}
    for function in re.split(r"\n\}\n", text):
        name = re.search(r'error_open\(out, "io\.clearconf\.(\w+)"\)', function)
        if name:
            found[name[1]] = fields_of_error(function)
    return found


def compare(what, source, declared):
    """Messages."""
    for name in sorted(source.keys() | declared.keys()):
        if name not in declared:
            yield f"{what} {name}: not in {IDL.name}"
        elif name not in source:
            yield f"{what} {name}: only in {IDL.name}"
        elif list(source[name].items()) != list(declared[name].items()):
            yield f"{what} {name}: {source[name]} in the source, {declared[name]} declared"


def main():
    interface = Interface(IDL.read_text())
    declared = {name: takes[1] for name, (takes, _) in interface.methods.items()}
    problems = [*compare("method", methods_of_source(), declared),
                *compare("error", errors_of_source(),
                         {name: fields[1] for name, fields in interface.errors.items()})]
    if SHARED.exists() and SHARED.read_text() != IDL.read_text():
        problems.append(f"{IDL.name} is not {SHARED}")
    print("\n".join(problems) or f"{IDL.name}: {len(declared)} methods, "
          f"{len(interface.errors)} errors as in the source")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
