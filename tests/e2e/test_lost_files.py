"""A file that is broken, with nothing good to stand for it: nobody gets what is left as if
it were all. What only the caller's variables make whole is whole for him."""

import subprocess

import pytest
from harness import CLIENT, wait_until

TEAMS = 'out = "s3://"${TEAM}"/out", a = 1'
PLACE = "clearml.conf:1:14: ${TEAM} is not defined"


@pytest.fixture
def lost(home, daemon):
    home.conf(TEAMS)
    return daemon.start()


def execute(home, *words, **env):
    return subprocess.run([CLIENT, "exec", "--", *words], env=dict(home.env, **env), timeout=60,
                          cwd=home.path / "cwd", capture_output=True, text=True)


def test_get_fails_with_the_place(home, lost):
    for question in [], ["a"], ["nothing", "--default", "x"], ["--mask"], ["--env"]:
        done = home.client("get", *question, check=1)
        assert PLACE in done.stderr and done.stdout == "", question


def test_a_caller_who_has_the_variable_gets_all_of_it(home, lost):
    home.env["TEAM"] = "blue"
    assert home.client("get", "out", "--env", check=0).stdout == "s3://blue/out\n"
    assert 'out = "s3://blue/out"' in home.client("dump", "--env", "--format=hocon", check=0).stdout
    done = execute(home, "sh", "-c", 'cat "$CLEARML_CONFIG_FILE"', TEAM="blue")
    assert done.returncode == 0 and 'out = "s3://blue/out"\na = 1\n' in done.stdout


def test_exec_runs_nothing_on_an_empty_file(home, lost):
    done = execute(home, "touch", home.path / "ran")
    assert done.returncode == 125 and PLACE in done.stderr
    assert not (home.path / "ran").exists()


def test_dump_leaves_the_good_one(home, lost):
    target = home.write("kept.conf", "good")
    for more in [], ["--env"], ["--vaults=live"], ["a"]:
        assert PLACE in home.client("dump", "--output", target, *more, check=1).stderr
        assert target.read_text() == "good"


def test_what_was_good_before_stands_for_it(home, daemon):
    home.conf("a = 5")
    daemon.start()
    home.conf("a = {")
    daemon.wait_state("degraded")
    assert home.client("get", "a", check=0).stdout == "5\n"
    assert "a = 5\n" in execute(home, "sh", "-c", 'cat "$CLEARML_CONFIG_FILE"').stdout


def test_a_dump_that_is_kept_outlives_a_file_that_is_lost(home, daemon):
    home.conf("a = 5")
    daemon.start()
    target = home.path / "kept.conf"
    with open(home.path / "errors", "w+") as errors:
        keeping = subprocess.Popen([CLIENT, "dump", "--watch", "--format=hocon", "--output", target],
                                   env=home.env, stderr=errors)
        try:
            wait_until(target.exists, "the dump")
            daemon.stop()
            home.conf("a = {")
            daemon.start()
            wait_until(lambda: "broken configuration" in open(errors.name).read(), "the warning")
            assert keeping.poll() is None and "a = 5\n" in target.read_text()
            home.conf("a = 6")
            wait_until(lambda: "a = 6\n" in target.read_text(), "the new file")
        finally:
            keeping.kill()
            keeping.wait()
