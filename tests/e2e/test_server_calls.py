"""Calls that go to the ClearML server: profile, credentials, tokens, reload."""

import base64
import json

import pytest
from clearml_server import ACCESS_KEY, COMPANY_ID, SECRET_KEY, USER_ID
from harness import FAST, Daemon, Held, wait_until
from varlink import VarlinkError


@pytest.fixture
def ready(home, conf, daemon):
    home.settings(FAST)
    home.conf(conf("a: 1"))
    daemon.start()
    daemon.wait_state("ready")
    return daemon


def refusal(call, *arguments, **parameters):
    with pytest.raises(VarlinkError) as caught:
        call(*arguments, **parameters)
    return caught.value


def test_the_profile_says_who_we_are(ready, server):
    server.state.users[USER_ID].preferences = {"theme": "dark", "git_pass": "hush-hush-hush"}
    profile = ready.call("GetProfile")
    assert profile["user"]["id"] == USER_ID
    assert profile["workspace"]["name"] == "default"
    assert profile["workspace"]["api_server"] == server.url
    assert profile["workspace"]["company"]["id"] == COMPANY_ID
    assert [each["id"] for each in profile["workspace"]["companies"]] == [COMPANY_ID]
    assert profile["preferences"] == {"theme": "dark", "git_pass": "hush-hush-hush"}


def test_credentials_of_all_workspaces_are_listed(ready, server):
    other = server.state.add_company("other")
    server.state.users[USER_ID].tenants.append(other)
    server.state.add_credentials(access_key="OTHERKEY", secret_key="secret-of-the-other-company", company=other,
                                 label="laptop")
    listed = {each["access_key"]: each for each in ready.call("ListCredentials")["credentials"]}
    ours, theirs = listed[ACCESS_KEY], listed["OTHERKEY"]
    assert ours["current"] and ours["company_id"] == COMPANY_ID
    assert ours["last_used"] > 1_700_000_000 and ours["last_used_from"]
    assert not theirs["current"] and theirs["company_id"] == other
    assert theirs["label"] == "laptop" and "last_used" not in theirs


def test_a_made_key_pair_logs_in_and_can_be_revoked(ready, server):
    made = ready.call("CreateCredentials", label="made here")
    assert made["label"] == "made here" and len(made["secret_key"]) > 20
    assert server.requests("auth.create_credentials")[0].method == "POST"
    assert made["access_key"] in [x["access_key"]
                                  for x in ready.call("ListCredentials")["credentials"]]
    assert ready.call("RevokeCredentials", access_key=made["access_key"]) == {"revoked": True}
    again = refusal(ready.call, "RevokeCredentials", access_key=made["access_key"])
    assert again.name == "io.clearconf.ServerError"
    assert again.parameters["endpoint"] == "auth.revoke_credentials"
    assert (again.parameters["status"], again.parameters["subcode"]) == (400, 300)


def test_our_own_key_is_revoked_only_with_force(ready, server):
    error = refusal(ready.call, "RevokeCredentials", access_key=ACCESS_KEY)
    assert error.name == "org.varlink.service.InvalidParameter"
    assert error.parameters == {"parameter": "force"}
    assert server.count("auth.revoke_credentials") == 0
    assert ready.call("RevokeCredentials", access_key=ACCESS_KEY, force=True) == {"revoked": True}


def test_a_failed_creation_is_not_tried_again(ready, server):
    server.fail("page", endpoint="auth.create_credentials", status=502)
    error = refusal(ready.call, "CreateCredentials")
    assert error.name == "io.clearconf.ServerError" and error.parameters["status"] == 502
    assert server.count("auth.create_credentials") == 1


def test_a_token_is_minted_and_is_not_the_sessions(ready, server):
    minted = ready.call("GetToken", lifetime=120)
    claims = json.loads(base64.urlsafe_b64decode(minted["token"].split(".")[1] + "=="))
    assert minted["expires_at"] == claims["exp"] and claims["exp"] - claims["iat"] == 120
    assert minted["api_server"] == server.url
    assert ready.call("GetToken")["token"] != minted["token"]
    used = {x.header("Authorization") for x in server.requests("users.get_vaults")}
    assert f"Bearer {minted['token']}" not in used
    for lifetime in (-1, 0, 59, 31536001):
        assert refusal(ready.call, "GetToken", lifetime=lifetime).parameters == {
            "parameter": "lifetime"}


