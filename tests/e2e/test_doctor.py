"""clearconf doctor: what it finds, and that it finds nothing where all is well."""

import os
import re
import shutil
import signal
import socket
import subprocess

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer
from harness import CLIENT, FAST, Daemon, wait_until
from stage import make_certificates


def look(home, check, env=None, **more):
    done = subprocess.run([CLIENT, "doctor"], env=dict(home.env, **(env or {})), timeout=60,
                          cwd=home.path / "cwd", capture_output=True, text=True, **more)
    assert done.returncode == check and done.stderr == "", done.stdout + done.stderr
    return [line.split(None, 1) for line in done.stdout.splitlines()]


def problems(lines):
    return [text for verdict, text in lines if verdict == "problem"]


@pytest.fixture
def ready(home, conf, daemon):
    home.settings(FAST)
    home.conf(conf()).chmod(0o600)
    daemon.start()
    daemon.wait_state("ready")
    return daemon


def test_all_is_well(home, ready, server):
    lines = look(home, 0)
    assert {verdict for verdict, _ in lines} - {"advice"} == {"ok"}
    said = "\n".join(text for _, text in lines)
    assert "is ready" in said and "it agrees with the server's" in said
    assert f"key {ACCESS_KEY[:4]}****" in said and f"(from {home.path}/clearml.conf" in said
    assert SECRET_KEY not in said and ACCESS_KEY not in said


def test_no_daemon(home):
    [problem] = problems(look(home, 1))
    assert problem.startswith("daemon: ") and "start clearconfd" in problem


def test_a_refused_key_says_which_and_where_from(home, server, daemon):
    home.settings(FAST)
    home.conf(f"api {{ api_server: {server.url}\ncredentials {{ access_key: WRONGKEY0123, "
              "secret_key: nonono } }").chmod(0o600)
    daemon.start()
    wait_until(daemon.last_error, "the refusal")
    found = [x for x in problems(look(home, 1)) if x.startswith("login: ")]
    assert "key WRON****" in found[0] and "clearml.conf" in found[0] and server.url in found[0]


def test_a_new_key_is_refused_and_the_old_one_works(home, ready, server, conf):
    """Each with its own server: the sentence about one does not name the other's."""
    with ClearMLServer(port=0, edition="enterprise") as other:
        home.conf(conf().replace(ACCESS_KEY, "NEWKEY012345").replace(server.url, other.url)).chmod(0o600)
        ready.wait_state("degraded")
        lines = look(home, 1)
        [good] = [text for verdict, text in lines if verdict == "ok" and text.startswith("login: ")]
        assert f"key {ACCESS_KEY[:4]}****" in good and server.url in good
        [bad] = problems(lines)
        assert "key NEWK****" in bad and other.url in bad and server.url not in bad
        assert "failed to locate provided credentials" in bad and "stays in force" in bad
        shown = home.client("status", check=0).stdout
        assert "new login    NEWK****" in shown and f"key          {ACCESS_KEY[:4]}****" in shown


@pytest.mark.parametrize("text, arguments, reason", [
    ("a: 1", (), "no server is named: set api.api_server"),
    ("api.api_server: \"http://127.0.0.1:9\"", (), "there is no key pair: set api.credentials"),
    ("api { api_server: \"http://127.0.0.1:9\", credentials.access_key: ABCDEFGH0 }", (),
     "no secret key: set api.credentials.secret_key"),
    ("api { api_server: \"localhost:8008\", credentials { access_key: A, secret_key: B } }", (),
     "api.api_server is no URL"),
    ("a: 1", ("--offline",), "--offline"),
])
def test_why_no_server_is_asked(home, text, arguments, reason):
    """The one reason, in status, doctor and the errors of commands."""
    home.conf(text).chmod(0o600)
    with Daemon(home, *arguments):
        [login] = [x for verdict, x in look(home, 0) if x.startswith("login: ")]
        assert "asks no server: " in login and reason in login
        [shown] = [x for x in home.client("status", check=0).stdout.splitlines()
                   if "none asked: " in x]
        assert reason in shown and reason in home.client("profile", check=6).stderr


@pytest.mark.parametrize("url, problem", [
    ("http://127.0.0.1:8080", "port 8080 is the web interface's"),
    ("http://127.0.0.1:8081/x", "port 8081 is the file server's"),
    ("https://app.clearml.invalid", "app. is the web interface's name")])
