"""Commands of the client over the calls that go to the ClearML server."""

import base64
import json
import re

import pytest
from clearml_server import ACCESS_KEY, COMPANY_ID, SECRET_KEY, USER_ID
from harness import FAST, Daemon, wait_until

SECTION = """\
[workspace {name}]
api_server = {url}
access_key = {key}
secret_key_file = {name}.secret
"""
SECRETS = {"one": SECRET_KEY, "two": "secret-of-two-0123456789"}


@pytest.fixture
def ready(home, conf, daemon):
    home.settings(FAST)
    home.conf(conf("a: 1"))
    daemon.start()
    daemon.wait_state("ready")
    return daemon


@pytest.fixture
def two(home, server, daemon):
    """A daemon with the workspaces `one`, active, and `two`."""
    other = server.state.add_company("second company")
    server.state.users[USER_ID].tenants.append(other)
    server.state.add_credentials(access_key="KEYOFTWO", secret_key=SECRETS["two"], company=other)
    text = FAST
    for name, key in (("one", ACCESS_KEY), ("two", "KEYOFTWO")):
        home.write(f"config/clearconf/{name}.secret", SECRETS[name]).chmod(0o600)
        text += SECTION.format(name=name, url=server.url, key=key)
    home.settings(text)
    daemon.start()
    daemon.wait_state("ready")
    wait_until(lambda: daemon.workspace("two").get("company_name"), "its name")
    wait_until(lambda: daemon.workspace("two")["state"] == "ready", "the other one")
    return daemon


