"""Which credentials ClearML uses for a URI: ResolveStorage and `clearconf storage`."""

import pytest
from harness import Daemon
from varlink import VarlinkError

CONF = """\
sdk {
  aws { s3 {
    key: DEFAULT-KEY, secret: default-secret, region: eu-north-1
    credentials: [
      { bucket: "data", key: KEY-ONE, secret: secret-one }
      { bucket: "data-eu", key: KEY-TWO, secret: secret-two, region: eu-west-1
        extra_args { SSECustomerKey: customer-key } }
      { host: "minio:9000", key: KEY-THREE, secret: secret-three, secure: false }
      { bucket: "dropped" }
    ]
  } }
  google.storage {
    credentials: [ { bucket: models, credentials_json: /etc/google.json }
                   { bucket: inline, credentials_json: "{ \\"private_key\\": 1 }" } ]
  }
  azure.storage.containers: [ { account_name: acc, account_key: azure-key } ]
}
"""

REAL = ("DEFAULT-KEY", "default-secret", "KEY-", "secret-one", "secret-two", "secret-three",
        "customer-key", "private_key", "azure-key")


@pytest.fixture
def running(home, daemon):
    home.conf(CONF)
    return daemon.start()


def resolve(daemon, uri, **more):
    return daemon.call("ResolveStorage", uri=uri, **more)["storage"]


def refusal(daemon, uri, **more):
    with pytest.raises(VarlinkError) as caught:
        resolve(daemon, uri, **more)
    return caught.value


@pytest.mark.parametrize("uri, provider, line, settings", [
    ("s3://data-eu/x", "s3", 6, {"bucket": "data-eu", "region": "eu-west-1", "key": "KEY-TWO",
                                 "secret": "secret-two",
                                 "extra_args": {"SSECustomerKey": "customer-key"}}),
    ("s3://data/x", "s3", 5, {"key": "KEY-ONE", "secret": "secret-one", "region": ""}),
    ("S3://MINIO:9000/b/x", "s3", 8, {"key": "KEY-THREE", "host": "minio:9000", "secure": False}),
    ("s3://dropped/x", "s3", None, {"key": "DEFAULT-KEY", "secret": "default-secret",
                                    "region": "eu-north-1", "bucket": "dropped"}),
    ("gs://models/x", "gs", 13, {"credentials_json": "/etc/google.json"}),
    ("gs://other/d/x", "gs", None, {"bucket": "other", "subdir": "/d/x", "project": "default"}),
    ("azure://acc/c/x", "azure", 16, {"account_key": "azure-key", "container_name": "c"}),
    ("https://acc.blob.core.windows.net/c", "azure", 16, {"account_name": "acc"}),
])
def test_the_entry_that_wins(home, running, uri, provider, line, settings):
    storage = resolve(running, uri, reveal=True)
    assert storage["provider"] == provider
    assert {key: storage["settings"][key] for key in settings} == settings
    if line is None:
        assert "origin" not in storage
    else:
        assert storage["origin"]["layer"] == "file"
        assert storage["origin"]["source"] == str(home.path / "clearml.conf")
        assert storage["origin"]["line"] == line


def test_every_other_entry_is_told_why(running):
    rejected = resolve(running, "s3://data-eu/x")["rejected"]
    assert [(each["index"], each["origin"]["line"], each["reason"]) for each in rejected] == [
        (0, 5, "matches by s3://data, but entry 1 by the longer s3://data-eu"),
        (2, 8, "the URI does not begin with s3://minio:9000"),
        (3, 9, "ClearML drops it: it has neither key and secret nor use_credentials_chain"),
    ]


@pytest.mark.parametrize("uri", ["s3://data/x", "s3://data-eu/x", "s3://none/x", "gs://inline/x",
                                 "azure://acc/c"])
def test_secrets_are_masked_unless_asked_for(home, running, uri):
    for text in (str(resolve(running, uri)), str(resolve(running, uri, reveal=False)),
                 home.client("storage", uri, check=0).stdout):
        assert "****" in text
        assert not any(real in text for real in REAL)
    assert "****" not in str(resolve(running, uri, reveal=True))
    assert "****" not in home.client("storage", uri, "--reveal", check=0).stdout


