"""The stand-in server beside the sources of the real one: the same errors, and answers that its schema
allows. Its files are HOCON, and read by clearconfd."""

import pytest
from asking import BASIC, call, result
from checkouts import require
from clearml_errors import ERRORS

jsonschema = pytest.importorskip("jsonschema", "4.0")
# Words that the stand-in could not learn from an answer.
GUESSED = {"bad_request", "no_member", "not_a_dict"}
CALLS = [("auth.login", {}), ("auth.get_credentials", {}), ("users.get_current_user", {}),
         ("users.get_preferences", {}), ("organization.get_user_companies", {}), ("workers.get_all", {}),
         ("auth.create_credentials", {"label": "one"})]


@pytest.fixture
def read(home):
    """A HOCON file of the server's, as clearconfd reads it."""
    def read(name):
        path = require("SERVER") / "apiserver" / name
        home.env["CLEARML_CONFIG_FILE"] = str(path)
        return home.resolve("--offline", "--mode", "sdk")
    return read


@pytest.mark.parametrize("kind", sorted(set(ERRORS) - GUESSED))
def test_an_error_of_the_stand_in_is_one_of_the_servers(read, kind):
    code, subcode, text = ERRORS[kind]
    _, words = read("apierrors/errors.conf")[str(code)][str(subcode)]
    assert text.lower() == words.lower()


def newest(versions):
    numbers = [key for key in versions if key[0].isdigit()]
    return versions[max(numbers, key=lambda text: tuple(map(int, text.split("."))))]


@pytest.mark.parametrize("name, parameters", CALLS, ids=[name for name, _ in CALLS])
def test_an_answer_of_the_stand_in_is_one_that_the_schema_allows(read, server, name, parameters):
    service, action = name.split(".")
    tree = read(f"schema/services/{service}.conf")
    schema = {**newest(tree[action])["response"], "definitions": tree["_definitions"]}
    status, _, data = result(call(server, f"/{name}", auth=BASIC, body=parameters, method="POST"))
    assert status == 200
    jsonschema.validate(said(data), schema)


def said(data):
    """Without what is absent, which the server says as null, whatever its schema; and without a number
    that is one in the server's own answers, but a text in its schema."""
    if isinstance(data, dict):
        return {key: said(value) for key, value in data.items()
                if value is not None and key != "max_download_items"}
    return [said(each) for each in data] if isinstance(data, list) else data
