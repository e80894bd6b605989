"""python -m clearml_clearconf exec, and the wheel that it comes in."""

import email
import os
import signal
import subprocess
import time
import zipfile

import pytest
from harness import DEADLINE, ROOT, wait_until
from test_python_client import pythons
from test_python_process import AUTO, CONF, PYTHON, SAY, SOURCE, env_of, folders, no_system
from test_without_vaults import away  # noqa: F401

EXEC = [PYTHON, "-W", "error", "-m", "clearml_clearconf", "exec"]


@pytest.fixture
def served(home, daemon):
    home.conf(CONF)
    return daemon.start()


def run(home, *words, status=0, env=None):
    done = subprocess.run([*EXEC, *words], env=env or env_of(home), capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == status, done.stderr
    return done


def test_a_command_gets_the_configuration(home, served):
    done = run(home, "--", "/bin/sh", "-c",
               "head -n 1 $CLEARML_CONFIG_FILE; echo $CLEARML_DISABLE_VAULT_SUPPORT $0", "x")
    assert done.stdout == "# written by clearconf\n1 x\n" and folders(home) == []


@pytest.mark.parametrize("words, status", [
    (["/bin/sh", "-c", "exit 7"], 7), (["--", "/bin/sh", "-c", "kill -9 $$"], 137),
    (["no-such-command"], 127), (["/etc/passwd"], 126), ([], 125), (["--vaults", "fresh", "true"], 125)])
def test_exit_statuses_are_those_of_clearconf_exec(home, served, words, status):
    assert home.client("exec", *words).returncode == status
    assert run(home, *words, status=status).stderr or status in (7, 137)
    assert folders(home) == []


def test_no_daemon_is_125_unless_it_is_optional(home):
    no_system(home)
    done = run(home, "true", status=125)
    assert done.stderr.startswith("clearml_clearconf: no daemon") and done.stderr.count("\n") == 1
    assert run(home, "--optional", "--", "/bin/sh", "-c", "echo -$CLEARML_CONFIG_FILE-").stdout == "--\n"
    run(home, "--optional", "--", "no-such-command", status=127)


def test_live_vaults(home, served):
    done = run(home, "--vaults", "live", "--", "/bin/sh", "-c", "echo -$CLEARML_DISABLE_VAULT_SUPPORT-")
    assert done.stdout == "--\n"


def test_signals_reach_the_command(home, served):
    program = ("import os, signal, sys\n"
               "def hear(number, _):\n"
               "    os.write(1, b'%d\\n' % number)\n"
               "    if number == signal.SIGTERM: sys.exit(3)\n"
               "for number in (signal.SIGTERM, signal.SIGUSR1): signal.signal(number, hear)\n"
               "print('up', signal.pthread_sigmask(signal.SIG_BLOCK, []), flush=True)\n"
               "while True: signal.pause()\n")
    process = subprocess.Popen([*EXEC, PYTHON, "-c", program], env=env_of(home),
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up set()\n"
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == f"{int(signal.SIGUSR1)}\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == f"{int(signal.SIGTERM)}\n"
    assert process.wait(DEADLINE) == 3 and folders(home) == []


def test_a_command_keeps_its_file_when_exec_is_killed(home, served):
    process = subprocess.Popen([*EXEC, "/bin/sh", "-c", "echo $CLEARML_CONFIG_FILE; read x"],
                               env=env_of(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    path = process.stdout.readline().strip()
    process.kill()
    process.wait(DEADLINE)
    home.client("exec", "--", "true", check=0)  # sweeps what nobody holds
    assert os.path.exists(path)
    process.stdin.close()

    def swept():
        home.client("exec", "--", "true", check=0)
        return folders(home) == []
    wait_until(swept, "the folder to be swept once the command has ended")


def test_a_program_in_it_takes_what_it_gives(home, served):
    done = run(home, "--", PYTHON, "-c", SAY + AUTO + SAY)
    before, after = done.stdout.split()
    assert before == after


def test_vaults_that_are_missing(home, away, server):  # noqa: F811
    """A warning, or none of it."""
    command = ["--", "/bin/sh", "-c", "grep ^k $CLEARML_CONFIG_FILE"]
    done = subprocess.run([PYTHON, *EXEC[3:], *command], env=env_of(home), capture_output=True,
                          text=True, timeout=60)
    assert done.stdout == 'k = "mine"\n'
    assert done.stderr.startswith("clearml_clearconf: warning: the vaults are not in: ")
    done = run(home, "--require-vaults", "--timeout", "0.5", *command, status=6)
    assert "not ready: the vaults are not in: " in done.stderr and done.stdout == ""
    server.clear_failures()
    assert run(home, "--require-vaults", *command).stdout == 'k = "of the vault"\n'
    assert folders(home) == []


# --- the wheel ----------------------------------------------------------------


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Built offline."""
    said = subprocess.run([PYTHON, "-c", "import setuptools; print(setuptools.__version__)"],
                          capture_output=True, text=True).stdout
    if int(said.split(".")[0]) < 61:
        pytest.skip(f"setuptools {said.strip()} knows no [project]: 61 does")
    return build(tmp_path_factory.mktemp("wheel"))


def build(folder):
    subprocess.run(["make", "-s", "-C", ROOT, f"B={folder}", "wheel"], check=True,
                   capture_output=True, env=dict(os.environ, PIP_NO_INDEX="1"))
    [path] = folder.glob("*.whl")
    return path


def test_the_wheel_is_the_same_each_time(wheel, tmp_path):
    time.sleep(2.1)  # a zip's clock has steps of two seconds
    assert build(tmp_path).read_bytes() == wheel.read_bytes()


def test_the_wheel_is_for_every_python_and_system(wheel):
    version = subprocess.run(["sed", "-n", "s/^VERSION := //p", ROOT / "Makefile"],
                             capture_output=True, text=True).stdout.strip()
    assert wheel.name == f"clearml_clearconf-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        about = email.message_from_bytes(archive.read(
            f"clearml_clearconf-{version}.dist-info/METADATA"))
    modules = {f"clearml_clearconf/{path.name}" for path in (SOURCE / "clearml_clearconf").glob("*.py")}
    assert set(names) >= modules | {"clearml_clearconf/py.typed"}
    assert not [name for name in names if name.startswith("clearconf") or name.endswith(".so")]
    assert about["Name"] == "clearml-clearconf" and about["Requires-Python"] == ">=3.8"
    assert about["Requires-Dist"] is None and "import clearml_clearconf.auto" in about.get_payload()


@pytest.mark.parametrize("python", [PYTHON, *pythons()])
def test_the_wheel_works(wheel, home, served, python, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    env = dict(home.env, PYTHONPATH=str(tmp_path / "site"))
    done = subprocess.run([python, "-W", "error", "-m", "clearml_clearconf", "exec", "--", python,
                           "-c", AUTO + "print(clearml_clearconf.Client().get('a'))"],
                          env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout == "1\n", done.stderr
