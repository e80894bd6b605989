"""ClearML's own agent with tasks, under exec: the stories of agent_stories.py, short. At full length:
tests/long/test_exec_agent_long.py."""

import agent_stories
import pytest
from agents import Real, Yard
from checkouts import require


@pytest.fixture
def yard(home, server):
    require("AGENT")
    require("SDK")
    return Yard(home, server, Real)


@pytest.fixture
def served(yard, daemon):
    return daemon.start()


def test_a_task_outlives_edits_of_the_vault(yard, served):
    agent_stories.edits_during_a_task(yard, served, seconds=8, edits=3)


def test_none_of_ten_tasks_is_lost_while_the_vault_changes(yard, served):
    print(agent_stories.many_tasks(yard, count=10, every=1))


def test_sigterm_is_the_agents_own_end(yard, served):
    agent_stories.stopped_by_us(yard)
