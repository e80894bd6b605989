"""clearconf on a terminal, and where there is none: colours, what a terminal
would obey, streams that are full, closed or gone."""

import re
import signal
import subprocess

import pytest
from harness import CLIENT, DAEMON, wait_until
from terminal import on_terminal

# ESC, a C1 control (CSI), DEL, a bell, a colour, what turns the direction of writing and breaks
# lines, and letters that may stay.
EVIL = "\x1b]0;owned\x07\u009b31m\x7f\x1b[31m\u202e\u2066\u061c\u2028é"


def controls(text):
    """Without line ends, tabs and our own colours."""
    return re.findall("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]",
                      re.sub("\x1b\\[(|0|1|2|3[123])m", "", text))


@pytest.fixture
def evil(home, conf, server, daemon):
    home.settings("[poll]\ninterval = 1h\n")
    home.conf(conf("sdk.aws.s3.region: one"))
    server.state.set_vaults([
        {"description": f"team{EVIL}", "data": f'sdk.aws.s3.region: "{EVIL}"\n"k{EVIL}": 1'},
        {"description": f"bad{EVIL}", "data": f"broken {EVIL}: ["}])
    daemon.start()
    daemon.wait_state("degraded")
    return daemon


@pytest.mark.parametrize("words", [
    ["get"], ["get", "sdk.aws.s3.region"], ["get", "--format", "hocon"], ["get", "--format", "env"],
    ["get", "--format", "properties"], ["get", "--format", "yaml"], ["dump"], ["explain"],
    ["explain", "--json"], ["status"], ["status", "--json"], ["log"], ["log", "--json"], ["doctor"],
    ["storage", "s3://bucket/x"], ["get", f"no{EVIL}"], ["get", "none", "--default", EVIL], [EVIL]],
    ids=lambda words: " ".join(words).encode("ascii", "replace").decode())
def test_a_terminal_is_told_nothing_that_it_obeys(home, evil, words):
    out, err = on_terminal(home, *words)
    assert out + err
    assert controls(out.replace("\r\n", "\n")) == []
    assert controls(err.replace("\r\n", "\n")) == []


@pytest.mark.parametrize("words", [["--check"], ["--print"], ["--print", "--format", "hocon"],
                                   ["--check", f"no{EVIL}"], ["--print", "--config", f"no{EVIL}"]],
                         ids=lambda words: " ".join(words).encode("ascii", "replace").decode())
def test_nor_by_the_daemon(home, evil, words):
    (home.path / "cwd" / f"inner{EVIL}.conf").write_text(f"a: [{EVIL}")
    text = (home.path / "clearml.conf").read_text()
    home.conf(f'{text}\ninclude "{home.path}/cwd/inner{EVIL}.conf"')
    out, err = on_terminal(home, "--user", *words, program=DAEMON)
    assert out + err
    assert controls(out.replace("\r\n", "\n")) == []
    assert controls(err.replace("\r\n", "\n")) == []


def test_a_file_gets_the_bytes_as_they_are(home, evil):
    assert home.client("get", "sdk.aws.s3.region", check=0).stdout == EVIL + "\n"


def test_colour_is_for_terminals_without_no_color(home, evil):
    assert "\x1b[" in on_terminal(home, "status")[0]
    assert "\x1b[" not in on_terminal(home, "status", env={"NO_COLOR": "1"})[0]
    assert "\x1b[" in on_terminal(home, "status", env={"NO_COLOR": ""})[0]  # no-color.org: not empty
    assert "\x1b" not in re.sub(re.escape(EVIL), "", home.client("status", check=0).stdout)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["get", "--help"], ["get"], ["status"],
                                   ["explain"], ["watch"], ["dump"]], ids=" ".join)
def test_a_full_disk_is_a_failure(home, evil, words):
    with open("/dev/full", "w") as full:
        done = subprocess.run([CLIENT, *words], env=home.env, stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=30)
    assert done.returncode == 1 and "No space left" in done.stderr
    assert done.stderr.count("\n") == 1


def test_closed_streams_are_not_the_daemons(home, evil):
    """The first descriptor that is free would be the socket's: what is printed
    must not go there."""
    for words in (["get"], ["status"], ["watch"]):
        closed = ["sh", "-c", 'exec "$@" >&-', "sh", CLIENT, *words]
        done = subprocess.run(closed, env=home.env, stderr=subprocess.PIPE, text=True, timeout=30)
        assert done.returncode == 1 and "Bad file descriptor" in done.stderr
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", CLIENT, "get"]
    assert subprocess.run(closed, env=home.env, timeout=30).returncode == 1
    assert "protocol" not in evil.log()


def test_a_pipe_that_nobody_reads_ends_it_by_its_signal(home, evil):
    process = subprocess.Popen([CLIENT, "watch", "--values"], env=home.env, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.stdout.close()
    home.conf("sdk.aws.s3.region: two, a: 1")
    wait_until(lambda: process.poll() is not None, "the end")
    assert process.returncode == -signal.SIGPIPE and process.stderr.read() == ""
    process.stderr.close()
