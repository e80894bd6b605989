"""The last known good vaults: what a start without the server serves."""

import os
import stat

import pytest
from clearml_server import ACCESS_KEY, COMPANY_ID, SECRET_KEY, USER_ID
from harness import FAST, Daemon, wait_until

VAULTS = [{"id": "v1", "description": "team", "data": "team: 1\nsecret_key: s-e-c-r-e-t-0"},
          {"id": "v2", "data": '{"json": true}', "format": "json"}]


@pytest.fixture
def folder(home):
    return home.path / "state" / "clearconf" / "cache"


@pytest.fixture
def cached(home, conf, server, folder):
    """A home in which a daemon has run and has kept VAULTS."""
    def make(settings=FAST, text="a: 1"):
        server.state.set_vaults(VAULTS)
        server.state.add_vault({"id": "m", "type": "monitoring", "data": "agent.watched: true"})
        home.settings(settings)
        home.conf(conf(text))
        with Daemon(home) as daemon:
            daemon.wait_state("ready")
            daemon.wait_value("team", 1)
            daemon.wait_value("agent.watched", True)
        assert [x.name for x in folder.iterdir()] == ["default.cache"]
    return make


def test_a_start_without_the_server_serves_them(cached, server, daemon):
    cached(FAST.replace("150ms", "100ms"))
    server.fail("drop")
    daemon.start()
    answer = daemon.call("Get")
    assert answer["state"] != "starting"
    assert answer["value"]["team"] == 1 and answer["value"]["json"] is True
    assert answer["value"]["agent"]["watched"] is True
    daemon.wait_state("offline")
    wait_until(lambda: daemon.call("Get").get("stale") is not None, "stale")
    assert daemon.layer("v1")["description"] == "team"
    assert daemon.layer("v1")["state"] == "stale"
    server.clear_failures()
    daemon.wait_state("ready")


def test_it_is_ready_from_the_cache_at_once(home, cached, server, daemon):
    cached()
    server.fail("hang")
    daemon.start()
    assert daemon.call("Get")["state"] == "ready"
    assert daemon.get("team") == 1


def test_files_and_folder_are_private(home, cached, folder):
    cached()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "default.cache").stat().st_mode) == 0o600


def test_offline_serves_them_without_a_limit(home, cached, server, daemon):
    cached()
    home.settings(FAST + "stale_limit = 1ms\n")
    asked = server.count()
    with Daemon(home, "--offline") as offline:
        assert offline.get("team") == 1
        assert offline.status()["state"] == "offline"
        assert server.count() == asked


def test_print_reads_and_does_not_write_them(home, cached, server, folder):
    cached()
    server.fail("drop")
    def written():
        stat = (folder / "default.cache").stat()
        return stat.st_ino, stat.st_mtime_ns, stat.st_size
    before = written()
    done = home.daemon("--print")
    assert '"team":1' in done.stdout.replace(" ", "").replace("\n", "")
    assert "warning" in done.stderr
    assert written() == before


def test_print_asks_the_server_before_it_takes_them(home, cached, server):
    cached()
    server.state.set_vaults([{"data": "team: 3"}])
    assert home.resolve()["team"] == 3


def test_what_is_older_than_the_limit_is_not_served(home, cached, server, folder, daemon):
    cached(FAST + "stale_limit = 1s\n")
    wait_until(lambda: os.stat(folder / "default.cache").st_mtime + 2.1 < __import__("time").time(), "age")
    server.fail("drop")
    daemon.start()
    assert "team" not in daemon.get()
    wait_until(lambda: not list(folder.iterdir()), "the file to go")


def test_another_key_or_server_is_another_cache(home, conf, cached, server, folder, daemon):
    cached()
    server.state.add_credentials(access_key="ANOTHERKEY", secret_key="another-secret-0123456789")
    server.fail("drop")
    home.conf(conf().replace(ACCESS_KEY, "ANOTHERKEY").replace(SECRET_KEY,
                                                              "another-secret-0123456789"))
    daemon.start()
    assert "team" not in daemon.get()
    assert (folder / "default.cache.bad").exists() and "cache-not-used" in daemon.log()


