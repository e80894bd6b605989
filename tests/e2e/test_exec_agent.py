"""clearconf exec around an agent (agent_like.py): no task is killed, no vault lost. The long forms of
these stories, and ClearML's own agent, are in tests/long."""

import agent_stories
import pytest
from agents import Like, Yard
from clearml_server import ClearMLServer


@pytest.fixture
def yard(home, server):
    return Yard(home, server, Like)


@pytest.fixture
def served(yard, daemon):
    """A daemon that serves the yard."""
    return daemon.start()


def test_owners_vaults_arrive(yard, served):
    agent_stories.owners_vault(yard)


@pytest.mark.parametrize("what", agent_stories.GRABS)
@pytest.mark.parametrize("vaults", ["live", "merged"])
def test_a_vault_changes_nothing_about_login_and_identity(yard, served, what, vaults):
    with ClearMLServer() as other:
        agent_stories.a_vault_that_grabs(yard, other, served, what, "--vaults", vaults)


def test_sigterm_is_the_agents_own_end(yard, served):
    agent_stories.stopped_by_us(yard)
