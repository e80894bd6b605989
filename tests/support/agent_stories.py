"""What must be true of `clearconf exec` around an agent, as stories with figures: short ones for
every run of the tests, long ones with ClearML's own agent too. Each takes a Yard whose daemon runs.
"""

import contextlib
import json
import os
import random
import signal
import threading
import time

import agent_like
from agents import VAULT_SECRET, kill
from clearml_work import ENDED
from harness import wait_until

QUIET = 4                    # seconds in which a second restart would have come


class Editing:
    """While in it the vault is another one every so often; `turn` counts."""

    def __init__(self, yard, every):
        self.yard, self.every, self.turn = yard, every, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._edit)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _edit(self):
        while not self._stop.wait(self.every):
            self.turn += 1
            self.yard.edit(self.turn)


def wait_served(daemon, turn):
    """Until the daemon has this vault; ClearML's own reading has it at once."""
    wait_until(lambda: daemon.get().get("turn") == turn, f"turn {turn}")


def edits_during_a_task(yard, daemon, seconds, edits):
    """However often the vault changes, a task runs to its end; the next has the newest; one restart."""
    yard.edit(0)
    with yard.agent(exec=()) as agent:
        yard.wait_idle()
        wait_served(daemon, 0)
        task = yard.task(seconds)
        yard.wait_begun(task)
        for turn in range(1, edits + 1):
            yard.edit(turn)
            time.sleep(seconds * 0.8 / edits)
        assert yard.starts() == 1, agent.output()
        assert yard.readable() == []
        following = yard.task()
        yard.wait_end(task, following, deadline=seconds + 60)
        assert yard.value(task) == 0 and yard.value(following) == edits
        wait_until(lambda: yard.starts() == 2, "the restart")
        yard.wait_idle()
        time.sleep(QUIET)
        assert yard.starts() == 2, agent.output_of_exec()
        last = yard.task()
        yard.wait_end(last)
        assert yard.value(last) == edits
        agent.end()
    assert yard.files() == []


def wait_restart(yard):
    """The next one: a slow machine has no rest between two tasks otherwise."""
    starts = yard.starts()
    wait_until(lambda: yard.starts() > starts, "a restart", 120)


def many_tasks(yard, count, every, pause=0, seed=1):
    """Tasks queued one after the other, with a pause of up to so many seconds, and each ten of them
    with a restart, while the vault changes: none is lost, none aborted, each has a vault that is newer
    than those before it."""
    moments = random.Random(seed)
    yard.edit(0)
    with yard.agent(exec=()) as agent, Editing(yard, every) as editing:
        tasks = []
        for number in range(1, count + 1):
            before = editing.turn
            tasks.append(yard.task())
            wait_until(lambda: len(yard.queued()) < 2, "the queue", 120)
            time.sleep(moments.uniform(0, pause))
            if pause and number % 10 == 0:
                wait_restart(yard)
        yard.wait_end(*tasks, deadline=120)
        assert all(yard.ended(task) for task in tasks)
        aborted = [task for task in tasks if "stopped" in yard.work.task(task).statuses]
        assert aborted == [], agent.output()
        values = [yard.value(task) for task in tasks]
        assert values == sorted(values) and values[-1] >= before, values
        restarts = yard.starts() - 1
        wait_until(lambda: yard.starts() > 1, "a restart, at the latest now")
        return {"tasks": count, "restarts": restarts, "edits": editing.turn}


def slow_handing_over(server):
    """A task is popped half a second before its agent knows, and known to be at work later still."""
    server.fail("late", endpoint="queues.get_next_task", seconds=0.5)
    for endpoint in ("tasks.started", "workers.status_report"):
        server.fail("delay", endpoint=endpoint, seconds=0.4)


def killed(yard, daemon, who, seed):
    """kill -9 of the daemon, of exec or of the agent at any moment: the task's program runs to its
    end, nobody may read a secret, and who is orphaned is known."""
    pause = random.Random(seed).uniform(0, 3)
    yard.edit(0)
    with yard.agent(exec=()) as agent:
        yard.wait_idle()
        pid = agent.wait_agent()
        task = yard.task(seconds=2)
        with Editing(yard, 0.2):
            time.sleep(pause)
            {"daemon": lambda: (daemon.stop(signal.SIGKILL), daemon.start()),
             "exec": lambda: kill(agent.process.pid),
             "agent": lambda: assert_followed(yard, agent, task, pid)}[who]()
        assert yard.readable() == []
        if who != "agent":
            yard.wait_end(task)
        if who == "exec":
            wait_until(lambda: f"consumer-gone-child-lives pid={agent.process.pid} uid={os.getuid()} "
                       f"child={pid}" in daemon.log(), "the daemon's word about it")
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: yard.workers == [] and yard.files() == [], "its end", 60)


def killed_at_a_restart(yard, daemon, seed):
    """kill -9 of exec about when it restarts an idle agent: the agent goes on, or has ended in order."""
    pause = random.Random(seed).uniform(1, 4)
    yard.edit(0)
    with yard.agent(exec=()) as agent:
        yard.wait_idle()
        yard.edit(1)
        time.sleep(pause)
        kill(agent.process.pid)
        agent.process.wait()
        assert yard.readable() == []
        task = yard.task()
        wait_until(lambda: yard.work.task(task).status == "completed"
                   or not agent.pid_of("daemon") and yard.files() == [], "work, or the agent's end", 60)


