#!/usr/bin/python3
"""Fail when a test is skipped everywhere: each reason that the tests give is a line of tests/skips.txt,
each line is given by a test, and names a job of the workflow."""

import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

from skips import is_of, rows  # noqa: E402

WORKFLOW = ROOT / ".github/workflows/ci.yml"
BY_HAND = "by-hand"
problems = []


def text_of(node, constants):
    """What an expression says, a * for what is known only then; None: nothing is known."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(each, constants) or "*" for each in node.values)
    if isinstance(node, ast.BinOp):
        parts = [text_of(each, constants) for each in (node.left, node.right)]
        return "".join(part or "*" for part in parts)
    if isinstance(node, (ast.Name, ast.Attribute)):
        return constants.get(node.id if isinstance(node, ast.Name) else node.attr)
    return None


def name_of(call):
    return ast.unparse(call.func)


def reasons_in(tree, constants):
    """(line, reason) of all the skips of a file."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if name_of(node) == "pytest.skip":
            yield node.lineno, text_of(node.args[0], constants)
        elif name_of(node) == "pytest.mark.skipif":
            [reason] = [each.value for each in node.keywords if each.arg == "reason"]
            yield node.lineno, text_of(reason, constants)
        elif name_of(node) == "pytest.importorskip":
            yield node.lineno, f"could not import '{node.args[0].value}': *"


def constants_of(trees):
    """NAME = "text" at the top of any file."""
    return {target.id: text_of(node.value, {}) for tree in trees.values() for node in tree.body
            if isinstance(node, ast.Assign) for target in node.targets
            if isinstance(target, ast.Name) and target.id.isupper()}


def all_reasons():
    """(place, reason)"""
    trees = {path: ast.parse(path.read_text()) for path in sorted((ROOT / "tests").rglob("*.py"))}
    constants = constants_of(trees)
    for path, tree in trees.items():
        for line, reason in reasons_in(tree, constants):
            yield f"{path.relative_to(ROOT)}:{line}", reason
    for path in sorted((ROOT / "tests/unit").glob("*.c")):
        text = path.read_text()
        assert not re.search(r"\bskip\(\)", text), f"{path}: use skip_because()"
        for reason in re.findall(r'skip_because\(\s*((?:"[^"]*"\s*)+)\)', text):
            yield str(path.relative_to(ROOT)), "".join(re.findall(r'"([^"]*)"', reason))


def jobs():
    text = WORKFLOW.read_text().partition("\njobs:\n")[2]
    return set(re.findall(r"^  ([\w-]+):$", text, re.M))


def main():
    table = rows()
    used = set()
    for place, reason in all_reasons():
        matching = [row for row, _ in table if reason and is_of(reason, row)]
        used.update(matching)
        if not matching:
            problems.append(f"{place}: tests/skips.txt has no line for: {reason}")
    for row, job in table:
        if row not in used:
            problems.append(f"tests/skips.txt: no test is skipped for this: {row}")
        if job not in jobs() | {BY_HAND}:
            problems.append(f"tests/skips.txt: the workflow has no job {job}: {row}")
    print("\n".join(problems) or f"{len(table)} reasons to skip a test, each with the job that runs it")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
