"""What a ClearML program is given as its whole file: Get's `view`."""

import socket
import subprocess

import pytest
from harness import CLIENT, FAST, wait_until
from varlink import VarlinkError

KEYS = "credentials.access_key: theirs, credentials.secret_key: theirs-secret-1"


@pytest.fixture
def serving(home, server, daemon, conf):
    """serving(vault, local..., settings...): the daemon, once it has the vault."""
    def start(vault, local="", more=""):
        home.settings(FAST + more)
        home.conf(conf(local))
        server.state.set_vaults([vault, "last: 1"])
        daemon.start()
        daemon.wait_value("last", 1)
        return daemon
    return start


@pytest.fixture
def listener():
    """Where a vault would like to have the keys sent."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        yield other


def nobody_came(listener):
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_keys_stay_with_the_configured_host(serving, server, listener):
    other = "http://127.0.0.1:%d" % listener.getsockname()[1]
    daemon = serving(f'api {{ api_server: "{other}", host: "{other}", {KEYS}, new: 1 }}')
    assert daemon.get("api.api_server") == other  # the resolved tree is ClearML's own
    assert daemon.get("api.api_server", view="served") == other
    for environment in ({}, {"environment": {}}):
        api = daemon.get("api", view="merged", **environment)
        assert api["api_server"] == server.url and "host" not in api and api["new"] == 1
        assert "theirs" not in str(api)
        assert "new" not in daemon.get("api", view="live", **environment)
    nobody_came(listener)


def test_a_variable_of_the_callers_holds(serving):
    daemon = serving("api.api_server: theirs")
    api = daemon.get("api", view="merged", environment={"CLEARML_API_HOST": "http://mine"})
    assert api["api_server"] == "http://mine"
    assert "last" not in daemon.get(view="live", environment={"CLEARML_API_HOST": "http://mine"})


def test_the_agents_own_keys_are_its_own(serving):
    """Nothing below has them: two agents of one name would be one too many."""
    vault = 'agent { worker_id: "fixed-id", default_python: "3.6", other: 1 }'
    daemon = serving(vault)
    assert daemon.get("agent")["worker_id"] == "fixed-id"
    assert daemon.get("agent", view="merged") == {"other": 1}
    with pytest.raises(VarlinkError, match="PathNotFound"):
        daemon.get("agent.worker_id", view="merged")


def test_settings_lock_more_without_a_restart(serving, home):
    daemon = serving("sdk { a: theirs, b: theirs }", "sdk { a: mine, b: mine }")
    assert daemon.get("sdk", view="merged") == {"a": "theirs", "b": "theirs"}
    home.settings(FAST + "[lock]\nkeys = sdk.a\n")
    daemon.reload()
    wait_until(lambda: daemon.get("sdk", view="merged") == {"a": "mine", "b": "theirs"}, "the lock")
    assert daemon.get("sdk") == {"a": "theirs", "b": "theirs"}


def test_a_lock_that_is_no_path_is_told_with_its_place(home):
    settings = home.settings("[lock]\nkeys = sdk.a\nkeys = sdk..b\n")
    found = home.daemon("--check")
    assert found.returncode == 1
    assert f"{settings}:3:8: keys: expected paths of keys" in found.stdout


def test_status_warns_of_the_vault(serving, home):
    vault = 'x: 1\napi {\n  host: "http://them"\n  credentials.access_key: k\n}'
    daemon = serving({"id": "theirs", "data": vault})
    layer = daemon.layer("theirs")
    assert layer["state"] == "ok" and (layer["line"], layer["column"]) == (3, 9)
    assert layer["error"] == ("sets api.host at 3:9, api.credentials at 4:27, which is locked: "
                              "exec and dumps keep what lies below the vaults")
    assert [layer["source"] for layer in daemon.layers() if "error" in layer] == ["theirs"]
    assert ":3:9: sets api.host" in home.client("status", check=0).stdout
    daemon.wait_state("ready")


def test_check_points_at_what_a_vault_sets_in_vain(serving, home):
    serving({"description": "theirs", "data": 'x: 1\napi.host: "theirs-host"'}).stop()
    found = home.daemon("--check")
    assert found.returncode == 0, found.stdout
    assert ("vault 'theirs':2:11: warning: api.host is locked: exec and dumps keep what lies below the "
            "vaults\n") in found.stdout


def test_explain_tells_what_programs_get(serving, server, home):
    daemon = serving("api.api_server: \"http://theirs\"\nagent.worker_id: theirs")
    leaf, = daemon.call("Explain", path="api.api_server")["leaves"]
    assert leaf["note"] == (f'api.api_server is locked: exec and dumps get "{server.url}" of file '
                            f'{home.path}/clearml.conf:1:19')
    leaf, = daemon.call("Explain", path="agent.worker_id")["leaves"]
    assert leaf["note"] == "agent.worker_id is locked: exec and dumps leave this out"


def test_a_new_vault_is_in_the_next_answer(serving, server):
    daemon = serving("api.host: theirs\nx: 1")
    assert daemon.get("x", view="merged") == 1
    server.state.set_vaults(["api.host: theirs\nx: 2", "last: 2"])
    daemon.wait_value("last", 2)
    assert daemon.get("x", view="merged") == 2
    assert daemon.get("x", view="served") == 2


def test_masks_are_the_same(serving):
    daemon = serving('api.host: theirs\nteam.password: "theirs-secret-2"',
                     'mine.password: "mine-secret-2"')
    for view in ("merged", "live"):
        tree = daemon.get(view=view, mask=True)
        assert tree["mine"] == {"password": "****"}
        assert "secret-2" not in str(tree)


# --- per caller ---

LACKING = 'x: 1\nout: "s3://"${TEAM}"/out"\n'


@pytest.fixture
def lacking(home, daemon):
    """A daemon whose file needs a variable that only callers have."""
    home.conf(LACKING)
    daemon.start()
    return daemon


def broken(daemon, **parameters):
    """What the refusal of a Get says."""
    with pytest.raises(VarlinkError) as caught:
        daemon.get(**parameters)
    assert caught.value.name == "io.clearconf.BrokenConfiguration"
    return caught.value.parameters


def test_a_callers_variable_repairs_the_file(lacking, home):
    assert lacking.get() == {}
    for view in ("served", "merged", "live"):
        tree = lacking.get(view=view, environment={"TEAM": "blue"})
        assert tree == {"x": 1, "out": "s3://blue/out"}
    home.env["TEAM"] = "blue"
    assert home.client("get", "--env", "out", check=0).stdout == "s3://blue/out\n"


def test_what_is_broken_for_all_is_not_given_to_programs(lacking, home):
    assert lacking.get(view="served") == {}  # status says what is broken
    place = {"source": f"{home.path}/clearml.conf", "line": 2, "column": 13}
    for parameters in ({"environment": {}}, {"view": "merged"}, {"view": "live"},
                       {"view": "live", "environment": {"OTHER": "x"}}):
        told = broken(lacking, **parameters)
        assert {name: told[name] for name in place} == place and "TEAM" in told["reason"]
    home.conf("x: 2")
    lacking.wait_value("x", 2)
    assert lacking.get(view="live") == {"x": 2}


def test_a_vault_that_is_broken_for_a_caller_is_left_out(home, conf, daemon, server):
    """As ClearML goes on without it: exec runs, and says so."""
    server.state.set_vaults(['x: 2\nout: "s3://"${TEAM}"/out"', "y: 3"])
    home.settings(FAST)
    home.conf(conf("x: 1"))
    daemon.env["TEAM"] = "red"
    daemon.start()
    daemon.wait_value("out", "s3://red/out")
    answer = daemon.call("Get", environment={}, view="merged")
    assert answer["value"]["x"] == 1 and answer["value"]["y"] == 3 and "out" not in answer["value"]
    [why] = answer["left_out"]
    assert "line 2, column 13" in why and "TEAM" in why
    assert "left_out" not in daemon.call("Get", environment={"TEAM": "blue"})
    for vaults in ("live", "merged"):
        done = home.client("exec", "--vaults", vaults, "--", "true", check=0)
        assert done.stderr.count("is left out") == 1
    done = home.client("get", "--env", "x", check=0)
    assert done.stdout == "1\n" and "is left out" in done.stderr


@pytest.mark.parametrize("text", ["x: {", "x: ${TEAM}"])
def test_a_vault_that_never_was_good_is_left_out_and_told(home, conf, daemon, server, text):
    """What a program is not given, whoever runs it gets to know."""
    server.state.set_vaults([text, "y: 3"])
    home.settings(FAST)
    home.conf(conf("x: 1"))
    daemon.start()
    daemon.wait_value("y", 3)
    for command in (["exec", "--", "true"], ["get", "--env", "x"]):
        assert home.client(*command, check=0).stderr.count("is left out: line 1, column") == 1
    server.state.set_vaults(["x: 2", "y: 4"])
    daemon.wait_value("y", 4)
    server.state.set_vaults([text, "y: 5"])
    daemon.wait_value("y", 5)
    assert home.client("get", "--env", "x", check=0).stdout == "2\n"  # its last good text


def test_the_newest_text_is_the_callers_if_it_is_good_for_him(home, daemon):
    home.conf("x: 0\nold: 1")
    daemon.start()
    daemon.wait_value("x", 0)
    home.conf(LACKING)
    daemon.wait_layer("clearml.conf", "broken")
    assert daemon.get(environment={"TEAM": "blue"}) == {"x": 1, "out": "s3://blue/out"}
    assert daemon.get(environment={}) == daemon.get(view="live") == {"x": 0, "old": 1}


def test_a_vault_that_lacks_a_variable_is_a_callers_who_has_it(serving, server, daemon):
    serving("x: 1")
    server.state.set_vaults(["team: ${TEAM}\n", "last: 2\ncopy: ${mine}"])
    wait_until(lambda: sum(layer["state"] == "broken" for layer in daemon.layers()) == 2,
               "two broken vaults")
    assert "team" not in daemon.get(environment={}) and "team" not in daemon.get(view="merged")
    tree = daemon.get(environment={"TEAM": "blue", "CLEARML_AGENT__MINE": "{a: b}"})
    assert tree["team"] == "blue" and tree["copy"] == tree["mine"] == {"a": "b"}


def test_a_text_that_only_a_caller_can_read_is_masked_all_the_same(home, daemon, strangers):
    home.settings(f"[daemon]\nsocket = {strangers.socket}\n[access]\nread = 65533\n")
    home.conf('x: ${TEAM}\nteam.password: "only-theirs-1"\nnote: "it is only-theirs-1"')
    daemon.socket = strangers.socket
    daemon.start()
    tree = strangers.call(65533, "Get", environment={"TEAM": "blue"})["value"]
    assert tree == {"x": "blue", "team": {"password": "****"}, "note": "it is ****"}
    seen = {"TEAM": "blue", "CLEARML_AGENT__SEEN": "${note}", "CLEARML_AGENT__B": "${x}"}
    assert "only-theirs-1" not in str(strangers.call(65533, "Get", environment=seen))


# --- who follows a view ---


def test_a_change_that_a_vault_overrules_is_told_to_who_watches_documents(serving, server, home,
                                                                          conf):
    daemon = serving("api.host: theirs\nx: 1", "x: 0")
    with daemon.connect() as plain, daemon.connect() as line:
        plain.watch()
        generation = line.watch(documents=True)["generation"]
        home.conf(conf("x: 7"))
        reply = line.receive()
        assert (reply["generation"], reply["changes"]) == (generation, [])
        assert daemon.get("x", view="live") == 7 and daemon.get("x") == 1
        home.conf(conf("x: 7\ny: 1"))
        assert [change["path"] for change in plain.receive()["changes"]] == ["y"]
        assert [change["path"] for change in line.receive()["changes"]] == ["y"]


def test_a_change_of_what_only_a_caller_can_read_is_told(lacking, home):
    with lacking.connect() as line:
        line.watch(documents=True)
        home.conf(LACKING.replace("x: 1", "x: 2"))
        assert line.receive()["changes"] == []
        assert lacking.get("x", environment={"TEAM": "blue"}) == 2


SHOW = ["sh", "-c", 'cat "$CLEARML_CONFIG_FILE"']


def test_exec_does_not_run_with_a_part_for_the_whole(lacking, home):
    done = home.client("exec", "--", *SHOW, check=125)
    assert done.stdout == "" and f"{home.path}/clearml.conf:2:13: " in done.stderr
    home.env["TEAM"] = "blue"
    assert "s3://blue/out" in home.client("exec", "--", *SHOW, check=0).stdout


def test_exec_is_told_of_what_only_its_environment_can_read(lacking, home):
    home.env["TEAM"] = "blue"
    command = [CLIENT, "exec", "--on-change", "restart", "--", "sh", "-c",
               'cat "$CLEARML_CONFIG_FILE"; echo shown; sleep 100']
    with subprocess.Popen(command, env=home.env, stdout=subprocess.PIPE, text=True) as running:
        def shown():
            return list(iter(running.stdout.readline, "shown\n"))
        try:
            assert "x = 1\n" in shown()
            home.conf(LACKING.replace("x: 1", "x: 2"))
            assert "x = 2\n" in shown()
        finally:
            running.terminate()


def test_a_dump_stays_when_there_is_a_part_for_the_whole(lacking, home):
    kept = home.write("kept.conf", "good\n")
    done = home.client("dump", "--env", "--output", kept, "--format", "hocon", check=1)
    assert f"{home.path}/clearml.conf:2:13: " in done.stderr
    assert kept.read_text() == "good\n"


@pytest.mark.parametrize("view", ["", "Merged", 1, ["merged"], {}])
def test_another_view_is_refused(serving, view):
    daemon = serving("x: 1")
    with pytest.raises(VarlinkError, match="InvalidParameter.*view"):
        daemon.get(view=view)