def test_another_companys_vaults_are_not_served_once_it_is_known(home, conf, cached, server,
                                                                 daemon):
    cached()
    other = server.state.add_company("other")
    server.state.users[USER_ID].tenants.append(other)
    server.state.revoke_credentials(ACCESS_KEY)
    server.state.add_credentials(access_key=ACCESS_KEY, secret_key=SECRET_KEY, company=other)
    server.fail("envelope", endpoint="users.get_vaults", code=500)
    daemon.start()
    daemon.wait_value("team", None)
    assert "vaults-of-another-login" in daemon.log()


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:-1], lambda data: data[:30] + b"X" + data[31:],
    lambda data: b"\0" * len(data), lambda data: data.replace(b"team: 1", b"team: 2"),
], ids=["empty", "cut", "one byte", "zeros", "edited"])
def test_a_damaged_file_is_set_aside_and_nobody_dies(cached, server, folder, daemon, damage):
    cached()
    path = folder / "default.cache"
    path.write_bytes(damage(path.read_bytes()))
    server.fail("drop")
    daemon.start()
    assert "team" not in daemon.get() and daemon.get("a") == 1
    assert "cache-not-used" in daemon.log() and (folder / "default.cache.bad").exists()
    server.clear_failures()
    daemon.wait_value("team", 1)


def test_a_broken_vaults_last_good_text_outlives_a_restart(home, cached, server, daemon):
    cached()
    with Daemon(home) as first:
        first.wait_state("ready")
        server.state.set_vaults([dict(VAULTS[0], data="team: {"), VAULTS[1]])
        first.wait_layer("v1", "broken")
        assert first.get("team") == 1
    daemon.start()
    daemon.wait_layer("v1", "broken")
    assert daemon.get("team") == 1


def test_the_grace_of_a_refusal_goes_on_over_restarts(home, cached, server, daemon):
    cached(FAST + "revoked_grace = 2s\n")
    server.state.revoke_credentials(ACCESS_KEY)
    server.state.invalidate_tokens()
    with Daemon(home) as first:
        wait_until(lambda: first.workspace()["state"] == "refused", "refused")
        assert first.get("team") == 1
    daemon.start()
    assert daemon.workspace()["state"] == "refused" and daemon.get("team") == 1
    daemon.wait_value("team", None)


def test_a_revoked_workspaces_cache_is_gone(cached, server, folder, daemon):
    cached(FAST + "revoked_grace = 10ms\n")
    daemon.start()
    daemon.wait_state("ready")
    server.state.revoke_credentials(ACCESS_KEY)
    server.state.invalidate_tokens()
    daemon.wait_value("team", None)
    wait_until(lambda: not list(folder.iterdir()), "the file to go")


def test_without_credentials_nothing_stays(home, conf, cached, server, folder, daemon):
    cached()
    daemon.start()
    daemon.wait_state("ready")
    home.conf("a: 2")
    daemon.wait_value("team", None)
    wait_until(lambda: not list(folder.iterdir()), "the file to go")


def test_a_state_folder_that_cannot_be_used_is_survived(home, conf, server, daemon):
    (home.path / "state").write_text("no folder")
    server.state.set_vaults(VAULTS)
    home.settings(FAST)
    home.conf(conf("a: 1"))
    daemon.start()
    daemon.wait_value("team", 1)



OTHER_SECRET = "secret-of-the-other-company"


@pytest.fixture
def other(server):
    """Another company of the same user, with a key pair OTHERKEY and a vault."""
    company = server.state.add_company("other")
    server.state.users[USER_ID].tenants.append(company)
    server.state.add_credentials(access_key="OTHERKEY", secret_key=OTHER_SECRET, company=company)
    server.state.set_vaults([{"data": "other: 1"}], company=company)
    return company


