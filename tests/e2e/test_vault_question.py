"""Vaults of two types by one question, where the server is proved to take it."""

import re

import pytest
from harness import FAST, Daemon, wait_until

CONFIG = {"id": "c", "data": "team: 1"}
MONITORING = {"id": "m", "type": "monitoring", "data": "agent.watched: true"}
OTHER = {"id": "s", "type": "storage", "data": "stored: 1"}
LETTERS = {("config", "monitoring"): "b", ("monitoring", "config"): "r",
           ("config", "config"): "c", ("monitoring", "monitoring"): "m"}


def asked(server, since=0):
    """A letter for each question for vaults."""
    return "".join(LETTERS[tuple(value for key, value in each.query if key == "types")]
                   for each in server.requests("users.get_vaults")[since:])


def wait_asked(server, pattern, since=0):
    """Until the questions are these, from the first to the last."""
    wait_until(lambda: re.fullmatch(pattern, asked(server, since)),
               f"{pattern}, not {asked(server, since)}")


def served(daemon):
    reply = daemon.call("Get")
    tree = reply["value"]
    return tree.get("team"), tree.get("agent", {}).get("watched"), reply["generation"]


@pytest.fixture
def two(home, conf, server, daemon):
    """A home and a server with vaults of each type; start the daemon when that is as it should be."""
    server.state.set_vaults([MONITORING, CONFIG, OTHER])
    home.settings(FAST)
    home.conf(conf("local: 1"))
    return daemon


@pytest.fixture
def proven(two, server):
    two.start()
    wait_asked(server, "cmbrcmb{3,}")
    return two


def test_a_proof_is_four_questions_and_then_there_is_one_a_poll(proven, server):
    before = served(proven)
    assert before[:2] == (1, True) and "stored" not in proven.get()
    wait_asked(server, "cmbrcmb{8,}")
    assert served(proven) == before


# What is asked in a poll that is to be a proof: not all, when an answer cannot be true.
LIARS = {"first": "brcm", "last": "brcm", "config": "brcm", "any type": "bcm", "no types": "bcm",
         "error": "bcm"}


@pytest.mark.parametrize("brings", LIARS)
def test_who_fails_the_proof_is_asked_twice_until_its_version_changes(two, server, brings):
    server.fail("mixed_types", endpoint="users.get_vaults", brings=brings)
    two.start()
    two.wait_state("ready")
    before = served(two)
    assert before[:2] == (1, True)
    wait_asked(server, f"cm(?:{LIARS[brings]}){{3}}(?:cm){{4,}}c?")
    server.clear_failures()
    since = len(asked(server))
    wait_asked(server, "m?(?:cm){4,}c?", since)
    server.state.api_version = "2.32"
    server.state.invalidate_tokens()
    wait_until(lambda: asked(server).endswith("brcmbbb"), "a proof")
    assert served(two) == before


def test_a_change_comes_by_the_one_question(proven, server):
    since = len(asked(server))
    server.state.add_vault({"id": "c", "data": "team: 2"})
    proven.wait_value("team", 2)
    server.state.add_vault({"id": "m2", "type": "monitoring", "data": "agent.more: 3"})
    proven.wait_value("agent.more", 3)
    assert set(asked(server, since)) == {"b"}


def test_the_last_vault_of_a_type_goes_when_the_ordinary_questions_say_so(proven, server):
    since = len(asked(server))
    server.state.set_vaults([CONFIG])
    proven.wait_value("agent.watched", None)
    wait_asked(server, "b*bcmb{3,}", since)
    since = len(asked(server))
    server.state.set_vaults([CONFIG, MONITORING])
    proven.wait_value("agent.watched", True)
    wait_asked(server, "b{3,}", since)


def test_nothing_is_lost_when_the_question_hides_vaults(proven, server):
    before = served(proven)
    since = len(asked(server))
    server.fail("mixed_types", endpoint="users.get_vaults", brings="config")
    wait_asked(server, "b*bcm(?:cm){4,}c?", since)
    assert served(proven) == before


def test_a_question_that_fails_falls_back_in_the_same_poll(proven, server):
    before = served(proven)
    since = len(asked(server))
    server.fail("mixed_types", endpoint="users.get_vaults", brings="error", times=4)
    wait_asked(server, "b*(?:bcm){1,2}b{3,}", since)
    server.fail("mixed_types", endpoint="users.get_vaults", brings="error")
    wait_until(lambda: asked(server, since).endswith("bcmbcmbcmcmcm"), "two questions")
    assert served(proven) == before and "event=server-failed" not in proven.log()


def test_a_server_that_was_away_is_proven_still(proven, server):
    before = served(proven)
    since = len(asked(server))
    server.fail("page", endpoint="users.get_vaults")
    proven.wait_state("offline", "degraded")
    wait_asked(server, "b+c{4,}", since)
    server.clear_failures()
    wait_asked(server, "b+c{4,}mb{3,}", since)
    assert served(proven) == before


def test_after_a_login_the_questions_are_the_ordinary_ones(home, proven, server):
    """What the joint question never shows is found then."""
    since = len(asked(server))
    home.client("reload", check=0)
    wait_asked(server, "b*cmb{3,}", since)


def test_mode_sdk_asks_for_one_type(home, two, server):
    with Daemon(home, "--mode", "sdk"):
        wait_asked(server, "c{5,}")
