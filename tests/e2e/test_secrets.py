"""That no secret is told is asserted after every test (nothing_is_given_away in conftest.py): here,
that it would be noticed."""

import pytest
from clearml_server import SECRET_KEY, ClearMLServer
from harness import FAST, Home
from ledger import LEDGER, Ledger, is_cache


@pytest.fixture
def ledger(tmp_path):
    """A ledger of its own, with one home and one secret."""
    ledger = Ledger()
    ledger.begin()
    ledger.homes.append(tmp_path)
    ledger.learn("a-secret-of-the-test")
    return ledger


TOLD = "error=\"cannot log in with a-secret-of-the-test\"\n"


@pytest.mark.parametrize("name", ["daemon.log", "state/clearconf/generation"])
def test_a_secret_in_a_file_is_noticed(ledger, tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TOLD.replace("a-secret-of-the-test", "****"))
    assert ledger.given_away() == []
    path.write_text(TOLD)
    assert ledger.given_away() == [(str(path), "a-secret-of-the-test")]


def test_a_secret_that_is_said_is_noticed(ledger):
    ledger.hear("status", {"workspaces": [{"server": {"last_error": TOLD}}]})
    assert ledger.given_away() == [("status", "a-secret-of-the-test")]
    ledger.begin()
    assert ledger.given_away() == []


def test_a_cache_may_hold_secrets(ledger, tmp_path):
    path = tmp_path / "state" / "clearconf" / "cache" / "default"
    path.parent.mkdir(parents=True)
    path.write_text(TOLD)
    assert is_cache(path) and ledger.given_away() == []


@pytest.mark.parametrize("text, secrets", [
    ('api.credentials { secret_key: "one two three" }', {"one two three"}),
    ("sdk.aws.s3.secret = abcdefgh, key: ijklmnop", {"abcdefgh"}),
    ('{"git_pass": "abcdefgh", "n": 1}', {"abcdefgh"}),
    ("team.token: abcdefgh\nmore: 1", {"abcdefgh"}),
    ("secret_key_file = red.secret", set()),
    ("token_expiration_threshold_sec: 123456789", set()),
    ("password: short", set()),
])
def test_secrets_are_found_in_configurations(text, secrets):
    ledger = Ledger()
    ledger.learn_text(text)
    assert ledger.secrets == secrets


def test_what_the_servers_and_homes_of_tests_use_is_known(tmp_path):
    with ClearMLServer() as server:
        pair = server.state.add_credentials()
        token = server.state.make_token()
        server.state.set_vaults(['team.secret: "of-a-vault-0001"'])
        server.state.add_vault({"data": 'team.secret: "of-a-vault-0002"'})
        Home(tmp_path).conf("api.credentials.secret_key: of-a-file-0003")
    assert {SECRET_KEY, pair["secret_key"], token, "of-a-vault-0001", "of-a-vault-0002",
            "of-a-file-0003"} <= LEDGER.secrets


def test_a_debug_log_tells_none(home, conf, server, daemon):
    """The most talkative daemon there is, through logins, changes and a refusal."""
    server.state.set_vaults(['team.token: "vault-secret-98765"'])
    home.settings("[daemon]\nlog_level = debug\n" + FAST)
    home.conf(conf("git_pass: of-a-file-0003"))
    daemon.start()
    daemon.wait_state("ready")
    server.state.invalidate_tokens()
    server.state.set_vaults(['team.token: "vault-secret-43210", team.broken: {'])
    daemon.wait_state("degraded")
    home.conf(conf('git_pass: "of-a-file-0004'))
    daemon.wait_layer("clearml.conf", "broken")
    assert server.count("auth.login") >= 2 and "level=debug" in daemon.log()
