"""Run the unit test programs and the end-to-end tests, and count.

run_tests.py PROGRAM... runs each cmocka program, then pytest over the folders
of $TESTS, tests/e2e and tests/interop without it, by $WORKERS processes at a
time. A few that failed beside the others run once more, alone, and are named:
many of them watch real time pass, on a machine that may have had none to give.
What fails twice has failed, and so has a run in which more than FEW failed or a
sanitizer spoke. What was skipped is counted by reason; a reason that tests/skips.txt does not know, or
that $CI_JOB is to have none of, is a failure. The last line is `N passed, N failed`; the exit status is
0 only when nothing failed and something ran, or was skipped and says why.
"""

import collections
import concurrent.futures
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import skips

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT_SECONDS = 240
FEW = 3  # that may have failed for want of time alone
FOLDERS = os.environ.get("TESTS", "tests/e2e tests/interop").split()
CORES = len(os.sched_getaffinity(0))
# Most of them wait for a poll or a deadline most of their time.
WORKERS = os.environ.get("WORKERS", str(2 * CORES))
SKIPPED = collections.Counter()  # by reason


def run_unit(program):
    """(name, passed, failed, skipped, output) of one cmocka program, by its TAP lines."""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    try:
        done = subprocess.run([program], env=env, cwd=ROOT, timeout=UNIT_SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        status, text = done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        status, text = 1, (late.stdout or b"").decode(errors="replace") + "timed out\n"
    passed = len(re.findall(r"^ok\b", text, re.M))
    failed = len(re.findall(r"^not ok\b(?!.*# SKIP)", text, re.M))
    skipped = len(re.findall(r"^not ok\b.*# SKIP", text, re.M))
    SKIPPED.update(reasons_of(text, skipped))
    if status != 0 and failed == 0:
        failed = 1  # it crashed, or a sanitizer stopped it
    if status == 0 and passed + skipped == 0:
        failed = 1  # a program that tests nothing
    return os.path.basename(program), passed, failed, skipped, text


def reasons_of(text, skipped):
    """Why tests of a cmocka program were skipped: see skipping.h."""
    told = re.findall(r"^# skipped: (.*)$", text, re.M)
    return told + ["no reason is given"] * (skipped - len(told))


def add(some, more):
    return tuple(map(sum, zip(some, more)))


def is_worth_again(count, text):
    return 0 < count <= FEW and "Sanitizer" not in text


def run_units(programs):
    """(passed, failed, skipped) of them all, a program for each core at a time."""
    total, failed = (0, 0, 0), []
    programs = list(map(os.path.abspath, programs))
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for program, (name, *counts, text) in zip(programs, pool.map(run_unit, programs)):
            if counts[1]:
                print(text)
                failed.append((program, counts, text))
            else:
                total = add(total, counts)
            print(f"  {name}: {counts[0]} passed, {counts[1]} failed", flush=True)
    for program, counts, text in failed:
        if is_worth_again(len(failed), text):
            name, *counts, text = run_unit(program)
            print(text if counts[1] else f"  {name}: passed when run again, alone", flush=True)
        total = add(total, counts)
    return total


def text_of(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def pytest(report, *options):
    """(passed, failed, skipped) of a run."""
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "-o", "junit_family=xunit1",
               f"--junitxml={report}", "-o", f"cache_dir={os.path.dirname(report)}/pytest",
               *options, *FOLDERS]
    if os.path.exists(report):
        os.remove(report)
    status = subprocess.run(command, cwd=ROOT).returncode
    if not os.path.exists(report):
        return 0, 1, 0
    suite = ET.parse(report).getroot().find("testsuite")
    SKIPPED.update(each.get("message").removeprefix("Skipped: ") for each in suite.iter("skipped"))
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    if status not in (0, 1, 5) and failed == 0:
        failed = 1
    return total - failed - skipped, failed, skipped


def run_pytest(build):
    """(passed, failed, skipped) of the tests written in Python."""
    report = os.path.join(build, "pytest.xml")
    passed, failed, skipped = pytest(report, "-rs", "-n", WORKERS)
    if failed and is_worth_again(failed, text_of(report)):
        print(f"Again, alone: what failed beside the others, {failed} of them", flush=True)
        again = pytest(os.path.join(build, "pytest-again.xml"), "-rA", "--show-capture=no",
                       "--last-failed", "--last-failed-no-failures", "none")
        if sum(again) == failed:
            passed, failed = passed + again[0], again[1]
    return passed, failed, skipped


def tell_skipped():
    """Count them by reason; how many of the reasons should not have been."""
    wrong = 0
    for reason, count in sorted(SKIPPED.items()):
        job = skips.job_of(reason)
        is_wrong = job in (None, os.environ.get("CI_JOB"))
        wrong += is_wrong
        where = {None: "NO LINE OF tests/skips.txt", "by-hand": "they run by hand only"}.get(
            job, f"CI's job {job} runs them")
        print(f"  {count:4} skipped: {reason} ({where}){', WHICH THIS IS' if job and is_wrong else ''}")
    return wrong


def main():
    build = os.path.abspath(os.environ.get("B", "build"))
    passed, failed, skipped = add(run_units(sys.argv[1:]), run_pytest(build))
    failed += tell_skipped()
    if skipped:
        print(f"{skipped} skipped: something they need is not here")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed + skipped else 0


if __name__ == "__main__":
    sys.exit(main())
