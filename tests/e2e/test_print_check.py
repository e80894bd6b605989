"""clearconfd --print and --check: once, for people, without a socket."""

import json
import os
import subprocess

import checkouts
import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import DAEMON, FAST, ROOT, wait_until

CONF = "k: 1\nsdk { a: x }\n"


# --- --print ---


def test_print_without_a_server_is_the_file(home):
    home.conf(CONF)
    done = home.daemon("--print")
    assert (done.returncode, json.loads(done.stdout), done.stderr) \
        == (0, {"k": 1, "sdk": {"a": "x"}}, "")


def test_print_of_nothing_is_the_empty_object_and_says_where_it_looked(home):
    assert home.resolve() == {}
    for option in ("--print", "--check"):
        done = home.daemon(option)
        assert done.returncode == 0
        [line] = [x for x in (done.stdout + done.stderr).splitlines() if "nothing is configured" in x]
        assert f"the user instance reads {home.path}/trains.conf (missing), " in line
        assert f"{home.path}/clearml.conf (missing); --system reads /etc/clearconf/" in line
    home.settings(f"[local]\nfiles = {home.path}\n")
    assert f"reads {home.path} (missing); --system" in home.daemon("--check").stdout  # it is a folder
    home.settings("")
    home.conf("a: 1")
    for option in ("--print", "--check"):
        done = home.daemon(option)
        assert "nothing is configured" not in done.stdout + done.stderr