def assert_followed(yard, agent, task, pid):
    """Of an agent that is killed the task, if it has one, runs on, and exec says so and waits for it."""
    children = agent_like.children().get(pid, [])
    kill(pid)
    if not children or yard.ended(task):
        return
    wait_until(lambda: yard.ended(task) or agent.process.poll() is not None, "the end", 30)
    assert yard.ended(task), agent.output()
    assert f"process {children[0]}" in agent.output_of_exec()


def owners_vault(yard, *words):
    """A task run as its owner gets its owner's vault, newest, with the section `environment` of it."""
    owner = yard.state.add_user("Olga")
    yard.state.user().role = "admin"
    yard.state.set_vaults([{"id": "agent's", "data": '{"turn": 0, "whose": "agent"}'},
                           {"id": "owner's", "data": '{"whose": "owner"}', "user": owner}])
    with yard.agent("--use-owner-token", exec=words):
        yard.wait_idle()
        yard.state.add_vault({"id": "owner's", "data": json.dumps(
            {"whose": "the owner now", "environment": {"OWNED": "yes"}})})
        tasks = [yard.task(says="whose", user=owner), yard.task(says="whose")]
        yard.wait_end(*tasks)
        told = [yard.said(task) for task in tasks]
        assert [each["value"] for each in told] == ["the owner now", "agent"]
        assert [each["env"].get("OWNED") for each in told] == ["yes", None]
        assert not any("CLEARML_API_SECRET_KEY" in each["env"] for each in told)


THIRD_PARTIES = {"AWS_ACCESS_KEY_ID": "AKIA0123456789ABCDEF", "CUDA_VERSION": "12.4",
                 "AWS_SECRET_ACCESS_KEY": "aws-0123456789", "AWS_SESSION_TOKEN": "session-0123456789",
                 "GOOGLE_APPLICATION_CREDENTIALS": "/google.json"}


def variables_arrive(yard, daemon, *words):
    """A task has third parties' variables, whole, and ClearML's are its configuration."""
    yard.edit(1, given={"by_vault": 7})
    wait_served(daemon, 1)
    with yard.agent(exec=words, env={**THIRD_PARTIES, "CLEARML_AGENT__GIVEN__BY_VARIABLE": "5"}):
        task = yard.task(says="given")
        yard.wait_end(task)
    env = yard.said(task)["env"]
    assert {name: env.get(name) for name in THIRD_PARTIES} == THIRD_PARTIES
    assert yard.value(task) == {"by_variable": 5, "by_vault": 7}


GRABS = {
    "a host": lambda other: {"api_server": other.url, "web_server": other.url},
    "a host and keys": lambda other: {
        "api_server": other.url, "files_server": other.url, "verify_certificate": False,
        "credentials": {"access_key": "A" * 30, "secret_key": VAULT_SECRET}},
    "keys": lambda other: {"credentials": {"access_key": "A" * 30, "secret_key": VAULT_SECRET}},
}


def a_vault_that_grabs(yard, other, daemon, what, *words):
    """A vault that sets where and with what to log in, and who the agent is, changes neither: two
    agents are two workers, and no request, let alone a key, goes to the vault's host."""
    yard.vault({"turn": 1, "api": GRABS[what](other),
                "agent": {"worker_id": "fixed-id", "worker_name": "hers", "default_python": "3.6"}})
    wait_served(daemon, 1)
    with yard.agent(exec=words), contextlib.ExitStack() as stack:
        yard.wait_idle()
        stack.enter_context(yard.agent(exec=words))
        yard.wait_idle(2)
        task = yard.task(says="turn")
        yard.wait_status(task, *ENDED)
        assert sorted(id for id, _ in yard.workers) == ["vm:0", "vm:1"]
    assert other.counts() == {} and yard.work.task(task).status == "completed", yard.log_of(task)
    assert yard.value(task) == 1


def detached(yard, daemon):
    """An agent that goes into the background is followed: its file stays, and it ends with exec."""
    yard.edit(0)
    with yard.agent("--detached", exec=()) as agent:
        task = yard.task()
        yard.wait_end(task)      # by then it has gone into the background
        pid = agent.wait_agent()
        assert agent.process.poll() is None and pid != agent.process.pid
        assert pid in agent_like.children()[agent.process.pid]
        assert agent.end() == agent_like.INTERRUPTED
        assert (agent.below(), yard.files(), yard.workers) == ([], [], [])


def stopped_by_us(yard):
    """SIGTERM is the agent's own end: its task is `stopped`, and nothing is left."""
    yard.edit(0)
    with yard.agent(exec=()) as agent:
        task = yard.task(seconds=60)
        yard.wait_begun(task)
        assert agent.end() == agent_like.INTERRUPTED
        assert yard.work.task(task).history[-1][:2] == ("stopped", "user abort")
        assert (agent.below(), yard.files(), yard.workers) == ([], [], [])
