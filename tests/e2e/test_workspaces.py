"""Several workspaces: each its own login and vaults, one of them active."""

import pytest
from clearml_server import ACCESS_KEY, COMPANY_ID, SECRET_KEY, USER_ID
from harness import FAST, Daemon, wait_until
from test_memory import MIB, vault
from varlink import VarlinkError

SECTION = """\
[workspace {name}]
api_server = {url}
access_key = {key}
secret_key_file = {name}.secret
{more}
"""


@pytest.fixture
def two(home, server):
    """Settings with the workspaces `one` and `two`, of two companies."""
    other = server.state.add_company("second company")
    server.state.users[USER_ID].tenants.append(other)
    server.state.add_credentials(access_key="KEYOFTWO", secret_key="secret-of-two-0123456789",
                                 company=other)
    server.state.set_vaults([{"data": "team: first"}])
    server.state.set_vaults([{"data": "team: second"}], company=other)
    for name, secret in (("one", SECRET_KEY), ("two", "secret-of-two-0123456789")):
        home.write(f"config/clearconf/{name}.secret", secret).chmod(0o600)

    def settings(extra=FAST, one="", two=""):
        home.settings(extra + SECTION.format(name="one", url=server.url, key=ACCESS_KEY, more=one)
                      + SECTION.format(name="two", url=server.url, key="KEYOFTWO", more=two))
    settings()
    settings.company = other
    return settings


def listed(daemon):
    answer = daemon.call("ListWorkspaces")
    return answer["active"], {each["name"]: each for each in answer["workspaces"]}


def test_each_has_its_own_company_and_vaults(two, daemon):
    daemon.start()
    daemon.wait_state("ready")
    daemon.wait_value("team", "second", workspace="two")
    assert daemon.get("team") == "first"
    wait_until(lambda: "company_name" in listed(daemon)[1]["two"], "its name")
    active, workspaces = listed(daemon)
    assert active == "one"
    assert workspaces["one"]["company_id"] == COMPANY_ID and workspaces["one"]["active"]
    assert workspaces["two"]["company_id"] == two.company
    assert workspaces["two"]["company_name"] == "second company"
    assert workspaces["two"]["user_id"] == USER_ID and not workspaces["two"]["active"]
    assert {x["state"] for x in workspaces.values()} == {"ready"}


def test_a_switch_swaps_and_tells_watchers_and_is_kept(two, daemon):
    daemon.start()
    daemon.wait_state("ready")
    with daemon.connect() as watcher:
        first = watcher.watch(values=True)
        answer = daemon.call("UseWorkspace", name="two")
        assert answer["generation"] > first["generation"]
        changes = watcher.changes()
        assert changes["team"] == ("changed", "second")
    assert daemon.get("team") == "second"
    newest = daemon.call("History", limit=1)["generations"][0]
    assert (newest["cause"], newest["generation"]) == ("workspace", answer["generation"])
    assert daemon.stop() == 0
    daemon.start()
    assert listed(daemon)[0] == "two"


def test_switches_and_reloads_while_large_answers_are_read(two, server, daemon):
    """None of them shows a workspace what is another's, and the last answers are what holds."""
    daemon.start()
    daemon.wait_state("ready")
    for serial in range(6):
        for team, company in (("first", None), ("second", two.company)):
            text = f"team: {team}\n" + vault(MIB, serial)
            server.state.set_vaults([{"data": text}], **({"company": company} if company else {}))
        for name, team in (("two", "second"), ("one", "first")):
            daemon.call("UseWorkspace", name=name)
            two(FAST + f"[mask]\nadd = ignored{serial}{name}\n")
            daemon.reload()
            assert daemon.get("team") == team
    daemon.wait_value("serial", 5, workspace="one")
    daemon.wait_value("serial", 5, workspace="two")
    assert daemon.get("team", workspace="two") == "second"


def test_the_settings_choose_when_nobody_has(two, daemon):
    two(two="active = yes")
    daemon.start()
    assert listed(daemon)[0] == "two"
    daemon.wait_state("ready")
    daemon.call("UseWorkspace", name="one")
    daemon.stop()
    daemon.start()
    assert listed(daemon)[0] == "one"


def test_the_command_line_chooses_and_is_not_kept(home, two, daemon):
    with Daemon(home, "--workspace", "two") as named:
        assert listed(named)[0] == "two"
    daemon.start()
    assert listed(daemon)[0] == "one"


def test_print_takes_the_one_that_is_kept(home, two, daemon):
    daemon.start()
    daemon.wait_state("ready")
    daemon.call("UseWorkspace", name="two")
    daemon.stop()
    assert home.resolve()["team"] == "second"
    assert home.resolve("--workspace", "one")["team"] == "first"


