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


def test_a_task_outlives_any_number_of_edits(yard, served):
    agent_stories.edits_during_a_task(yard, served, seconds=4, edits=20)


def test_no_task_is_lost_while_the_vault_changes(yard, served):
    agent_stories.many_tasks(yard, count=8, every=0.7, pause=4)


def test_no_task_is_lost_between_the_queue_and_its_start(yard, served, server):
    agent_stories.slow_handing_over(server)
    agent_stories.many_tasks(yard, count=4, every=0.7, pause=4)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("who", ["daemon", "exec", "agent"])
def test_a_kill_at_any_moment_hurts_no_task(yard, served, who, seed):
    agent_stories.killed(yard, served, who, seed)


@pytest.mark.parametrize("seed", range(2))
def test_a_kill_at_a_restart_leaves_no_agent_standing_still(yard, served, seed):
    agent_stories.killed_at_a_restart(yard, served, seed)


def test_owners_vaults_arrive(yard, served):
    agent_stories.owners_vault(yard)


@pytest.mark.parametrize("vaults", ["live", "merged"])
def test_variables_arrive(yard, served, vaults):
    agent_stories.variables_arrive(yard, served, "--vaults", vaults)


@pytest.mark.parametrize("what", agent_stories.GRABS)
@pytest.mark.parametrize("vaults", ["live", "merged"])
def test_a_vault_changes_nothing_about_login_and_identity(yard, served, what, vaults):
    with ClearMLServer() as other:
        agent_stories.a_vault_that_grabs(yard, other, served, what, "--vaults", vaults)


def test_an_agent_in_the_background_is_followed(yard, served):
    agent_stories.detached(yard, served)


def test_sigterm_is_the_agents_own_end(yard, served):
    agent_stories.stopped_by_us(yard)
