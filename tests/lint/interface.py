#!/usr/bin/python3
"""Fail when the daemon's source and include/io.clearconf.varlink disagree: on
methods and what they take (daemon/serve/methods.c), or on errors and what they
say (daemon/serve/reply.c). Where the contract's own text lies beside the
checkout, the interface must be it, but for what a client that knows only that
need not know: more of anything, as long as fields may be absent."""

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
         "VARIABLES": ("map", "string"), "VIEW": ("enum", ["served", "merged", "live"])}
FIELD = re.compile(r"(if \([^;]*?\)\s*)?(?:add_str|add_masked|json_add_(\w+))\(\s*"
                   r"(?:error_open\([^)]*\)|fields),\s*\"(\w+)\"", re.S)
# What json_add_pos writes.
POSITION = """
	if (pos->line) {
		json_add_int(fields, "line", pos->line);
		json_add_int(fields, "column", pos->column);
	}"""


def read(name):
    return (ROOT / "daemon" / "serve" / name).read_text()


def parameters_in(text, macros):
    """{name: type} of the macros that make a table."""
    for name, meaning in macros.items():
        text = re.sub(rf"\b{name}\b", meaning, text)
    fields = {}
    for word, name, kind in re.findall(r'(REQUIRED|OPTIONAL|WITHIN)\("(\w+)", (\w+)', text):
        kind = "int" if word == "WITHIN" else TYPES[kind]
        fields[name] = kind if word == "REQUIRED" else ("maybe", kind)
    return fields


def methods_of_source():
    text = read("methods.c")
    macros = dict(re.findall(r"^#define ([A-Z_]+) +((?:OPTIONAL|REQUIRED|WITHIN)\(.*\))$", text, re.M))
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
    text = re.sub(r"json_add_pos\(fields, [^;]*;", POSITION, read("reply.c"))
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


def is_wider(kind, contract):
    """Does a type allow all that the contract's does, and no client need know?"""
    if isinstance(kind, str) or isinstance(contract, str) or kind[0] != contract[0]:
        return kind == contract
    (shape, ours), (_, theirs) = kind, contract
    if shape == "enum":
        return set(theirs) <= set(ours)
    if shape != "struct":
        return is_wider(ours, theirs)
    return all(is_wider(of, theirs[name]) if name in theirs else of[0] == "maybe"
               for name, of in ours.items()) and theirs.keys() <= ours.keys()


def departures(interface, contract):
    """What of the contract's text the interface does not keep."""
    for what in ("types", "errors"):
        ours, theirs = getattr(interface, what), getattr(contract, what)
        yield from (f"{name} of the contract" for name in theirs
                    if name not in ours or not is_wider(ours[name], theirs[name]))
    for name, sides in contract.methods.items():
        if name not in interface.methods or not all(
                is_wider(*pair) for pair in zip(interface.methods[name], sides)):
            yield f"method {name} of the contract"


def main():
    interface = Interface(IDL.read_text())
    declared = {name: takes[1] for name, (takes, _) in interface.methods.items()}
    problems = [*compare("method", methods_of_source(), declared),
                *compare("error", errors_of_source(),
                         {name: fields[1] for name, fields in interface.errors.items()})]
    if SHARED.exists():
        problems += [f"{IDL.name} does not keep {what}"
                     for what in departures(interface, Interface(SHARED.read_text()))]
    print("\n".join(problems) or f"{IDL.name}: {len(declared)} methods, "
          f"{len(interface.errors)} errors as in the source")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
