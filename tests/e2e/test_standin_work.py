"""The stand-in ClearML server keeps queues, tasks and workers as an agent needs them."""

import json

import pytest
from asking import BASIC, call, result
from clearml_server import USER_ID


@pytest.fixture
def work(server):
    server.state.work.add_queue("gpu")
    return server.state.work


def ask(server, action, **data):
    """The data of an answer that must be good."""
    code, subcode, answer = result(call(server, f"/v2.14/{action}", "POST", data, auth=BASIC))
    assert (code, subcode) == (200, 0), answer
    return answer


def refused(server, action, **data):
    return result(call(server, f"/v2.14/{action}", "POST", data, auth=BASIC))[:2]


def pop(server, **more):
    return ask(server, "queues.get_next_task", queue="gpu", **more)


def test_a_task_goes_through_a_queue_once(server, work):
    task = work.add_task("print('hi')", queue="gpu")
    assert pop(server, get_task_info=True)["task_info"]["user"] == USER_ID
    assert pop(server) == {}
    assert work.task(task).status == "queued"
    for step in ("started", "completed"):
        assert ask(server, f"tasks.{step}", task=task, status_message="by w")["updated"] == 1
    assert work.task(task).statuses == ["created", "queued", "in_progress", "completed"]
    assert ask(server, "tasks.get_by_id", task=task)["task"]["script"]["diff"] == "print('hi')"


def test_tasks_are_popped_in_the_order_they_were_queued(server, work):
    tasks = [work.add_task(queue="gpu") for _ in range(3)]
    assert [pop(server)["entry"]["task"] for _ in tasks] == tasks


@pytest.mark.parametrize("step, force, answer", [
    ("completed", False, (400, 110)), ("completed", True, (200, 0)), ("stopped", False, (200, 0)),
    ("failed", False, (400, 110)), ("started", False, (200, 0))])
def test_only_steps_of_a_tasks_life_are_taken(server, work, step, force, answer):
    task = work.add_task(queue="gpu")
    assert refused(server, f"tasks.{step}", task=task, force=force) == answer


def test_what_a_user_aborts_can_be_queued_and_reset(server, work):
    task = work.add_task(queue="gpu")
    pop(server)
    ask(server, "tasks.started", task=task)
    ask(server, "tasks.stopped", task=task, status_reason="user abort")
    assert work.task(task).history[-1] == ("stopped", "user abort", "")
    assert ask(server, "tasks.enqueue", task=task, queue_name="gpu")["queued"] == 1
    assert refused(server, "queues.add_task", queue="gpu", task=task) == (400, 706)
    assert ask(server, "tasks.reset", task=task)["fields"]["status"] == "created"
    assert pop(server) == {}


def test_a_task_is_stopped_by_its_worker_or_at_once_without_one(server, work):
    alone, busy = work.add_task(queue="gpu"), work.add_task(queue="gpu")
    ask(server, "tasks.started", task=busy)
    ask(server, "workers.status_report", worker="w", timestamp=0, task=busy)
    for task in (alone, busy):
        ask(server, "tasks.stop", task=task)
    assert work.task(alone).status == "stopped"
    assert (work.task(busy).status, work.task(busy).fields["status_message"]) == \
        ("in_progress", "stopping")


def test_a_queued_task_is_dequeued_to_what_it_was(server, work):
    task = work.add_task(queue="gpu")
    assert ask(server, "tasks.dequeue", task=task)["fields"]["status"] == "created"
    assert pop(server) == {} and ask(server, "tasks.dequeue", task=task)["updated"] == 0


def test_a_worker_is_idle_busy_and_gone(server, work):
    def seen():
        return [(each["id"], each.get("task", {}).get("id"))
                for each in ask(server, "workers.get_all", last_seen=60)["workers"]]
    queue = ask(server, "queues.get_all", name="gpu", only_fields=["id"])["queues"][0]["id"]
    task = work.add_task(queue="gpu")
    ask(server, "workers.register", worker="w", queues=[queue])
    assert seen() == [("w", None)]
    ask(server, "workers.status_report", worker="w", timestamp=0, task=task, queue=queue)
    assert seen() == [("w", task)]
    ask(server, "workers.status_report", worker="w", timestamp=0)
    assert seen() == [("w", None)]
    server.state.clock_offset = 61
    assert seen() == []
    server.state.clock_offset = 0
    ask(server, "workers.unregister", worker="w")
    assert seen() == [] and ask(server, "workers.get_all")["workers"] == []


def test_only_the_fields_asked_for(server, work):
    task = work.add_task("x = 1", name="fit")
    found = ask(server, "tasks.get_all", id=[task], only_fields=["status", "script.diff", "no.such"])
    assert found["tasks"] == [{"id": task, "status": "created", "script": {"diff": "x = 1"}}]
    assert [each["id"] for each in ask(server, "tasks.get_all", name="^FIT$")["tasks"]] == [task]


def test_edit_is_for_who_forces_or_for_a_new_task(server, work):
    task = work.add_task(queue="gpu")
    assert refused(server, "tasks.edit", task=task, runtime={"a": 1}) == (400, 110)
    ask(server, "tasks.edit", task=task, force=True, runtime={"a": 1}, execution={"docker_cmd": "x"})
    fields = work.task(task).fields
    assert fields["runtime"] == {"a": 1} and fields["execution"]["docker_cmd"] == "x"
    assert fields["execution"]["queue"] == work.queue("gpu", fields["company"]).id


def test_log_lines_are_the_tasks(server, work):
    task = work.add_task()
    lines = [{"type": "log", "task": task, "msg": text} for text in ("one\n", "two\n")]
    reply = call(server, "/v2.14/events.add_batch", "POST", "\n".join(map(json.dumps, lines)),
                 auth=BASIC, headers={"Content-Type": "application/json-lines"})
    assert result(reply)[2]["added"] == 2 and work.task(task).log == "one\ntwo\n"


@pytest.mark.parametrize("action, data, answer", [
    ("queues.get_next_task", {"queue": "none"}, (400, 701)),
    ("tasks.get_by_id", {"task": "none"}, (400, 101)),
    ("queues.create", {"name": "gpu"}, (400, 801)),
    ("queues.get_default", {}, (400, 707)),
    ("events.add_batch", {}, (400, 17)),
    ("tasks.started", {}, (400, 12))])
def test_what_is_not_there_is_an_error(server, work, action, data, answer):
    assert refused(server, action, **data) == answer


def test_another_companys_work_is_not_seen(server, work):
    other = server.state.add_company("other")
    stranger = server.state.add_user("Eve", other)
    task = work.add_task(user=stranger)
    assert refused(server, "tasks.get_by_id", task=task) == (400, 101)
    assert ask(server, "tasks.get_all")["tasks"] == []


def test_tasks_by_the_control_path(server):
    orders = {"add_queue": "gpu", "add_task": {"script": "x = 1", "queue": "gpu"}, "tasks": None}
    answer = call(server, "/_control", "POST", orders, auth=None).json
    assert answer["tasks"] == {answer["add_task"]: {"name": "task", "log": "",
                                                    "statuses": ["created", "queued"]}}