def test_root_in_an_empty_world_is_told_whose_files_are_read(home):
    if os.path.exists("/etc/clearconf"):
        pytest.skip("this host is configured")
    for option in ("--print", "--check"):
        done = subprocess.run([DAEMON, "--system", option, "--state", home.path / "state"], env=home.env,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0
        assert ("nothing is configured: the system instance reads /etc/clearconf/clearml.conf (missing); "
                "--user reads ~/clearml.conf") in done.stdout + done.stderr


def test_print_has_the_vaults(home, conf, server):
    server.state.set_vaults(["k: 2", "sdk.b: y"])
    home.conf(conf(CONF))
    tree = home.resolve()
    assert tree["k"] == 2 and tree["sdk"] == {"a": "x", "b": "y"}


def test_print_leaves_no_trace(home):
    home.conf(CONF)
    home.resolve()
    assert not home.socket.exists()
    assert not (home.path / "state" / "clearconf" / "generation").exists()


def test_print_works_beside_a_daemon(home, daemon):
    home.conf(CONF)
    daemon.start()
    before = daemon.call("Get")["generation"]
    assert home.resolve() == daemon.get()
    assert daemon.call("Get")["generation"] == before


def test_print_goes_on_with_a_warning_when_the_server_fails(home, conf, server):
    server.fail("page", status=500)
    home.conf(conf(CONF))
    done = home.daemon("--print")
    assert done.returncode == 0 and json.loads(done.stdout)["k"] == 1
    assert "warning" in done.stderr and "500" in done.stderr
    assert SECRET_KEY not in done.stderr


def test_print_waits_no_longer_than_the_timeout(home, conf, server):
    server.fail("hang")
    home.settings(FAST.replace("10s", "300ms"))
    home.conf(conf(CONF))
    done = home.daemon("--print")
    assert done.returncode == 0 and "warning" in done.stderr


def test_print_offline_does_not_ask(home, conf, server):
    server.state.set_vaults(["k: 2"])
    home.conf(conf(CONF))
    assert home.resolve("--offline")["k"] == 1
    assert server.count() == 0


def test_print_of_a_broken_file_fails_with_the_place(home):
    path = home.conf("a: 1\nb: x@y\n")
    done = home.daemon("--print")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{path}:2:5: " in done.stderr


def test_print_of_broken_settings_fails_with_the_place(home):
    path = home.settings("[poll]\nnonsense = 1\n")
    done = home.daemon("--print")
    assert (done.returncode, done.stdout) == (1, "") and f"{path}:2" in done.stderr


def test_print_warns_of_a_broken_vault_and_goes_on(home, conf, server):
    server.state.set_vaults([{"description": "team", "data": "a = 1\nb = x@y"}, "k: 2"])
    home.conf(conf(CONF))
    done = home.daemon("--print")
    assert done.returncode == 0
    tree = json.loads(done.stdout)
    assert tree["k"] == 2 and "a" not in tree
    assert "team" in done.stderr and ":2:6: " in done.stderr


def test_print_of_a_named_workspace(home, server):
    server.state.set_vaults(["team: red"])
    blue = server.state.add_credentials(company=server.state.add_company("blue"))
    server.state.set_vaults(["team: blue"], company="blue")
    home.write("config/clearconf/red", SECRET_KEY)
    home.write("config/clearconf/blue", blue["secret_key"])
    home.settings("".join(
        f"[workspace {name}]\napi_server = {server.url}\naccess_key = {key}\n"
        f"secret_key_file = {name}\n"
        for name, key in (("red", ACCESS_KEY), ("blue", blue["access_key"]))))
    assert home.resolve()["team"] == "red"
    assert home.resolve("--workspace", "blue")["team"] == "blue"
    assert home.daemon("--print", "--workspace", "none").returncode == 1


def test_print_in_hocon_reads_back(home):
    home.conf(CONF + 'list: [1, "x y"], "a.b": 2, text: "quote \\" and # hash"')
    before = home.resolve()
    text = home.daemon("--print", "--format", "hocon")
    assert text.returncode == 0
    first, _, rest = text.stdout.partition("\n")
    assert first.startswith("# written by clearconf")
    home.conf(rest)
    assert home.resolve() == before


def test_print_refuses_a_format_it_does_not_know(home):
    assert home.daemon("--print", "--format", "xml").returncode in (1, 2)


# --- --check ---


def check(home, *arguments, status):
    done = home.daemon("--check", *arguments)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_check_of_what_is_fine_says_nothing(home):
    home.conf(CONF)
    home.settings("[poll]\ninterval = 1s\n")
    assert check(home, status=0) == ""


def test_check_points_at_the_place_with_a_caret(home):
    path = home.conf("a: 1\n  b: x@y # why\n")
    shown = check(home, status=1).splitlines()
    at = next(i for i, line in enumerate(shown) if line.startswith(f"{path}:2:7: "))
    assert shown[at + 1].endswith("  b: x@y # why")
    assert shown[at + 2].index("^") == shown[at + 1].index("@")


def test_the_caret_stands_under_the_character_also_behind_tabs_and_accents(home):
    home.conf("\té: x@y\n")
    shown = check(home, status=1).splitlines()
    source = next(i for i, line in enumerate(shown) if "x@y" in line and not line.startswith("/"))
    line, caret = shown[source], shown[source + 1]
    assert caret.expandtabs().index("^") == line.expandtabs().index("@")


def test_check_finds_broken_settings(home):
    path = home.settings("[poll]\n  interval = 1s\n")
    home.conf(CONF)
    shown = check(home, status=1)
    assert f"{path}:2" in shown and "indented" in shown


def test_check_finds_every_problem(home):
    settings = home.settings("[poll]\nnonsense = 1\n")
    one, two = home.write("trains.conf", "a: x@y"), home.conf("b {")
    shown = check(home, status=1)
    for path in (settings, one, two):
        assert str(path) in shown


def test_check_finds_every_substitution_of_nothing(home):
    path = home.conf("a = ${one}\nb = ${?no}\nc { d = [1, ${two.x} y] }\n"
                     "d = ${a}\ne = x${one}\n")
    shown = check(home, path, status=1)
    for place, name in (("1:5", "one"), ("3:13", "two.x"), ("5:6", "one")):
        assert f"{path}:{place}: ${{{name}}} is not defined" in shown
    assert shown.count("not defined") == 3


def test_no_message_has_a_name_that_may_be_part_of_a_secret(home):
    path = home.conf("password = abc${def}ghi\nlist = [{ token = ${jkl} }]\n"
                     "plain = ${mno}\n")
    shown = check(home, path, status=1)
    said = [line for line in shown.splitlines() if line.startswith(str(path))]
    assert len(said) == 3 and "${mno}" in said[2]
    assert not any(part in line for line in said for part in ("def}", "jkl"))


@pytest.mark.parametrize("text, place, advice", [
    ("a = $HOME/x\n", "1:5", "${NAME}"),
    ("a = ${NOWHERE:-d}\n", "1:5", "twice"),
    ('a = "${SECRET}"\n', "1:5: warning", "in quotes this is text")])
def test_check_says_the_hocon_way_of_what_the_shell_does(home, text, place, advice):
    path = home.conf(text)
    shown = check(home, path, status=int("warning" not in place))
    assert f"{path}:{place}: " in shown and advice in shown


def test_check_of_named_files_looks_at_each_alone(home):
    home.conf("this { is broken")
    good = home.write("good.conf", CONF)
    bad, worse = home.write("bad.conf", "a: x@y"), home.write("worse.json", "{,}")
    assert check(home, good, status=0) == ""
    shown = check(home, bad, good, worse, status=1)
    assert f"{bad}:1:5" in shown and f"{worse}:1:" in shown and "clearml.conf" not in shown


def test_check_reads_a_name_relative_to_where_it_is_run(home):
    home.write("cwd/here.conf", "a: x@y")
    assert "here.conf:1:5" in check(home, "here.conf", status=1)


def test_check_of_a_named_file_that_is_not_there_fails(home):
    assert "none.conf" in check(home, home.path / "none.conf", status=1)


def test_warnings_alone_are_no_failure(home):
    home.conf('path: "a\\/b"\n')
    shown = check(home, status=0)
    assert "clearml.conf:1:" in shown and "warning" in shown


# What a text means to ClearML and what the specification says of it differ: the
# text, the place with the caret, and words of the warning.
DIFFERENCES = {
    "tab in quotes": ('a = 1\nb = "x\ty"\n', "2:7", "tab"),
    "empty text in a list": ('a = [1, "", 2]\n', "1:9", "empty strings"),
    "escape kept raw": ('é = 1\na = "x\\u00e9"\n', "2:7", "escape"),
    "number printed anew": ("a = ${n}/1.10\nb = 1.10 ${n}\nn = 1\n", "2:5", "anew"),
    "word printed anew": ("a = true story\n", "1:5", "anew"),
    "duration at the end": ("a = 5s\nttl = 10s", "2:7", "duration"),
    "yaml taken for hocon": ("sdk:\n  a: x\n", "2:3", "YAML"),
    "number too large": ("a = 1e400\n", "1:5", "infinity"),
    "null in a list in a list": ("a = [[null]]\n", "1:7", "internal object"),
    "nothing in a list": ("a = [1, ${?n}]\n", "1:9", "nothing to substitute"),
    "missing twice": ("a = 1\na = ${?n}\na = ${?m}\n", "3:5", "null"),
    "forgotten": ('p = /a\np = ${p}/b\np = /c\n', "3:5", "forgets"),
    "object over text": ("a = 1\na {b = 2}\n", "2:3", "refuses"),
    "padded path": ("a = ${ b }\nb = 1\n", "1:5", "refuses"),
    "quoted part of a key": ('a."b.c" = 1\n', "1:1", "refuses"),
    "hidden and missing": ("a = ${no}\na = ${b}\nb = 1\n", "1:5", "refuses"),
    "byte order mark": ("\ufeffa = 1\n", "1:1", "refuses"),
}


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_check_warns_where_clearml_and_the_specification_part(home, name):
    text, place, words = DIFFERENCES[name]
    path = home.conf(text)
    shown = check(home, path, status=0).splitlines()
    at = next(i for i, line in enumerate(shown)
              if line.startswith(f"{path}:{place}: warning: "))
    line, column = (int(n) for n in place.split(":"))
    source = text.lstrip("\ufeff").splitlines()[line - 1]
    assert words in shown[at]
    assert shown[at + 1].endswith(source)
    indent = len(shown[at + 1]) - len(source)
    assert shown[at + 2].index("^") == indent + column - 1


# A vault, and words of what is said of it.
VAULTS = {
    "json escapes": ({"format": "json", "data": '{"a": "x\\u00e9"}'}, "reads this vault as"),
    "yaml": ({"format": "yaml", "data": "a:\n  b: 1\n"}, "reads this vault as"),
    "yaml unsaid": ({"data": "a:\n  b: x\n"}, "misread"),
    "unknown": ({"format": "toml", "data": "a = 1\n"}, "format of this vault is not known"),
}


@pytest.mark.parametrize("name", sorted(VAULTS))
def test_check_warns_of_a_vault_that_clearml_reads_otherwise(name, home, conf, server):
    vault, words = VAULTS[name]
    home.conf(conf(CONF))
    server.state.set_vaults([{"description": "team", **vault}])
    shown = check(home, status=0).splitlines()
    at = next(i for i, line in enumerate(shown)
              if line.startswith("vault 'team':1:1: warning: "))
    assert words in shown[at] and shown[at + 2].endswith("| ^")


def test_a_vault_of_a_known_format_that_means_the_same_is_not_warned_of(
        home, conf, server):
    home.conf(conf(CONF))
    server.state.set_vaults([{"format": "json", "data": '{"a": 1}'},
                             {"format": "hocon", "data": "b = 1"},
                             {"format": "", "data": "c = 1"}])
    assert check(home, status=0) == ""


def test_a_broken_vault_of_an_unknown_format_says_so(home, conf, server):
    home.conf(conf(CONF))
    server.state.set_vaults([{"description": "team", "format": "toml",
                              "data": "[a]\nb = 1\n"}])
    assert "its format is not known" in check(home, status=1)


def test_status_says_that_a_format_is_not_known(home, daemon, conf, server):
    home.settings("[poll]\ninterval = 300ms\n")
    home.conf(conf(CONF))
    server.state.set_vaults([{"id": "v", "format": "toml", "data": "a = 1"}])
    daemon.start()
    daemon.wait_value("a", 1)
    assert "format is not known" in daemon.wait_layer("v", state="ok")["error"]
    server.state.set_vaults([{"id": "v", "format": "hocon", "data": "a = 1"}])
    wait_until(lambda: not daemon.layer("v").get("error"), "no error any more")


def test_strict_makes_an_error_of_what_clearml_refuses(home):
    """A scalar that becomes an object: ClearML fails, HOCON gives the object."""
    home.conf("a: 1\na { b: 2 }\n")
    assert home.resolve() == {"a": {"b": 2}}
    assert "warning" in check(home, status=0)
    home.settings("[resolve]\ndialect = strict\n")
    check(home, status=1)
    assert home.daemon("--print").returncode == 1


def test_strict_looks_into_no_lower_layer(home):
    """ClearML resolves each text alone."""
    home.write("trains.conf", "base: 1\n")
    home.conf("a: ${base}\n")
    assert home.resolve() == {"base": 1, "a": 1}
    assert "only a lower layer has" in check(home, status=0)
    home.settings("[resolve]\ndialect = strict\n")
    assert "only a lower layer has" in check(home, status=1)


def test_check_covers_the_vaults(home, conf, server):
    home.conf(conf(CONF))
    server.state.set_vaults(["good: 1", {"description": "team", "data": "a = {"}])
    shown = check(home, status=1)
    assert "vault 'team':1:" in shown and "^" in shown


def test_check_asks_no_server_when_offline(home, conf, server):
    home.conf(conf(CONF))
    check(home, "--offline", status=0)
    assert server.count() == 0


def test_check_suspects_misspelt_keys(home):
    home.conf("agent {\n  worker_nam: x\n}\n")
    shown = check(home, status=0)
    assert "clearml.conf:2:3: warning:" in shown and "worker_name" in shown
    home.conf("agent.worker_id: x\nagnet.worker_id: y\n")
    shown = check(home, status=0)
    assert "clearml.conf:2:1: warning: ClearML knows no key agnet: is agent meant?" in shown


def test_the_known_keys_are_those_of_clearmls_sources():
    sources = [checkouts.require(name) for name in ("SDK", "AGENT")]
    table = ROOT / "daemon/core/read/clearml_keys.py"
    done = subprocess.run(["/usr/bin/python3", table, "--missing", *sources], text=True, timeout=60,
                          stdout=subprocess.PIPE, check=True)
    assert done.stdout.split() == []


def test_check_says_where_a_server_is_no_url(home):
    home.conf("a: 1\napi.api_server: \"localhost:8008\"\n")
    shown = check(home, status=0)
    assert "clearml.conf:2:17: warning: this is no URL" in shown
    home.conf("a: 1\napi.api_server: \"http://localhost:8008\"\n")
    assert "no URL" not in home.daemon("--check", "--offline").stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_check_says_what_may_not_be_read(home):
    home.conf(CONF).chmod(0)
    assert "ermission" in check(home, status=1)