def test_without_a_server_they_are_not_ready(home, daemon):
    home.conf("a: 1")
    daemon.start()
    error = refusal(daemon.call, "GetProfile")
    assert error.name == "io.clearconf.NotReady" and "no server" in error.parameters["reason"]
    assert daemon.call("Reload")["changed"] is False


def test_a_silent_server_is_given_up_and_the_connection_goes_on(home, conf, daemon, server):
    home.settings(FAST.replace("timeout = 10s", "timeout = 300ms"))
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    with Held(server, "users.get_current_user"):
        with daemon.connect() as connection:
            connection.send("io.clearconf.GetProfile")
            connection.send("io.clearconf.Get", {"path": "api.api_server"})
            with pytest.raises(VarlinkError) as caught:
                connection.receive()
            assert caught.value.name == "io.clearconf.ServerError"
            assert caught.value.parameters["status"] == 0
            assert connection.receive()["value"] == server.url


def test_calls_behind_one_wait_and_others_do_not(ready, server):
    with Held(server, "users.get_current_user") as held:
        with ready.connect() as connection:
            connection.send("io.clearconf.GetProfile")
            connection.send("io.clearconf.Get", {"path": "a"})
            assert ready.get("a") == 1
            held.let_go()
            assert connection.receive()["user"]["id"] == USER_ID
            assert connection.receive()["value"] == 1


def test_who_leaves_cancels_the_call(ready, server):
    before = ready.descriptors()
    with Held(server, "users.get_current_user"):
        with ready.connect() as connection:
            connection.send("io.clearconf.GetProfile")
            wait_until(lambda: server.count("users.get_current_user") > 0, "the question")
        wait_until(lambda: ready.status()["connections"] == 1, "the end of it")
    assert ready.get("a") == 1
    wait_until(lambda: ready.descriptors() <= before, "no descriptor more")


def test_one_user_has_a_few_at_work(ready, server):
    with Held(server, "users.get_current_user"):
        many = [ready.connect() for _ in range(9)]
        for connection in many:
            connection.send("io.clearconf.GetProfile")
        error = refusal(many[8].receive)
        assert error.name == "io.clearconf.QuotaExceeded" and error.parameters["limit"] == 8
        for connection in many:
            connection.close()


def test_stopping_answers_who_waits(ready, server):
    with Held(server, "users.get_current_user"):
        with ready.connect() as connection:
            connection.send("io.clearconf.GetProfile")
            wait_until(lambda: server.count("users.get_current_user") > 0, "the question")
            assert ready.stop() == 0
            error = refusal(connection.receive)
            assert error.name == "io.clearconf.NotReady"


def test_a_reload_answers_when_files_and_vaults_are_in(home, conf, daemon, server):
    home.settings(FAST.replace("150ms", "1h"))
    home.conf(conf("a: 1"))
    daemon.start()
    daemon.wait_state("ready")
    before = daemon.call("Get")["generation"]
    server.state.set_vaults([{"data": "b: 2"}])
    answer = daemon.call("Reload")
    assert answer["changed"] and answer["generation"] > before
    assert daemon.get("b") == 2
    assert daemon.call("Reload") == {"generation": answer["generation"], "changed": False}


def test_a_reload_does_not_take_the_answer_of_an_older_question(home, conf, daemon, server):
    home.settings(FAST.replace("150ms", "1h"))
    home.conf(conf("a: 1"))
    daemon.start()
    daemon.wait_state("ready")
    with Held(server, "users.get_vaults") as held, daemon.connect() as connection:
        asked = server.count("users.get_vaults")
        connection.send("io.clearconf.Reload")
        wait_until(lambda: server.count("users.get_vaults") > asked, "the question")
        with daemon.connect() as other:
            other.send("io.clearconf.Reload")
            wait_until(lambda: daemon.reloads() == 2, "the second reload")
            held.let_go()
            assert connection.receive()["changed"] is False
            other.receive()
    assert server.count("users.get_vaults") >= asked + 4


