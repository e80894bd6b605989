#!/usr/bin/python3
"""What a configuration costs a program in Python: `import clearml` and its first read, with an
empty file, with the private file of configure(), by its fast way, and by ClearML alone, which reads
the same text itself.

The configuration is the largest of the corpus, 150 keys of ClearML's own. The ways take turns, each run is a process
of its own, and the figure is the median, over all turns, of the ratio of CPU time to that of the
empty file in the same turn. CLEARML_SDK_SRC names a checkout of clearml, or the row is left out.
"""

import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

import sdk  # noqa: E402
from harness import Daemon, Home  # noqa: E402

TURNS = 15
SAMPLE = "tests/corpus/official/agent-docs-over-builtin-defaults-and-vault.expected.json"
TARGET = 1.05
READ = "import clearml\nfrom clearml.config import config\nassert config.get('aws.s3', None)\n"
SLOW = "from clearml_clearconf import fast\nfast.TRIED = frozenset()\n"
AUTO = "import clearml_clearconf.auto\n"


def row(work, target, figure, good):
    print("%-4s %-54s %-18s %-44s %s" % ("py", work, target, figure, good), flush=True)


def seconds(program, env):
    """Of CPU, children's included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sdk.PYTHON, "-c", program], env=env, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(home, python_path):
    """For each turn the seconds of the ways."""
    (home.path / "empty.conf").write_text("")
    env = dict(home.env, PYTHONPATH=f"{python_path}:{ROOT / 'client/python'}")
    ways = {"empty": (READ, dict(env, CLEARML_CONFIG_FILE=f"{home.path}/empty.conf")),
            "alone": (READ, dict(env, CLEARML_CONFIG_FILE=f"{home.path}/clearml.conf")),
            "file": (SLOW + AUTO + READ, env), "fast": (AUTO + READ, env)}
    turns = [{name: seconds(*way) for name, way in ways.items()} for _ in range(TURNS + 1)]
    return turns[1:]  # the first one compiles


def main():
    work = "import clearml and read, by the file; fast: CPU"
    with tempfile.TemporaryDirectory(prefix="cc.") as folder:
        folder = pathlib.Path(folder)
        path = sdk.python_path(folder)
        if not path:
            return row(work, "", "left out: CLEARML_SDK_SRC names no SDK", "")
        home = Home(folder / "home")
        home.conf((ROOT / SAMPLE).read_text())
        home.settings("[workspace none]\napi_server = http://127.0.0.1:1\ninject = no\n")
        with Daemon(home, "--offline"):
            turns = measure(home, path)
    file, fast, alone = (statistics.median(turn[way] / turn["empty"] for turn in turns)
                         for way in ("file", "fast", "alone"))
    empty = statistics.median(turn["empty"] for turn in turns)
    row(work, f"fast <= {TARGET} x empty",
        f"{file:.2f}; {fast:.2f}; alone {alone:.2f} x empty's {empty:.2f} s",
        "ok" if fast <= TARGET else "NO")


main()