def test_a_login_of_another_company_takes_no_vault_along(home, conf, cached, server, other, daemon):
    """Neither what is served, nor what is kept, mixes two companies, also when the new one's
    monitoring vaults do not come."""
    cached()
    daemon.start()
    daemon.wait_state("ready")
    server.fail("no_monitoring", endpoint="users.get_vaults")
    home.conf(conf("a: 1").replace(ACCESS_KEY, "OTHERKEY").replace(SECRET_KEY, OTHER_SECRET))
    daemon.wait_value("other", 1)
    daemon.wait_state("degraded")
    assert "team" not in daemon.get() and "agent" not in daemon.get()
    assert daemon.workspace()["company_id"] == other
    daemon.stop()
    daemon.start()
    assert "team" not in daemon.get() and "agent" not in daemon.get()


def test_a_part_of_the_vaults_goes_with_a_refusal_as_all_do(home, conf, server, daemon):
    """The server has never said what the monitoring vaults are."""
    server.state.set_vaults([{"data": "team: 1"}])
    server.fail("no_monitoring", endpoint="users.get_vaults")
    home.settings(FAST + "revoked_grace = 1s\n")
    home.conf(conf("a: 1"))
    daemon.start()
    daemon.wait_value("team", 1)
    server.state.revoke_credentials(ACCESS_KEY)
    server.state.invalidate_tokens()
    daemon.wait_value("team", None)
    assert "event=vaults-dropped" in daemon.log() and daemon.get("a") == 1


def test_a_token_is_served_only_its_own_companys_and_users_vaults(home, server, other):
    """A token has no name as a key has: its claims say whose it is."""
    server.state.set_vaults(VAULTS)
    friend = server.state.add_user("friend")
    tokens = {"other company": server.state.make_token(company=other),
              "other user": server.state.make_token(user=friend), "ours": server.state.make_token()}
    home.settings(FAST)
    home.conf(f"api.api_server: {server.url}")

    def start(token):
        return Daemon(home, env={"CLEARML_AUTH_TOKEN": token})
    with start(tokens["ours"]) as first:
        first.wait_state("ready")
        first.wait_value("team", 1)
    server.fail("drop")
    with start(tokens["ours"]) as again:
        assert again.get("team") == 1
    for whose in ("other company", "other user"):
        with start(tokens[whose]) as stranger:
            assert "team" not in stranger.get(), whose


def test_whose_they_are_is_known_without_the_server(home, cached, server, folder, daemon):
    """And is still in the file after a start without it."""
    cached()
    kept = (folder / "default.cache").read_text()
    server.fail("drop")
    for arguments in ((), ("--offline",), ()):
        with Daemon(home, *arguments) as away:
            workspace = away.workspace()
            assert workspace["company_id"] == COMPANY_ID
            assert workspace["company_name"] == "stand-in"
            assert workspace["user_id"] == USER_ID and workspace["user_name"] == "Jane Doe"
    told = (folder / "default.cache").read_text()
    assert told.split("\n")[1] == kept.split("\n")[1]


def test_that_there_are_no_vaults_is_kept_too(home, conf, server, folder, daemon):
    home.settings(FAST)
    home.conf(conf("a: 1"))
    daemon.start()
    daemon.wait_state("ready")
    wait_until(lambda: (folder / "default.cache").exists(), "the file")


SECTION = "[workspace {name}]\napi_server = {url}\naccess_key = {key}\nsecret_key_file = secret\n"


def test_a_workspace_that_is_no_longer_declared_is_forgotten_in_time(home, server, folder, daemon):
    """By a daemon that runs on."""
    home.write("config/clearconf/secret", SECRET_KEY).chmod(0o600)
    one, two = (SECTION.format(name=name, url=server.url, key=ACCESS_KEY) for name in ("one", "two"))
    home.settings(FAST + "stale_limit = 2s\n" + one + two)
    daemon.start()
    daemon.wait_state("ready")
    wait_until(lambda: (folder / "two.cache").exists(), "the file")
    home.settings(FAST + "stale_limit = 2s\n" + one)
    daemon.reload()
    wait_until(lambda: not (folder / "two.cache").exists(), "the file to go")
    assert (folder / "one.cache").exists()