def test_without_vaults_the_profile_is_there_all_the_same(home, conf, server):
    """The variable switches vaults off, not the login."""
    server.state.set_vaults([{"data": "team: 1"}])
    home.settings(FAST)
    home.conf(conf("a: 1"))
    with Daemon(home, env={"CLEARML_AGENT_DISABLE_VAULT_SUPPORT": "1"}) as daemon:
        daemon.wait_state("ready")
        assert daemon.call("GetProfile")["user"]["id"] == USER_ID
        assert daemon.workspace()["company_id"] == COMPANY_ID
        assert "team" not in daemon.get()
    assert server.count("users.get_vaults") == 0
    with Held(server, "auth.login"), Daemon(home, env={
            "CLEARML_AGENT_DISABLE_VAULT_SUPPORT": "1"}) as daemon:
        assert daemon.status()["state"] == "ready"  # whatever the server does
    asked = server.count()
    home.env["CLEARML_AGENT_DISABLE_VAULT_SUPPORT"] = "1"
    assert "team" not in home.resolve() and server.count() == asked


def test_what_the_map_of_companies_says_of_ours_is_laid_over(ready, server):
    """As the web client has it; one credential may stand for a list of one."""
    server.fail("data", endpoint="auth.get_credentials", data={
        "credentials": [{"access_key": ACCESS_KEY}],
        "additional_credentials": {COMPANY_ID: [{"access_key": ACCESS_KEY, "label": "ours"}],
                                   "two": {"access_key": "KEYOFTWO"}, "none": None,
                                   "odd": [{"label": "no key"}, None, 7]}})
    assert [(each["access_key"], each["company_id"], each.get("label"), each["current"])
            for each in ready.call("ListCredentials")["credentials"]] == [
        (ACCESS_KEY, COMPANY_ID, "ours", True), ("KEYOFTWO", "two", None, False)]


def test_a_creation_that_is_not_answered_says_that_it_may_have_been_done(home, conf, daemon, server):
    home.settings(FAST.replace("timeout = 10s", "timeout = 300ms"))
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    with Held(server, "auth.create_credentials"):
        error = refusal(daemon.call, "CreateCredentials")
        assert "may have been done" in error.parameters["message"]
    assert server.count("auth.create_credentials") == 1


@pytest.mark.parametrize("method, endpoint", [
    ("GetProfile", "users.get_current_user"), ("ListCredentials", "auth.get_credentials"),
    ("CreateCredentials", "auth.create_credentials"), ("GetToken", "auth.login")])
def test_an_answer_that_holds_nothing_is_an_error(ready, server, method, endpoint):
    server.fail("data", endpoint=endpoint, data={})
    error = refusal(ready.call, method)
    assert error.name == "io.clearconf.ServerError"
    assert error.parameters["endpoint"] == endpoint and error.parameters["status"] == 200
    assert "does not hold what was asked for" in error.parameters["message"]


def test_workers_are_told_with_what_they_have_at_work(ready, server):
    work = server.state.work
    task = work.add_task()
    for number in range(3):
        work.register(f"vm:{number}", USER_ID, COMPANY_ID)
    work.report("vm:1", USER_ID, COMPANY_ID, task=task)
    told = {each.pop("id"): each for each in ready.call("GetWorkers")["workers"]}
    assert {id: each.get("task") for id, each in told.items()} == {"vm:0": None, "vm:1": task,
                                                                   "vm:2": None}
    assert all(each["last_activity"] > 1_700_000_000 for each in told.values())
    [one] = ready.call("GetWorkers", id="vm:1")["workers"]
    assert (one["id"], one["task"]) == ("vm:1", task)
    assert ready.call("GetWorkers", id="vm:")["workers"] == []
    server.fail("page", endpoint="workers.get_all", status=502)
    assert refusal(ready.call, "GetWorkers").name == "io.clearconf.ServerError"