def test_a_stranger_gets_what_the_rights_say(home, strangers):
    home.conf(CONF)
    home.settings("[access]\nread = 4100001 4100002\nsecrets = 4100002\n")
    with Daemon(home, "--socket", str(strangers.socket)):
        masked = strangers.call(4100001, "ResolveStorage", uri="s3://data/x")["storage"]
        assert masked["settings"]["secret"] == "****"
        with pytest.raises(VarlinkError) as caught:
            strangers.call(4100001, "ResolveStorage", uri="s3://data/x", reveal=True)
        assert caught.value.name == "io.clearconf.AccessDenied"
        assert caught.value.parameters == {"right": "secrets"}
        status, output, errors = strangers.client(4100001, "storage", "s3://data/x", "--reveal")
        assert (status, output) == (5, "") and "right 'secrets'" in errors
        real = strangers.call(4100002, "ResolveStorage", uri="s3://data/x", reveal=True)
        assert real["storage"]["settings"]["secret"] == "secret-one"
        with pytest.raises(VarlinkError) as caught:
            strangers.call(4100003, "ResolveStorage", uri="s3://data/x")
        assert caught.value.parameters == {"right": "read"}


def test_what_clearml_would_fail_on_is_broken(home, running):
    home.conf("sdk.aws.s3.credentials: [\n  { bucket: b, key: k, secret: s, regoin: x }\n]\n")
    running.wait_value("sdk.azure", None)
    error = refusal(running, "s3://b/x")
    assert error.name == "io.clearconf.BrokenConfiguration"
    assert error.parameters["source"] == str(home.path / "clearml.conf")
    assert (error.parameters["line"], error.parameters["column"]) == (2, 43)
    assert "'regoin'" in error.parameters["reason"]
    done = home.client("storage", "s3://b/x", check=1)
    assert "clearml.conf:2:43: entry 0 of sdk.aws.s3.credentials has a field" in done.stderr
    assert resolve(running, "gs://b/x")["provider"] == "gs"


def test_no_match(home, running):
    error = refusal(running, "azure://nobody/c/x")
    assert error.name == "io.clearconf.NoStorageMatch"
    assert error.parameters == {"uri": "azure://nobody/c/x"}
    done = home.client("storage", "azure://nobody/c/x", check=3)
    assert done.stdout == "" and "azure://nobody/c/x" in done.stderr


@pytest.mark.parametrize("uri", ["file:///tmp/x", "/tmp/x", "", "azure://acc", "s3://a..b/x"])
def test_what_is_no_uri(home, running, uri):
    error = refusal(running, uri)
    assert error.name == "org.varlink.service.InvalidParameter"
    assert error.parameters == {"parameter": "uri"}
    assert "s3://BUCKET/PATH" in home.client("storage", uri, check=2).stderr


@pytest.mark.parametrize("uri", ["data/x", "s3:data/x", "s3:/data/x"])
def test_without_a_scheme_s3_has_the_defaults(home, running, uri):
    storage = resolve(running, uri, reveal=True)
    assert (storage["provider"], storage["settings"]["key"], storage["settings"]["bucket"]) == (
        "s3", "DEFAULT-KEY", "")
    assert "DEFAULT-KEY" in home.client("storage", "--reveal", uri, check=0).stdout


def test_wrong_usage(home, running):
    assert "a URI is missing" in home.client("storage", check=2).stderr
    assert "too many arguments" in home.client("storage", "s3://a", "s3://b", check=2).stderr
    assert "no workspace" in home.client("--workspace", "x", "storage", "s3://a", check=2).stderr


def test_the_daemons_variables_take_part(home):
    with Daemon(home, env={"AZURE_STORAGE_ACCOUNT": "acc", "AZURE_STORAGE_KEY": "azure-key",
                           "AWS_SESSION_TOKEN": "session-token"}) as daemon:
        azure = resolve(daemon, "azure://acc/c/x", reveal=True)
        assert azure["settings"]["account_key"] == "azure-key"
        assert azure["origin"] == {"layer": "env-named", "source": "AZURE_STORAGE_ACCOUNT"}
        assert "session-token" not in str(resolve(daemon, "s3://b"))
        assert resolve(daemon, "s3://b", reveal=True)["settings"]["token"] == "session-token"


