"""What the daemon resolves is what a second reading of the rules resolves, for random
configurations and URIs. tests/long asks many more."""

import json

import pytest
from harness import Daemon, wait_until
from storage_reading import READINGS, Questions, Wrong, resolve
from varlink import VarlinkError

ENVIRONMENTS = {"no variables": {}, "variables": {
    "AWS_ACCESS_KEY_ID": "EK", "AWS_SECRET_ACCESS_KEY": " ES ", "AWS_SESSION_TOKEN": "ET",
    "AWS_DEFAULT_REGION": "eu-north-1", "AWS_PROFILE": "ep",
    "GOOGLE_APPLICATION_CREDENTIALS": "/e.json", "AZURE_STORAGE_ACCOUNT": "acc",
    "AZURE_STORAGE_KEY": "ek"}}


def reading(kind, section, env, uri):
    try:
        return resolve(kind, section, env, uri)
    except Wrong:
        return "wrong"


def answer(connection, uri):
    try:
        return connection.call("ResolveStorage", uri=uri, reveal=True)["storage"]["settings"]
    except VarlinkError as error:
        return None if error.name == "io.clearconf.NoStorageMatch" else "wrong"


def compare(home, env, seeds, uris):
    """As many URIs of each provider for the configuration of each seed."""
    home.settings("[daemon]\nmode = sdk\n")
    with Daemon(home, env=env) as daemon, daemon.connect() as connection:
        for seed in seeds:
            questions = Questions(seed)
            sections = {kind: questions.section(kind) for kind in READINGS}
            home.conf(json.dumps({"seed": seed, "sdk": {
                "aws": {"s3": sections["s3"]}, "google": {"storage": sections["gs"]},
                "azure": {"storage": sections["azure"]}}}))
            daemon.call("Reload")
            wait_until(lambda: daemon.get("seed") == seed, "the configuration")
            for kind, section in sections.items():
                for _ in range(uris):
                    uri = questions.uri(kind, section)
                    expected = reading(kind, section, env, uri)
                    assert answer(connection, uri) == expected, (seed, kind, section, uri)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_two_readings_of_the_rules_agree(home, name):
    compare(home, ENVIRONMENTS[name], range(40), 20)