def test_a_switch_to_one_that_cannot_log_in_changes_nothing(two, server, daemon):
    daemon.start()
    daemon.wait_state("ready")
    server.state.revoke_credentials("KEYOFTWO")
    server.state.invalidate_tokens()
    with pytest.raises(VarlinkError) as caught:
        daemon.call("UseWorkspace", name="two")
    assert caught.value.name == "io.clearconf.ServerError"
    assert caught.value.parameters["status"] == 401
    assert listed(daemon)[0] == "one" and daemon.get("team") == "first"


def test_a_switch_fetches_first(two, server, daemon):
    two(FAST.replace("150ms", "1h"))
    daemon.start()
    daemon.wait_state("ready")
    daemon.wait_value("team", "second", workspace="two")
    server.state.set_vaults([{"data": "team: newer"}], company=two.company)
    daemon.call("UseWorkspace", name="two")
    assert daemon.get("team") == "newer"


def test_there_is_no_switch_to_what_is_not_declared(two, daemon):
    daemon.start()
    with pytest.raises(VarlinkError) as caught:
        daemon.call("UseWorkspace", name="three")
    assert caught.value.name == "io.clearconf.UnknownWorkspace"


def test_a_new_secret_is_proved_before_it_replaces_the_old(home, two, server, daemon):
    two(FAST.replace("150ms", "1h"))
    daemon.start()
    daemon.wait_state("ready")
    home.write("config/clearconf/one.secret", "wrong-0123456789").chmod(0o600)
    daemon.wait_state("degraded")
    assert daemon.get("team") == "first"
    assert daemon.get("api.credentials.secret_key", mask=False) == SECRET_KEY
    home.write("config/clearconf/one.secret", SECRET_KEY).chmod(0o600)
    daemon.wait_state("ready")


def test_status_shows_each_workspace_to_whom_it_may_be_shown(home, two, strangers):
    two(FAST + "[access]\nread = 4321 4322\n", two="read = 4321\nsecrets = 4321")
    with Daemon(home, "--socket", strangers.socket) as daemon:
        daemon.wait_state("ready")
        daemon.wait_value("team", "second", workspace="two")
        for method in ("ListWorkspaces", "GetStatus"):
            def seen(uid, method=method):
                answer = strangers.call(uid, method)
                answer = answer.get("status", answer)
                return {each["name"]: each.get("access_key") for each in answer["workspaces"]}
            assert seen(4321) == {"one": "****", "two": "KEYOFTWO"}
            assert seen(4322) == {"one": "****"}


def test_since_before_a_switch_is_never_nothing(two, daemon):
    """Also when the workspace switched to has not changed since, and after a
    switch there and back, of which the history of one alone tells nothing."""
    daemon.start()
    daemon.wait_state("ready")
    daemon.wait_value("team", "second", workspace="two")
    for name, team in (("two", "second"), ("one", "first")):
        before = daemon.call("Get")["generation"]
        daemon.call("UseWorkspace", name=name)
        for more in (True, False):
            with daemon.connect() as line:
                line.send("io.clearconf.Watch", {"since": before}, more=more)
                reply = line.receive()
                assert reply["resync"] and reply["value"]["team"] == team
                assert reply["generation"] > before


def test_a_named_workspace_knows_no_switch(two, daemon):
    daemon.start()
    daemon.wait_state("ready")
    daemon.wait_value("team", "second", workspace="two")
    before = daemon.call("Get", workspace="two")["generation"]
    daemon.call("UseWorkspace", name="two")
    with daemon.connect() as line:
        reply = line.watch(since=before, workspace="two")
        assert not reply["resync"] and reply["changes"] == []


def test_the_active_one_that_is_no_longer_declared_is_followed_by_another(home, two, daemon):
    daemon.start()
    daemon.wait_state("ready")
    daemon.call("UseWorkspace", name="two")
    text = (home.path / "config/clearconf/clearconfd.conf").read_text()
    with daemon.connect() as watcher:
        first = watcher.watch(values=True)
        home.settings(text[:text.index("[workspace two]")])
        daemon.reload()
        reply = watcher.receive()
        assert reply["value"]["team"] == "first"
        assert reply["generation"] > first["generation"]
    with daemon.connect() as watcher:
        assert watcher.watch(since=first["generation"])["resync"]


def test_a_secret_that_others_may_read_is_told(home, two, daemon):
    """It serves, as with systemd's units, but nobody can say they did not know."""
    path = home.path / "config/clearconf/one.secret"
    path.chmod(0o644)
    warning = f"{path}: the secret key is open to other users: make its mode 0600 (it is 0644)"
    daemon.start()
    daemon.wait_state("ready")
    assert daemon.get("team") == "first" and warning in daemon.log()
    done = home.daemon("--check")
    assert f"workspace one: warning: {warning}" in done.stdout and "workspace two" not in done.stdout
    path.chmod(0o600)
    daemon.stop()
    daemon.log_path.unlink()
    daemon.start()
    assert "login-warning" not in daemon.log()
