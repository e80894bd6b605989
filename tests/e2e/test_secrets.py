"""That no secret is told is asserted after every test (nothing_is_given_away in conftest.py): here,
that it would be noticed."""

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer
from harness import FAST, Home
from ledger import LEDGER, Ledger, is_kept
from varlink import VarlinkError


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
    assert is_kept(path) and ledger.given_away() == []


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


def test_a_server_that_quotes_our_secrets_is_not_quoted(home, server, daemon):
    """Neither the key, nor a vault's, nor a token, by log, status or reply."""
    server.state.add_credentials(access_key="QUOTEDKEY", secret_key="of-settings-0005")
    server.state.set_vaults(['team.token: "of-a-vault-0006"'])
    home.write("config/clearconf/secret", "of-settings-0005").chmod(0o600)
    home.settings(FAST + f"[workspace w]\napi_server = {server.url}\naccess_key = QUOTEDKEY\n"
                  "secret_key_file = secret\ninject = no\n")
    daemon.start()
    daemon.wait_value("team.token", "of-a-vault-0006", mask=False)
    token = server.requests("users.get_vaults")[0].header("Authorization").split()[1]
    quote = f"no: of-settings-0005 of-a-vault-0006 {token}"
    for endpoint in ("users.get_vaults", "users.get_current_user"):
        server.fail("envelope", endpoint=endpoint, code=500, msg=quote)
    daemon.wait_state("degraded")
    assert daemon.last_error() == "the server answers: no: **** **** **** (500/0)"
    with pytest.raises(VarlinkError) as caught:
        daemon.call("GetProfile")
    assert caught.value.parameters["message"] == "no: **** **** ****"
    assert "no: **** **** ****" in daemon.log()


def test_a_password_in_the_servers_url_is_not_told(home, server, daemon):
    url = server.url.replace("http://", "http://user:of-a-url-0007@")
    LEDGER.learn("of-a-url-0007")
    home.settings("[daemon]\nlog_level = debug\n" + FAST)
    home.conf(f'api {{ api_server: "{url}", credentials {{ access_key: {ACCESS_KEY}, '
              f'secret_key: "{SECRET_KEY}" }} }}')
    daemon.start()
    daemon.wait_state("ready")
    server.fail("page", status=502)
    daemon.wait_state("degraded")
    assert "****@127.0.0.1" in daemon.workspace()["server"]["api_server"]
