#!/usr/bin/python3
"""mutants.py [NUMBER...] - plant each fault of mutants.txt in a copy of the tree, and see who catches it.

One at a time: the copy, $B/mutants, is built anew as far as that needs, the tests that the line
names are run, the smallest first, and if none fails, all of `make test` and `make test-long`. Each
line of the table on stdout says who did; the exit status is 1 if nobody did. $CC is heeded.

mutants.py --named [NUMBER...]: only the tests that the line names.
mutants.py --check: does each of them still apply?
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("B", "build") / "mutants"
LIST = pathlib.Path(__file__).with_name("mutants.txt")
LINE = re.compile(r"\[([\w ]+)\] (\S+): (.+?) =>(?: (.+))?")
SECONDS = 300       # of one test; what takes longer hangs
WHOLE_SECONDS = 3600
PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=no"]


class Mutant:
    """One line of the list."""

    def __init__(self, number, line):
        found = LINE.fullmatch(line)
        assert found, f"mutants.txt: not a mutant: {line}"
        tests, self.file, self.old, new = found.groups()
        self.number, self.tests, self.new = number, tests.split(), new or ""

    def why_not(self):
        """Why it does not apply; None: it does."""
        path = ROOT / self.file
        count = path.read_text().count(self.old) if path.exists() else 0
        return None if count == 1 else f"{self.number}: {self.file} has {count} x {self.old}"

    def plant(self, tree):
        path = tree / self.file
        path.write_text(path.read_text().replace(self.old, self.new))

    def row(self, catcher):
        new = self.new or "(nothing)"
        cells = (f"`{self.file}`", f"`{self.old}`", f"`{new}`", catcher)
        return f"| {self.number} | " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def mutants():
    lines = (line.rstrip() for line in LIST.read_text().splitlines())
    return [Mutant(number, line) for number, line
            in enumerate((line for line in lines if line and line[0] != "#"), 1)]


def check(some):
    problems = [why for why in (mutant.why_not() for mutant in some) if why]
    for problem in problems:
        print(f"mutants.txt, mutant {problem}")
    return not problems


def copy_tree():
    """The tree as it is, without what is built; times too, so that make sees what has changed."""
    BUILD.mkdir(parents=True, exist_ok=True)
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           cwd=ROOT, check=True, capture_output=True).stdout.decode()
    kept = set(filter(None, names.split("\0")))
    for name in kept:
        source, target = ROOT / name, BUILD / name
        if source.is_file() and not is_same(source, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for path in (path for path in BUILD.rglob("*") if path.is_file()):
        name = path.relative_to(BUILD)
        if name.parts[0] != "build" and str(name) not in kept:
            path.unlink()
    return BUILD


def is_same(source, target):
    if not target.exists():
        return False
    a, b = source.stat(), target.stat()
    return (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns)


def run(command, tree, seconds):
    """(exit status, output); a status of None: it hangs."""
    env = dict(os.environ, B="build", CMOCKA_MESSAGE_OUTPUT="TAP", MAKEFLAGS="")
    process = subprocess.Popen(command, cwd=tree, env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        return None, process.communicate()[0].decode(errors="replace")
    return process.returncode, output.decode(errors="replace")


def make(tree, *targets):
    cc = [f"CC={os.environ['CC']}"] if "CC" in os.environ else []
    status, output = run(["make", "-s", f"-j{os.cpu_count()}", *cc, *targets], tree, WHOLE_SECONDS)
    return None if status == 0 else output


def is_unit(name):
    return (ROOT / "tests/unit" / f"{name}.c").exists()


def file_of(name):
    """Of a test that is no unit test."""
    found = [ROOT / folder / f"{name}.py" for folder in ("tests/e2e", "tests/long")]
    return next(path for path in found if path.exists()).relative_to(ROOT)


def first_failure(output):
    """The name of the test that failed first, as far as the output tells."""
    found = re.search(r"^not ok \d+ - (\w+)|^(?:FAILED|ERROR) \S+?::(.+?)(?: - .*)?$", output, re.M)
    return next(filter(None, found.groups())) if found else "it ends"


def test(tree, name):
    """Who of this test fails, twice: once may be the machine's fault; None: nobody."""
    if is_unit(name):
        problem = make(tree, f"build/tests/unit/{name}")
        command = [f"build/tests/unit/{name}"]
    else:
        loaders = [f"build/tests/bench/load/{path.stem}" for path
                   in (ROOT / "tests/bench/load").glob("*.c") if path.stem != "load"]
        problem = make(tree, "all", "build/read_texts", *loaders)
        command = [*PYTEST, str(file_of(name))]
    assert problem is None, problem
    for _ in range(2):
        status, output = run(command, tree, SECONDS)
        if status == 0:
            return None
    return f"{name}: {first_failure(output) if status is not None else 'it hangs'}"


def test_all(tree):
    for target in ("test", "test-long"):
        problem = make(tree, target)
        if problem is not None:
            return f"make {target}: {first_failure(problem)}"
    return None


def catch(tree, mutant, named):
    """Who catches it; None: nobody."""
    for name in mutant.tests:
        caught = test(tree, name)
        if caught:
            return caught
    return None if named else test_all(tree)


def main():
    some = mutants()
    if not check(some):
        return 1
    if sys.argv[1:] == ["--check"]:
        return 0
    named = "--named" in sys.argv
    numbers = {int(word) for word in sys.argv[1:] if word != "--named"}
    chosen = [mutant for mutant in some if not numbers or mutant.number in numbers]
    tree = copy_tree()
    for name in sorted({name for mutant in chosen for name in mutant.tests}):
        caught = test(tree, name)
        assert not caught, f"without any mutant {caught} fails"
    print("| | file | in place of | planted | caught by |\n|---|---|---|---|---|", flush=True)
    missed = 0
    for mutant in chosen:
        mutant.plant(tree)
        caught = catch(tree, mutant, named)
        missed += caught is None
        print(mutant.row(caught or "**nobody**"), flush=True)
        shutil.copyfile(ROOT / mutant.file, tree / mutant.file)  # as old as now: make looks again
    print(f"\n{len(chosen) - missed} of {len(chosen)} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
