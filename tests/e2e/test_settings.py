"""clearconfd.conf: what is refused, with file and line; what a reload changes;
what the command line overrides."""

import json
import re
import signal

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import FAST, Daemon, wait_until
from varlink import VarlinkError

# name: (settings, line, words of the reason)
WRONG = {
    "a line of 300 bytes": ("[mask]\nadd = " + "x" * 294 + "\n", 2, "197 bytes"),
    "a comment of 300 bytes": ("[poll]\ninterval = 1s\n;" + "x" * 299 + "\n", 3, "197 bytes"),
    "an indented line": ("[poll]\n  interval = 1s\n", 2, "indented"),
    "a line indented by a tab": ("[poll]\n\tinterval = 1s\n", 2, "indented"),
    "an unknown key": ("[poll]\ntimeout = 1s\nintervall = 1s\n", 3, "intervall"),
    "a key of another section": ("[poll]\nmode = sdk\n", 2, "mode"),
    "an unknown section": ("[poll]\ninterval = 1s\n[polls]\n", 3, "section"),
    "a long section name": ("[workspace " + "x" * 60 + "]\n", 1, "49 bytes"),
    "a key before any section": ("interval = 1s\n", 1, "section"),
    "a line without a value": ("[poll]\ninterval\n", 2, "key = value"),
    "a number without a unit": ("[poll]\ninterval = 60\n", 2, "interval"),
    "an unknown unit": ("[poll]\ninterval = 60 parsecs\n", 2, "interval"),
    "a negative number": ("[limits]\ndepth = -1\n", 2, "depth"),
    "an unknown choice": ("[daemon]\nmode = both\n", 2, "mode"),
    "no boolean": ("[workspace a]\napi_server = http://x\nactive = maybe\n", 3, "active"),
    "a key given twice": ("[poll]\ninterval = 1s\ninterval = 2s\n", 3, "twice"),
    "a workspace given twice": ("[workspace a]\napi_server = http://x\n[workspace a]\n", 3, "twice"),
    "a workspace without a server": ("[poll]\n[workspace a]\naccess_key = k\n", 2, "api_server"),
    "two active workspaces": ("[workspace a]\napi_server = http://x\nactive = yes\n"
                              "[workspace b]\napi_server = http://y\nactive = yes\n", 4, "active"),
    "a pattern that is none": ("[mask]\nadd = ^(a|b)$ (a)\\1\n", 2, "patterns of keys"),
    "invalid UTF-8": (b"[mask]\nadd = \xff\n", 2, "UTF-8"),
    "a NUL": (b"[mask]\nadd = a\0b\n", 2, "control"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings_stop_the_start_with_file_and_line(home, name):
    text, line, word = WRONG[name]
    path = home.settings(text)
    done = home.daemon()
    assert done.returncode == 1
    assert f"{path}:{line}" in done.stderr and word in done.stderr
    assert not home.socket.exists()


def test_settings_named_on_the_command_line_must_be_there(home):
    done = home.daemon("--config", home.path / "none.conf")
    assert done.returncode == 1 and "none.conf" in done.stderr


def test_a_folder_as_settings_is_an_error(home):
    done = home.daemon("--config", home.path)
    assert done.returncode == 1 and str(home.path) in done.stderr


def test_comments_and_windows_line_ends_are_fine(home, daemon):
    home.settings("; a comment\r\n[daemon]\r\nmode = sdk ; another\r\n# a third\r\n")
    daemon.start()
    assert daemon.status()["mode"] == "sdk"


# --- reload ---


def settings_layer(daemon):
    found = [x for x in daemon.layers() if x["layer"] == "settings"]
    return found[0] if found else None


def test_broken_settings_at_a_reload_keep_the_old_and_show(home, daemon):
    path = home.settings("[local]\nfiles = ~/clearml.conf\n")
    home.conf("k: 1")
    home.write("other.conf", "k: 2")
    daemon.start()
    home.settings("[local]\nfiles = ~/other.conf\nnonsense = 1\n")
    daemon.reload()
    assert daemon.get("k") == 1
    layer = settings_layer(daemon)
    assert (layer["source"], layer["line"]) == (str(path), 3)
    assert "nonsense" in layer["error"]
    shown = home.client("status").stdout
    assert "nonsense" in shown and f"{path}:3" in shown
    home.settings("[local]\nfiles = ~/other.conf\n")
    daemon.reload()
    assert daemon.get("k") == 2 and settings_layer(daemon) is None


def test_broken_settings_do_not_keep_layers_from_being_read_again(home, daemon):
    home.settings("[limits]\ndepth = 100\n")
    daemon.start()
    home.settings("[nonsense]\n")
    home.conf("k: 1")
    daemon.reload()
    assert daemon.get("k") == 1


def test_a_reload_takes_other_files(home, daemon):
    home.conf("k: home")
    home.write("other.conf", "k: other")
    daemon.start()
    home.settings("[local]\nfiles = ~/other.conf\n")
    daemon.reload()
    assert daemon.get("k") == "other"
    home.write("other.conf", "k: again")
    daemon.wait_value("k", "again")


def workspace(server, name, more=""):
    return (f"[workspace {name}]\napi_server = {server.url}\naccess_key = {ACCESS_KEY}\n"
            f"secret_key_file = secret\ninject = no\n{more}")


@pytest.fixture
def secret(home):
    return home.write("config/clearconf/secret", SECRET_KEY)


def test_a_reload_takes_a_new_workspace_and_drops_an_old(home, server, daemon, secret):
    server.state.set_vaults(["team: red"])
    home.settings(FAST + workspace(server, "one"))
    daemon.start()
    daemon.wait_value("team", "red", workspace="one")
    generation = daemon.call("Get", workspace="one")["generation"]
    home.settings(FAST + workspace(server, "one") + workspace(server, "two", "active = yes\n"))
    daemon.reload()
    assert daemon.call("Get", workspace="one")["generation"] == generation
    daemon.wait_value("team", "red", workspace="two")
    home.settings(FAST + workspace(server, "two"))
    daemon.reload()
    with pytest.raises(VarlinkError, match="UnknownWorkspace"):
        daemon.get(workspace="one")
    assert daemon.get("team") == "red"


def test_a_watcher_of_a_workspace_that_goes_is_told(home, server, daemon, secret):
    home.settings(FAST + workspace(server, "one") + workspace(server, "two"))
    daemon.start()
    with daemon.connect() as watcher:
        watcher.watch(workspace="two")
        home.settings(FAST + workspace(server, "one"))
        daemon.reload()
        with pytest.raises(VarlinkError, match="UnknownWorkspace"):
            while True:
                watcher.receive()


def test_a_reload_changes_the_interval(home, conf, server, daemon):
    home.settings("[poll]\ninterval = 1h\n")
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    home.settings(FAST)
    daemon.reload()
    server.wait_for("users.get_vaults", 6)
    assert daemon.status()["state"] == "ready"


def test_a_reload_changes_the_limits_of_open_connections(home, daemon):
    home.settings("[limits]\nmessage = 64K\n")
    daemon.start()
    request = b'{"method": "io.clearconf.Get"' + b" " * 4096
    with daemon.connect() as line:
        line.send_raw(request + b"}\0")
        assert line.receive()["value"] == {}
        home.settings("[limits]\nmessage = 4K\n")
        daemon.reload()
        line.send_raw(request)
        with pytest.raises(VarlinkError, match="InvalidParameter"):
            line.receive()
        assert line.is_closed()


def test_what_needs_a_restart_is_said_at_a_reload(home, daemon):
    home.settings("[limits]\nhistory = 10\n")
    daemon.start()
    daemon.reload()
    assert "restart-needed" not in daemon.log()
    home.settings("[limits]\nhistory = 20\n")
    daemon.reload()
    assert "restart-needed" in daemon.log()


def test_the_mode_stays_what_it_was_at_the_start(home, daemon):
    """A mixture would be the configuration of neither mode."""
    home.settings("[daemon]\nmode = sdk\n")
    home.env["CLEARML_AGENT__K"] = "1"
    daemon.env.update(home.env)
    daemon.start()
    home.settings("[daemon]\nmode = agent\n")
    daemon.reload()
    assert "restart-needed" in daemon.log()
    assert daemon.status()["mode"] == "sdk" and daemon.get() == {}
    daemon.stop()
    daemon.start()
    assert daemon.status()["mode"] == "agent" and daemon.get() == {"k": 1}


def test_a_watcher_that_loses_its_right_gets_an_error_and_the_end(strangers, home):
    home.settings("[access]\nread = 65533\n")
    with Daemon(home, "--socket", strangers.socket) as daemon:
        with daemon.connect() as mine:
            mine.watch()
            theirs = strangers.send(65533, "Watch", {}, more=True)
            assert strangers.understand(theirs.stdout.readline())["changes"] == []
            home.settings("[access]\n")
            daemon.reload()
            with pytest.raises(VarlinkError, match="AccessDenied"):
                strangers.understand(theirs.stdout.readline())
            theirs.communicate()
            # Who keeps the right goes on.
            home.conf("k: 1")
            assert mine.changes()["k"][0] == "added"


def test_a_watcher_that_loses_only_secrets_is_not_shown_them_masked_but_ends(strangers, home):
    home.conf("password: first-of-all")
    home.settings("[access]\nread = 65533\nsecrets = 65533\n")
    with Daemon(home, "--socket", strangers.socket) as daemon:
        ask = {"values": True}
        revealed = strangers.send(65533, "Watch", {**ask, "reveal": True}, more=True)
        masked = strangers.send(65533, "Watch", ask, more=True)
        assert "first-of-all" in json.dumps(strangers.understand(revealed.stdout.readline()))
        assert "first-of-all" not in json.dumps(strangers.understand(masked.stdout.readline()))
        home.settings("[access]\nread = 65533\n")
        daemon.reload()
        with pytest.raises(VarlinkError, match="AccessDenied"):
            strangers.understand(revealed.stdout.readline())
        assert not revealed.communicate()[0]
        home.conf("password: second-of-all")
        told = strangers.understand(masked.stdout.readline())
        assert [change["path"] for change in told["changes"]] == ["password"]
        assert "of-all" not in json.dumps(told)
        masked.kill()
        masked.communicate()


def test_a_reload_grants_a_right(strangers, home):
    home.conf("k: 1")
    with Daemon(home, "--socket", strangers.socket) as daemon:
        with pytest.raises(VarlinkError, match="AccessDenied"):
            strangers.call(65533, "Get")
        home.settings("[access]\nread = 65533\n")
        daemon.reload()
        assert strangers.call(65533, "Get")["value"] == {"k": 1}


def test_the_settings_secrets_are_not_logged(home, server, daemon, secret):
    home.settings("[daemon]\nlog_level = debug\n" + FAST + workspace(server, "one"))
    daemon.start()
    daemon.wait_state("ready")
    daemon.reload()
    daemon.stop()
    assert SECRET_KEY not in daemon.log()


def test_a_secret_that_cannot_be_read_is_said_and_comes_later(home, server, daemon):
    server.state.set_vaults(["team: red"])
    home.settings(FAST + workspace(server, "one"))
    home.conf("k: 1")
    daemon.start()
    daemon.wait_state("degraded")
    assert daemon.get("k") == 1
    assert str(home.path / "config/clearconf/secret") in daemon.last_error()
    home.write("config/clearconf/secret", SECRET_KEY)
    daemon.reload()
    daemon.wait_value("team", "red")
    daemon.wait_state("ready")


def test_a_missing_secret_is_not_looked_for_in_the_settings(home, server, daemon):
    """The layer `workspace` has no text yet: that is not the file of its name."""
    home.settings(FAST + workspace(server, "one").replace("inject = no", "inject = yes"))
    daemon.start()
    daemon.wait_state("degraded")
    assert "the file of the secret key is not there" in daemon.last_error()
    [layer] = [x for x in daemon.layers() if x["layer"] == "workspace"]
    assert layer["state"] == "missing" and "error" not in layer
    checked = home.daemon("--check")
    assert "must be an object" not in checked.stdout
    assert "config/clearconf/secret: the file of the secret key is not there" in checked.stdout


@pytest.mark.parametrize("key", ["secret_key_file", "credentials_file"])
def test_a_secret_in_the_place_of_a_files_name_is_told_to_nobody(home, server, daemon, key):
    pasted = "fYc3V9zPqX0mTn7LwRk2BdGh5Js8UeAo1Ci4"
    text = workspace(server, "one").replace("secret_key_file = secret", f"{key} = {pasted}")
    if key == "credentials_file":
        text = re.sub("access_key = .*\n", "", text)
    home.settings(FAST + text)
    daemon.start()
    daemon.wait_state("degraded")
    checked = home.daemon("--check")
    told = daemon.log() + checked.stdout + checked.stderr
    told += "".join(home.client(*words, check=None).stdout for words in (
        ["status"], ["status", "--json"], ["doctor"], ["explain"], ["log"]))
    assert pasted not in told and "looks like the secret itself" in told


def test_secrets_without_read_are_told(home, daemon, server, secret):
    """`secrets` alone gives nothing that is worth having."""
    home.settings(FAST + "[access]\nsecrets = root\n" + workspace(server, "one", "secrets = root\n"))
    home.conf("k: 1")
    path = f"{home.path}/config/clearconf/clearconfd.conf"
    one = FAST.count("\n") + 2
    two = one + 6
    checked = home.daemon("--check")
    assert checked.returncode == 0
    assert f"{path}:{one}:1: warning: `secrets` without `read`" in checked.stdout
    assert f"{path}:{two}:1: warning: `secrets` without `read`" in checked.stdout
    daemon.start()
    told = [x["line"] for x in daemon.layers() if x["layer"] == "settings" and x["state"] == "ok"]
    assert told == [one, two]
    assert daemon.log().count("settings-warning") == 2 and f"line={one}" in daemon.log()
    assert f"clearconfd.conf:{one}:1: `secrets` without" in home.client("status", check=0).stdout
    assert f"at line {one}: `secrets` without" in home.client("doctor").stdout
    home.settings(FAST + "[access]\nread = root\n" + workspace(server, "one", "secrets = root\n"))
    daemon.reload()
    assert not [x for x in daemon.layers() if x["layer"] == "settings"]


def test_names_that_nobody_has_are_told_once_with_their_place(home, daemon, server, secret):
    """As of a file, and not by the log of a daemon that does not run."""
    home.settings(FAST + "[access]\nread = root nobody.of.this.name, group:none.of.it\n" +
                  workspace(server, "one"))
    home.conf("k: 1")
    line = FAST.count("\n") + 2
    place = f"{home.path}/config/clearconf/clearconfd.conf:{line}"
    checked = home.daemon("--check")
    assert checked.returncode == 0 and not checked.stderr
    assert f"{place}:13: warning: there is no nobody.of.this.name: this grants nothing" in checked.stdout
    assert f"{place}:34: warning: there is no group:none.of.it: this grants nothing" in checked.stdout
    daemon.start()
    assert daemon.log().count("nobody.of.this.name") == 1
    assert f"{place}:13: there is no nobody.of.this.name" in home.client("status", check=0).stdout


def test_a_pair_that_cannot_be_read_is_told_with_its_place(home, server):
    home.settings(f"[workspace one]\napi_server = {server.url}\ncredentials_file = pair.conf\n")
    pair = home.write("config/clearconf/pair.conf", "api {\n  credentials {\n    access_key x\n")
    pair.chmod(0o600)
    home.conf("k: 1")
    assert f"workspace one: warning: {pair}:3:5: expected" in home.daemon("--check").stdout


def test_a_report_to_nobody_is_told(home):
    home.settings("[site]\nreport = yes\n")
    home.conf("k: 1")
    assert ":2:1: warning: `report` without `etcd`" in home.daemon("--check").stdout


# --- the command line ---


@pytest.mark.parametrize("options, told", [
    (["--mode", "both"], "--mode: expected agent or sdk"),
    (["--log-level", "loud"], "--log-level: expected error or warning or info or debug"),
    (["--check", "--print"], "--check, --print or --schema: one of them")])
def test_a_wrong_command_line_says_what_is_taken(home, options, told):
    done = home.daemon(*options)
    assert done.returncode == 2 and done.stderr == f"clearconfd: {told} (see clearconfd --help)\n"



def test_socket_and_state_go_where_the_command_line_says(home):
    home.settings(f"[daemon]\nsocket = {home.path}/a/sock\nstate_dir = {home.path}/a/state\n")
    socket, state = home.path / "b" / "sock", home.path / "b" / "state"
    with Daemon(home, "--socket", socket, "--state", state) as daemon:
        assert daemon.get() == {}
        assert socket.is_socket() and (state / "generation").exists()
        assert state.stat().st_mode & 0o777 == 0o700
    assert not (home.path / "a").exists() and not socket.exists()


def test_the_settings_place_socket_and_state(home, daemon):
    home.settings(f"[daemon]\nsocket = {home.path}/a/sock\nstate_dir = {home.path}/a/state\n")
    daemon.socket = home.path / "a" / "sock"
    daemon.start()
    assert (home.path / "a" / "state" / "generation").exists()


def test_the_user_instance_lives_in_the_xdg_folders(home, daemon):
    daemon.start()
    assert home.socket.stat().st_mode & 0o777 == 0o666
    assert home.socket.parent.stat().st_mode & 0o777 == 0o755
    assert (home.path / "state" / "clearconf" / "generation").exists()
    assert daemon.status()["instance"] == "user"


def test_no_runtime_folder(home):
    """The socket is private, in the state folder. (A short name: it is in the socket's path.)"""
    del home.env["XDG_RUNTIME_DIR"]
    daemon = Daemon(home)
    daemon.socket = home.path / "state" / "clearconf" / "clearconf.sock"
    with daemon:
        assert daemon.socket.parent.stat().st_mode & 0o777 == 0o700
        home.client("get", check=0)


def test_the_mode_of_the_command_line_wins(home):
    home.settings("[daemon]\nmode = agent\n")
    with Daemon(home, "--mode", "sdk") as daemon:
        assert daemon.status()["mode"] == "sdk"
        daemon.reload()
        assert daemon.status()["mode"] == "sdk"


def test_the_workspace_of_the_command_line_is_active_at_first(home, server, secret):
    home.settings(FAST + workspace(server, "one", "active = yes\n") + workspace(server, "two"))
    with Daemon(home, "--workspace", "two") as daemon:
        assert daemon.workspace()["name"] == "two"
    with Daemon(home) as daemon:
        assert daemon.workspace()["name"] == "one"


@pytest.mark.parametrize("arguments", [["--workspace", "none"], ["--mode", "both"],
                                       ["--log-level", "loud"], ["--nonsense"], ["word"]],
                         ids=" ".join)
def test_a_wrong_command_line_is_refused(home, arguments):
    done = home.daemon(*arguments)
    assert done.returncode in (1, 2) and "clearconfd:" in done.stderr
    assert not home.socket.exists()


def test_version_and_help_are_for_people(home):
    assert home.daemon("--version").stdout.startswith("clearconfd ")
    assert "--offline" in home.daemon("--help").stdout


# --- generations ---


def test_generations_grow_over_restarts_and_a_kill(home, daemon):
    home.conf("k: 1")
    seen = []
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        daemon.start()
        seen.append(daemon.call("Get")["generation"])
        daemon.stop(number)
    assert seen == sorted(set(seen))


def test_without_a_state_folder_generations_start_at_the_clock(home):
    home.write("state/clearconf", "a file in the folder's place")
    with Daemon(home) as daemon:
        assert daemon.call("Get")["generation"] > 1_600_000_000_000


def test_the_start_is_logged_with_the_places(home, daemon):
    home.conf("a: 1")
    daemon.start()
    path = home.path / "config/clearconf/clearconfd.conf"
    assert f'settings="{path} (missing)"' in daemon.log()
    daemon.stop()
    daemon.log_path.unlink()
    home.settings(FAST)
    daemon.start()
    [line] = [x for x in daemon.log().splitlines() if "event=started" in x]
    assert f" socket={home.socket} settings={path} " in line
    assert f'files="{home.path}/trains.conf (missing), {home.path}/clearml.conf"' in line


def test_a_secret_may_lie_below_the_home(home, server, daemon):
    home.settings(FAST + workspace(server, "one").replace("secret_key_file = secret", "secret_key_file = ~/keys/one"))
    home.write("keys/one", SECRET_KEY).chmod(0o600)
    daemon.start()
    daemon.wait_state("ready")
    home.settings(FAST + workspace(server, "one").replace("secret_key_file = secret", "secret_key_file = ~/none"))
    daemon.reload()
    wait_until(lambda: f"{home.path}/none: the file of the secret key is not there" in (daemon.last_error() or ""),
               "the file that is missing")