def one_line(done):
    assert done.stdout == "" and done.stderr.startswith("clearconf: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def one_error(done):
    """Besides what is printed."""
    [line] = done.stderr.splitlines()
    return line


def test_workspaces_are_a_table_with_the_active_one_marked(home, two, server):
    lines = home.client("workspace", check=0).stdout.splitlines()
    assert lines[0].split() == ["NAME", "STATE", "COMPANY", "USER", "SERVER"]
    assert lines[1].split()[:3] == ["*", "one", "ready"]
    assert lines[2].startswith("-  two")
    assert two.workspace("two")["company_name"] in lines[2]
    assert lines[1].endswith(server.url) and lines[2].endswith(server.url)
    assert {line.index(server.url) for line in lines[1:]} == {lines[0].index("SERVER")}
    assert home.client("workspace", "list", check=0).stdout.splitlines() == lines
    # The time of the last poll may be another one a moment later.
    wait_until(lambda: json.loads(home.client("workspace", "--json", check=0).stdout)
               == two.call("ListWorkspaces"), "the same answer twice")


def test_use_makes_another_one_active(home, two):
    assert "two is the active workspace" in home.client("workspace", "use", "two", check=0).stdout
    assert two.call("ListWorkspaces")["active"] == "two"
    answer = json.loads(home.client("workspace", "use", "one", "--json", check=0).stdout)
    assert answer["generation"] > 0
    assert "there is no workspace 'three'" in one_line(
        home.client("workspace", "use", "three", check=2))


@pytest.mark.parametrize("words, problem", [
    (["workspace", "use"], "'workspace use' needs the name of a workspace"),
    (["workspace", "list", "x"], "'x' is too many arguments"),
    (["workspace", "swap"], "'swap' is nothing that workspace does"),
    (["credentials", "revoke"], "needs an access key"),
    (["credentials", "--force"], "--force is for 'credentials revoke'"),
    (["credentials", "revoke", "X", "--label", "y"], "--label is for 'credentials create'"),
    (["token", "--lifetime", "soon"], "a number of seconds"),
    (["log", "-n", "-3"], "-n takes a number"),
    (["log", "--limit=-3"], "--limit takes a number"),
    (["profile", "x"], "too many arguments"),
])
def test_wrong_usage_says_what_is_right(home, words, problem):
    assert problem in one_line(home.client(*words, check=2))


def test_credentials_are_a_table_without_secrets(home, ready, server):
    server.state.add_credentials(access_key="UNUSEDKEY", secret_key="never-shown-0123456",
                                 user=USER_ID, label="lap\x1btop")
    done = home.client("credentials", check=0)
    rows = {line.split()[1]: line for line in done.stdout.splitlines()[1:]}
    assert rows[ACCESS_KEY].startswith("*") and COMPANY_ID in rows[ACCESS_KEY]
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", rows[ACCESS_KEY])
    assert rows["UNUSEDKEY"].startswith("-") and "lap?top" in rows["UNUSEDKEY"]
    assert "EXPIRES" not in done.stdout  # a column that nobody fills
    assert "never-shown" not in done.stdout and SECRET_KEY not in done.stdout
    listed = json.loads(home.client("credentials", "list", "--json", check=0).stdout)
    assert listed == ready.call("ListCredentials")


def test_a_created_pair_can_be_pasted(home, ready, tmp_path):
    done = home.client("credentials", "create", "--label", "made here", check=0)
    assert "written by clearconf" not in done.stdout
    pasted = home.write("pasted.conf", done.stdout)
    tree = json.loads(home.daemon(
        "--print", "--offline", env={"CLEARML_CONFIG_FILE": str(pasted)}).stdout)
    pair = tree["api"]["credentials"]
    assert sorted(pair) == ["access_key", "secret_key"]
    assert pair["secret_key"] not in done.stderr
    labels = {x["access_key"]: x.get("label")
              for x in ready.call("ListCredentials")["credentials"]}
    assert labels[pair["access_key"]] == "made here"
    revoked = home.client("credentials", "revoke", pair["access_key"], check=0)
    assert revoked.stdout.startswith(f"revoked {pair['access_key']}")
    again = home.client("credentials", "revoke", pair["access_key"], check=6)
    assert "auth.revoke_credentials" in one_line(again)


def test_our_own_key_needs_force(home, ready, server):
    line = one_line(home.client("credentials", "revoke", ACCESS_KEY, check=1))
    assert "clearconfd itself logs in with this key" in line and "--force" in line
    assert server.count("auth.revoke_credentials") == 0
    home.client("credentials", "revoke", ACCESS_KEY, "--force", check=0)


def test_a_profile_is_a_table(home, ready, server):
    rows = [re.split(r"  +", x, maxsplit=1)
            for x in home.client("profile", check=0).stdout.splitlines()]
    found = dict(rows)
    assert found["workspace"] == "default" and found["server"] == server.url
    assert USER_ID in found["user"] and COMPANY_ID in found["company"]
    profile = json.loads(home.client("profile", "--json", check=0).stdout)
    assert profile["user"]["id"] == USER_ID


def test_a_token_is_printed_bare(home, ready):
    token = home.client("token", "--lifetime", "119.5", check=0).stdout.rstrip("\n")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] == 120
    answer = json.loads(home.client("token", "--json", check=0).stdout)
    assert answer["expires_at"] and answer["token"] != token


@pytest.mark.parametrize("lifetime, seconds", [("60", 60), ("90s", 90), ("10m", 600), ("2h", 7200),
                                               ("30d", 2592000), ("31536000", 31536000)])
def test_a_token_lasts_as_long_as_the_server_allows(home, ready, lifetime, seconds):
    token = home.client("token", "--lifetime", lifetime, check=0).stdout.rstrip("\n")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] == seconds


@pytest.mark.parametrize("lifetime", ["59", "0", "366d", "1ms"])
def test_a_token_that_no_server_makes_is_refused_with_the_bounds(home, ready, server, lifetime):
    before = server.count("auth.login")
    line = one_line(home.client("token", "--lifetime", lifetime, check=2))
    assert "60 seconds" in line and "31536000 (365 days)" in line
    assert server.count("auth.login") == before


def test_a_server_that_is_not_reached_has_refused_nothing(home, ready, server):
    server.fail("drop", endpoint="auth.login")
    line = one_line(home.client("token", check=6))
    assert "was not reached for auth.login" in line and "refused" not in line
    assert "status 0" not in line


