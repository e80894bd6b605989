"""The stories of exec around an agent at their full length, and with ClearML's own agent; and that the
program like it is like it.

For the real one CLEARML_AGENT_SRC and CLEARML_SDK_SRC name checkouts: tests/real/README.md.
"""

import signal

import agent_stories
import checkouts
import pytest
from agents import Like, Real, Yard
from clearml_server import ClearMLServer
from harness import Home, wait_until

needs_real = pytest.mark.skipif(not (checkouts.find("AGENT") and checkouts.find("SDK")),
                                reason=checkouts.MISSING)
real = pytest.param(Real, marks=needs_real)


@pytest.fixture
def yard(home, server, kind):
    return Yard(home, server, kind)


@pytest.fixture
def served(yard, daemon):
    """A daemon that serves the yard."""
    return daemon.start()


# --- are they alike? -------------------------------------------------------------


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


@needs_real
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


# --- the stories, long -----------------------------------------------------------


@pytest.mark.parametrize("kind", [Like, real])
def test_a_task_of_a_minute_outlives_twenty_edits(yard, served):
    agent_stories.edits_during_a_task(yard, served, seconds=60, edits=20)


@pytest.mark.parametrize("kind", [Like, real])
def test_none_of_200_tasks_is_lost_while_the_vault_changes_every_second(yard, served):
    print(agent_stories.many_tasks(yard, count=200, every=1))


@pytest.mark.parametrize("kind, count, pause", [
    (Like, 60, 4), pytest.param(Real, 20, 15, marks=needs_real)])
def test_none_is_lost_with_restarts_between_them(yard, served, count, pause):
    figures = agent_stories.many_tasks(yard, count, every=0.7, pause=pause)
    print(figures)
    assert figures["restarts"] > count / 20


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("who", ["daemon", "exec", "agent"])
@pytest.mark.parametrize("kind", [Like, real])
def test_a_kill_at_any_moment_hurts_no_task(yard, served, who, seed):
    agent_stories.killed(yard, served, who, seed)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", [Like, real])
def test_a_kill_at_a_restart_leaves_no_agent_standing_still(yard, served, seed):
    agent_stories.killed_at_a_restart(yard, served, seed)


@pytest.mark.parametrize("kind", [real])
def test_owners_vaults_arrive(yard, served):
    agent_stories.owners_vault(yard)


@pytest.mark.parametrize("vaults", ["live", "merged"])
@pytest.mark.parametrize("kind", [real])
def test_variables_arrive(yard, served, vaults):
    agent_stories.variables_arrive(yard, served, "--vaults", vaults)


@pytest.mark.parametrize("what", agent_stories.GRABS)
@pytest.mark.parametrize("vaults", ["live", "merged"])
@pytest.mark.parametrize("kind", [real])
def test_a_vault_changes_nothing_about_login_and_identity(yard, served, what, vaults):
    with ClearMLServer() as other:
        agent_stories.a_vault_that_grabs(yard, other, served, what, "--vaults", vaults)


@pytest.mark.parametrize("kind", [real])
def test_an_agent_in_the_background_is_followed(yard, served):
    agent_stories.detached(yard, served)


@pytest.mark.parametrize("kind", [real])
def test_sigterm_is_the_agents_own_end(yard, served):
    agent_stories.stopped_by_us(yard)
