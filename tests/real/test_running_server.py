"""A daemon and a ClearML server that runs: the real one, of anybody's. The key pair that the test logs in
with stays; the one that it makes goes again."""

import os

import checkouts
import pytest
from harness import FAST
from varlink import VarlinkError

NAMES = ("CLEARML_SERVER_URL", "CLEARML_SERVER_ACCESS_KEY", "CLEARML_SERVER_SECRET_KEY")
URL, KEY, SECRET = map(os.environ.get, NAMES)
pytestmark = pytest.mark.skipif(not (URL and KEY and SECRET), reason=checkouts.NO_SERVER)


@pytest.fixture
def ready(home, daemon):
    home.write("config/clearconf/real.secret", SECRET + "\n").chmod(0o600)
    home.settings(f"{FAST}[workspace real]\napi_server = {URL}\naccess_key = {KEY}\n"
                  "secret_key_file = real.secret\n")
    daemon.start()
    daemon.wait_state("ready")
    return daemon


def keys(daemon):
    return {each["access_key"] for each in daemon.call("ListCredentials")["credentials"]}


def test_it_logs_in_and_knows_who_it_is(ready):
    server = ready.workspace()["server"]
    assert "last_error" not in server
    assert ready.get("api.api_server") == URL
    assert ready.call("GetToken", lifetime=60)["token"].count(".") == 2
    assert ready.call("GetProfile")["user"]["id"]


def test_a_key_pair_is_made_and_goes(ready):
    before = keys(ready)
    made = ready.call("CreateCredentials", label="made by a test")["access_key"]
    assert keys(ready) == before | {made}
    ready.call("RevokeCredentials", access_key=made)
    assert keys(ready) == before
    with pytest.raises(VarlinkError):
        ready.call("RevokeCredentials", access_key=made)


def test_a_wrong_secret_is_refused_and_said_so(home, ready):
    home.write("config/clearconf/real.secret", "wrong-0123456789\n")
    ready.reload()
    ready.wait_state("degraded", "refused")
    home.write("config/clearconf/real.secret", SECRET + "\n")
    ready.reload()
    ready.wait_state("ready")
