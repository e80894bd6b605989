"""The agent-like program beside ClearML's own, and what `clearconf exec` does around the real one.

For this CLEARML_AGENT_SRC and CLEARML_SDK_SRC name checkouts of clearml-agent 3.0.3 and clearml
2.1.7 that /usr/bin/python3 can import.
"""

import signal

import agent_stories
import pytest
from agents import Like, Real, Yard
from clearml_server import ClearMLServer
from harness import Home, wait_until

pytestmark = pytest.mark.skipif(
    not Real.is_here(), reason="CLEARML_AGENT_SRC and CLEARML_SDK_SRC name no checkouts")


def what_becomes_of_it(yard, number, busy):
    """What can be seen of an agent, by itself, and of its task after a signal."""
    task = yard.task(seconds=4)
    with yard.agent() as agent:
        yard.wait_begun(task)
        if not busy:
            yard.wait_end(task)
            yard.wait_idle()
        history = len(yard.work.task(task).history)
        agent.wait_agent()
        agent.send(number)
        wait_until(lambda: agent.process.poll() is not None
                   or busy and yard.workers == [("vm:0", None)], "its end, or its going on")
        soon = {"status": agent.process.poll(), "files": yard.files(), "workers": len(yard.workers),
                "steps": [(step, why) for step, why, _ in yard.work.task(task).history[history:]][-1:]}
        wait_until(lambda: yard.ended(task) or "stopped" in yard.work.task(task).statuses, "the end")
        return {**soon, "ended": yard.ended(task), "at last": yard.work.task(task).status}


@pytest.mark.parametrize("busy", [True, False])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_they_take_signals_alike(tmp_path, number, busy):
    seen = []
    for kind in (Like, Real):
        with ClearMLServer() as server:
            yard = Yard(Home(tmp_path / kind.name), server, kind)
            yard.edit(1)
            seen.append(what_becomes_of_it(yard, number, busy))
    assert seen[0] == seen[1]


@pytest.fixture
def yard(home, server):
    return Yard(home, server, Real)


@pytest.fixture
def served(yard, daemon):
    """A daemon that serves the yard."""
    return daemon.start()


@pytest.mark.parametrize("what", agent_stories.GRABS)
@pytest.mark.parametrize("vaults", ["live", "merged"])
def test_a_vault_changes_nothing_about_login_and_identity(yard, served, what, vaults):
    with ClearMLServer() as other:
        agent_stories.a_vault_that_grabs(yard, other, served, what, "--vaults", vaults)


def test_owners_vaults_arrive(yard, served):
    agent_stories.owners_vault(yard)