def test_the_wrong_server(home, daemon, url, problem):
    home.settings(FAST)
    home.conf(f"api {{ api_server: \"{url}\", credentials {{ access_key: A23456789, "
              "secret_key: b } }").chmod(0o600)
    daemon.start()
    assert any(x.startswith("server: ") and problem in x for x in problems(look(home, 1)))


def test_a_certificate_nobody_trusts(home, daemon, tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make certificates with")
    certificates, ca = make_certificates(tmp_path)
    with ClearMLServer(port=0, edition="enterprise", tls=certificates["good"]) as secure:
        text = (f"api {{ api_server: \"{secure.url}\", credentials {{ access_key: {ACCESS_KEY}, "
                f"secret_key: \"{SECRET_KEY}\" }} }}\n")
        home.settings(FAST)
        home.conf(text).chmod(0o600)
        daemon.start()
        wait_until(daemon.last_error, "the refusal")
        assert any(x.startswith("login: ") and "is not trusted" in x and "api.verify_certificate" in x
                   for x in problems(look(home, 1)))
        home.conf(f"{text}api.verify_certificate: \"{ca}\"").chmod(0o600)
        daemon.wait_state("ready")
        assert problems(look(home, 0)) == []


def test_a_clock_that_differs(home, ready, server):
    server.state.clock_offset = 600
    try:
        found = problems(look(home, 1))
    finally:
        server.state.clock_offset = 0
    assert any("s behind the server" in x for x in found)


def test_variables_that_lead_nowhere(home, ready):
    lines = look(home, 1, env={"CLEARML_CONFIG_FILE": "conf/clearml.conf",
                               "TRAINS_CONFIG_FILE": "/none.conf", "SSL_CERT_FILE": "/no/ca.pem"})
    found = problems(lines)
    assert len(found) == 3
    assert "relative" in found[0] and "No such file" in found[1] and "SSL_CERT_FILE" in found[2]
    [folder] = problems(look(home, 1, env={"CLEARML_CONFIG_FILE": str(home.path)}))
    assert "no regular file" in folder


def test_a_file_that_everybody_can_read(home, ready):
    (home.path / "clearml.conf").chmod(0o644)
    warnings = [text for verdict, text in look(home, 0) if verdict == "warning"]
    assert len(warnings) == 1 and "chmod 600" in warnings[0]


def test_a_broken_layer(home, ready, conf):
    home.conf(conf("a: {")).chmod(0o600)
    wait_until(lambda: ready.layer("clearml.conf")["state"] == "broken", "broken")
    assert any(x.startswith("layer: file") and "is broken at line" in x
               for x in problems(look(home, 1)))
    [problem] = [x for x in problems(look(home, 1)) if x.startswith("layer: ")]
    assert problem.endswith("what it said before is served")


def test_what_never_was_good_is_not_said_to_be_served(home, daemon):
    home.conf("a: {").chmod(0o600)
    daemon.start()
    [problem] = [x for x in problems(look(home, 1)) if x.startswith("layer: ")]
    assert problem.endswith("nothing of it is served")


@pytest.mark.parametrize("key, secret, name, what", [
    (ACCESS_KEY + "\\n", SECRET_KEY, "access_key", "a line break at its end"),
    (ACCESS_KEY, " " + SECRET_KEY, "secret_key", "a blank at its beginning")])
def test_a_key_that_only_looks_right(home, server, daemon, key, secret, name, what):
    home.settings(FAST)
    home.conf(f"api {{ api_server: \"{server.url}\", credentials {{ access_key: \"{key}\", "
              f"secret_key: \"{secret}\" }} }}").chmod(0o600)
    daemon.start()
    daemon.wait_state("ready")  # we trim it
    [problem] = problems(look(home, 1))
    assert problem.startswith(f"key: api.credentials.{name} has {what}")


def test_a_vault_that_sets_what_is_locked(home, ready, server):
    server.state.set_vaults([{"description": "team", "data": "a: 1\napi.api_server: \"http://x\""}])
    ready.wait_value("a", 1)
    [warning] = [text for verdict, text in look(home, 0) if verdict == "warning"]
    assert warning.startswith("layer: vault (team) at line 2: ") and "locked" in warning


def test_etcd_is_looked_at(home, daemon, conf):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        home.settings(FAST + f"[site]\netcd = {url}\nprobe = 100ms\n")
        home.conf(conf()).chmod(0o600)
        daemon.start()
        daemon.wait_state("degraded", "offline")
        [problem] = [x for x in problems(look(home, 1)) if x.startswith("site: ")]
    assert url in problem and "none of its documents is served" in problem


def test_a_dump_nobody_updates(home, ready):
    dump = home.path / "dump.conf"
    home.client("dump", "--format", "hocon", "--output", dump, check=0)
    env = {"CLEARML_CONFIG_FILE": str(dump)}
    assert any("is current" in text for _, text in look(home, 0, env=env))
    home.conf((home.path / "clearml.conf").read_text() + "b: 2\n").chmod(0o600)
    ready.wait_value("b", 2)
    [problem] = problems(look(home, 1, env=env))
    assert "clearconf dump --watch" in problem


def test_a_dump_is_compared_with_what_dump_writes(home, ready, server):
    """Not with what is served: of a locked key that is a vault's, which a dump has not."""
    server.state.set_vaults(['api.api_server: "http://elsewhere", agent.worker_id: "one"\nb: 1'])
    ready.wait_value("b", 1)
    for vaults in ("merged", "live"):
        dump = home.path / f"{vaults}.conf"
        home.client("dump", "--vaults", vaults, "--format", "hocon", "--output", dump, check=0)
        found = look(home, 0, env={"CLEARML_CONFIG_FILE": str(dump)})
        assert ["ok", f"dump: {dump} is current"] in found


def test_what_a_killed_exec_has_left(home, ready):
    """Its file, as long as its command holds it, and after."""
    exec = subprocess.Popen([CLIENT, "exec", "--on-change", "idle", "--", "sh", "-c",
                             "echo $$; exec sleep 600"], env=home.env, text=True,
                            stdout=subprocess.PIPE)
    pid = exec.stdout.readline()
    assert not [text for _, text in look(home, 0) if text.startswith("exec: ")]
    exec.kill()
    exec.wait()
    [told] = [text for what, text in look(home, 0) if what == "warning" and "exec: " in text]
    assert f"exec.{exec.pid}/clearml.conf, which nobody keeps current" in told
    os.kill(int(pid), signal.SIGKILL)
    [told] = wait_until(lambda: [text for _, text in look(home, 0) if "was left behind" in text],
                        "its end")
    assert f"exec.{exec.pid} was left behind" in told
    home.client("exec", "true", check=0)
    assert not [text for _, text in look(home, 0) if text.startswith("exec: ")]


def test_a_key_that_is_misspelt(home, ready, conf):
    """Also where the right one is there, and in a vault."""
    home.conf(conf("agent.worker_id: w, agnet.worker_id: x")).chmod(0o600)
    ready.wait_value("agnet.worker_id", "x")
    [said] = [text for verdict, text in look(home, 0) if verdict == "warning"]
    assert "ClearML knows no key agnet: is agent meant?" in said and "clearml.conf" in said


@pytest.mark.parametrize("variable, below", [
    ("VIRTUAL_ENV", "lib/python3.9/site-packages"), ("PYTHONPATH", "."), ("PATH", "lib/python3/dist-packages"),
    ("HOME", ".local/lib/python3.11/site-packages")])
def test_the_defaults_of_an_installed_clearml_are_offered(home, ready, conf, variable, below):
    """And what is offered works."""
    root = home.path if variable == "HOME" else home.path / "venv"
    for package in ("clearml/config", "clearml_agent/backend_api/config"):
        home.write(f"{root}/{below}/{package}/default/sdk.conf", "development { from_defaults: yes }")
    (root / "bin").mkdir(exist_ok=True)
    env = {"VIRTUAL_ENV": "", "CONDA_PREFIX": "", "PYTHONPATH": ""}
    if variable != "HOME":
        env[variable] = f"{root / 'bin'}:{home.env['PATH']}" if variable == "PATH" else str(root)
    [text] = [text for verdict, text in look(home, 0, env=env) if verdict == "advice"]
    folder = re.search("'defaults = (.*?)'", text)[1]
    assert folder == os.path.realpath(f"{root}/{below}/clearml_agent/backend_api/config/default")
    home.settings(FAST + f"[local]\ndefaults = {folder}\n")
    ready.reload()
    ready.wait_value("sdk.development.from_defaults", "yes")
    assert "advice" not in {verdict for verdict, _ in look(home, 0, env=env)}


def test_no_defaults_are_offered_where_no_clearml_is(home, ready):
    env = {"VIRTUAL_ENV": "", "CONDA_PREFIX": "", "PYTHONPATH": "", "PATH": str(home.path / "bin")}
    if not os.path.exists("/opt/pipx"):
        assert "advice" not in {verdict for verdict, _ in look(home, 0, env=env)}