def test_reload_says_whether_something_changed(home, ready, server):
    done = home.client("reload", check=0)
    assert re.fullmatch(r"generation \d+, nothing has changed\n", done.stdout)
    home.conf(home.path.joinpath("clearml.conf").read_text() + "b: 2\n")
    home.client("reload", check=0)
    assert ready.get("b") == 2
    assert "generation" in json.loads(home.client("reload", "--json", check=0).stdout)


REFUSING = {"name": "envelope", "code": 401, "subcode": 2, "msg": "no such key"}


@pytest.mark.parametrize("failure, words", [
    ({"name": "drop"}, "closed"),
    ({"name": "hang"}, "answer"),  # none, or no whole one
    (REFUSING, "no such key")])
def test_a_reload_names_the_workspace_that_failed(home, two, server, failure, words):
    home.settings((home.path / "config/clearconf/clearconfd.conf").read_text()
                  .replace("timeout = 10s", "timeout = 1s"))
    two.reload()
    for endpoint in ("auth.login", "users.get_vaults"):
        server.fail(endpoint=endpoint, **failure)
    done = home.client("reload", check=6)
    assert "what could be read has not changed" in done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    for name, line in zip(("one", "two"), lines):
        assert line.startswith(f"clearconf: workspace {name}: server: ") and words in line
    told = home.client("reload", "--json", check=6)
    failed = json.loads(told.stdout)["failed"]
    assert [(x["what"], x["workspace"]) for x in failed] == [("server", "one"), ("server", "two")]
    server.clear_failures()
    wait_until(lambda: home.client("reload").returncode == 0, "a good reload")


def test_a_reload_names_the_key_that_is_refused_and_the_secret_that_is_missing(home, ready, conf, server):
    home.conf(conf().replace(ACCESS_KEY, "NEWKEY012345"))
    ready.wait_state("degraded")
    line = one_error(home.client("reload", check=6))
    assert re.search(rf"with the key of {home.path}/clearml\.conf\S*, is not used yet", line)
    home.settings(FAST + SECTION.format(name="one", url=server.url, key=ACCESS_KEY))
    line = one_error(home.client("reload", check=1))
    assert line.startswith("clearconf: workspace one: settings: ")
    assert "one.secret: the file of the secret key is not there" in line


def test_a_reload_names_what_is_broken(home, ready, conf):
    home.settings(FAST + "[pol]\n")
    home.conf(conf("a: {"))
    done = home.client("reload", check=1)
    settings, layer = done.stderr.splitlines()
    assert settings.startswith("clearconf: settings: ") and f"clearconfd.conf:{FAST.count(chr(10)) + 1}:1: " in settings
    assert layer.startswith("clearconf: layer: ") and "/clearml.conf:" in layer
    assert ready.get("a") == 1


def test_a_server_that_refuses_is_six_with_its_words(home, ready, server):
    server.fail("envelope", endpoint="auth.get_credentials", code=400, subcode=100,
                msg="the dog ate it")
    assert "the dog ate it" in one_line(home.client("credentials", check=6))


@pytest.mark.parametrize("command", ["profile", "token", "credentials"])
def test_without_a_server_it_is_six(home, daemon, command):
    home.conf("a: 1")
    daemon.start()
    assert "no server is named: set api.api_server" in one_line(home.client(command, check=6))


@pytest.mark.parametrize("words", [["workspace", "use", "x"], ["reload"], ["token"],
                                   ["credentials", "create"], ["credentials", "revoke", "X"]])
def test_without_the_right_it_is_five(home, strangers, words):
    home.settings("[access]\nread = nobody\n")
    home.conf("a: 1")
    with Daemon(home, "--socket", strangers.socket):
        strangers.socket.chmod(0o666)
        status, output, errors = strangers.client(65533, *words)
    assert (status, output) == (5, "") and "access denied" in errors


def test_every_command_has_help(home):
    listed = re.findall(r"^  ([a-z]+) ", home.client("--help", check=0).stdout, re.M)
    assert {"workspace", "credentials", "profile", "token", "reload", "exec"} <= set(listed)
    for command in listed:
        text = home.client(command, "--help", check=0).stdout
        assert text.split()[:3] == ["Usage:", "clearconf", command]
        assert all(len(line) <= 100 for line in text.splitlines())