MINE = {"AWS_ACCESS_KEY_ID": "CALLERS-KEY", "AWS_SECRET_ACCESS_KEY": "callers-secret",
        "AWS_PROFILE": "default-secret"}


def test_a_callers_variables_take_the_place_of_the_daemons(home):
    with Daemon(home, env={"AWS_ACCESS_KEY_ID": "DAEMONS-KEY", "AWS_SESSION_TOKEN": "daemons-token",
                           "AZURE_STORAGE_ACCOUNT": "acc",
                           "AZURE_STORAGE_KEY": "daemons-azure"}) as daemon:
        real = resolve(daemon, "s3://b", reveal=True, environment=MINE)["settings"]
        assert (real["key"], real["secret"], real["token"]) == ("CALLERS-KEY", "callers-secret", "")
        masked = resolve(daemon, "s3://b", environment=MINE)["settings"]
        assert (masked["key"], masked["secret"], masked["token"]) == ("****", "****", "")
        assert refusal(daemon, "azure://acc/c/x", environment={}).name.endswith("NoStorageMatch")
        gs = resolve(daemon, "gs://b", reveal=True,
                     environment={"GOOGLE_APPLICATION_CREDENTIALS": "/mine.json"})
        assert gs["settings"]["credentials_json"] == "/mine.json"
        home.env.update(MINE)
        shown = home.client("storage", "--env", "s3://b", "--reveal", check=0).stdout
        assert "CALLERS-KEY" in shown and "token" not in shown
        assert "DAEMONS-KEY" in home.client("storage", "s3://b", "--reveal", check=0).stdout


def test_a_callers_words_are_no_oracle(running):
    """Whether a guess is a secret is not to be seen by what becomes of it."""
    guess = resolve(running, "s3://default-secret", environment={"AWS_PROFILE": "secret-three"})
    assert guess["settings"]["profile"] == "secret-three"
    assert guess["settings"]["bucket"] == "default-secret"
    assert resolve(running, "s3://default-secret")["settings"]["bucket"] == "default-secret"


def test_places_are_told_with_an_environment_too(home, running):
    told = resolve(running, "s3://data-eu/x", environment={})
    assert told == resolve(running, "s3://data-eu/x")
    home.conf("sdk.aws.s3.credentials: [\n  { bucket: b, key: k, secret: s, regoin: x }\n]\n")
    running.wait_value("sdk.azure", None)
    error = refusal(running, "s3://b/x", environment={"A": "b"})
    assert (error.parameters["line"], error.parameters["column"]) == (2, 43)
    assert refusal(running, "/tmp/x", environment={}).parameters == {"parameter": "uri"}


def test_the_bounds_of_an_environment_are_those_of_get(home):
    home.settings("[limits]\nenvironment_calls = 2\n")
    with Daemon(home) as daemon:
        error = refusal(daemon, "s3://b", environment={"A": "x" * 65536})
        assert error.parameters == {"quota": "environment", "limit": 65536}
        assert refusal(daemon, "s3://b", environment={"A=": ""}).parameters == {
            "parameter": "environment"}
        calls = [lambda: resolve(daemon, "s3://b", environment={})] * 3
        with pytest.raises(VarlinkError) as caught:
            for call in calls:
                call()
        assert caught.value.parameters["quota"] == "environment_calls"


def test_people_read_where_it_comes_from(home, running):
    shown = home.client("storage", "s3://data-eu/x", check=0).stdout.splitlines()
    conf = home.path / "clearml.conf"
    assert shown[0] == f"s3, from {conf}:6:7 (file)"
    assert "  bucket                 data-eu" in shown
    assert "  key                    ****" in shown
    assert shown[shown.index("Not used:") + 1:][:2] == [
        f"  entry 0, {conf}:5:7 (file)",
        "    matches by s3://data, but entry 1 by the longer s3://data-eu"]


def test_people_are_warned_of_missing_credentials(home, daemon):
    daemon.start()
    shown = home.client("storage", "s3://b/x", "--reveal", check=0).stdout
    assert shown.startswith("s3, from the defaults, as no entry matches\n")
    assert "ClearML fails with these" in shown
