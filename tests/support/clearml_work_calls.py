"""The calls of the stand-in ClearML server about work: queues, tasks, workers, events.

They are as the open-source server answers an agent; what an agent does not use is left out, as are
`workers.get_runtime_properties` and `workers.cluster_report`, which it can do without.
"""

import re

from clearml_calls import Field, endpoint, present, time_text
from clearml_errors import api_error
from clearml_message import json_lines

NEEDED = Field(str, required=True)
_V2_4 = {"since": "2.4"}


def _chosen(call, things, patterns=("name",)):
    """The dicts that a get_all asks for, each with the fields it asks for."""
    data = call.data
    for key in ("id", "status", "user"):
        if data.get(key):
            things = [each for each in things if each.get(key) in data[key]]
    for key in patterns:
        if data.get(key):
            wanted = re.compile(data[key], re.IGNORECASE)
            things = [each for each in things if wanted.search(each[key])]
    return [_projected(each, data.get("only_fields")) for each in things]


def _projected(thing, names):
    """A dict with only these members, paths such as `script.diff`, and its id; all without names."""
    if not names:
        return thing
    answer = {"id": thing["id"]}
    for name in names:
        _copy(thing, answer, name.split("."))
    return answer


def _copy(source, target, path):
    if not isinstance(source, dict) or path[0] not in source:
        return
    if len(path) == 1:
        target[path[0]] = source[path[0]]
    else:
        _copy(source[path[0]], target.setdefault(path[0], {}), path[1:])


# -- queues -------------------------------------------------------------------------------------

def _queue(call):
    return call.state.work.queue(call.data["queue"], call.tenant)


def _queue_data(queue):
    return {"id": queue.id, "name": queue.name, "company": queue.company,
            "created": queue.created, "tags": queue.tags, "system_tags": queue.system_tags,
            "entries": list(queue.entries)}


@endpoint("queues.get_all", **_V2_4, id=Field(list), name=Field(str), only_fields=Field(list))
def get_all_queues(call):
    queues = [_queue_data(each) for each in call.state.work.queues.values()
              if each.company == call.tenant]
    return {"queues": _chosen(call, queues)}


@endpoint("queues.get_by_id", **_V2_4, queue=NEEDED)
def get_queue(call):
    return {"queue": _queue_data(_queue(call))}


@endpoint("queues.get_default", **_V2_4)
def get_default_queue(call):
    found = [each for each in call.state.work.queues.values()
             if each.company == call.tenant and "default" in each.system_tags]
    if not found:
        raise api_error("no_default_queue")
    return {"id": found[0].id, "name": found[0].name}


@endpoint("queues.create", **_V2_4, name=NEEDED, tags=Field(list), system_tags=Field(list))
def create_queue(call):
    return {"id": call.state.work.add_queue(call.data["name"], call.tenant,
                                            call.data.get("tags", ()),
                                            call.data.get("system_tags", ()))}


@endpoint("queues.add_task", **_V2_4, queue=NEEDED, task=NEEDED)
def add_task_to_queue(call):
    call.state.work.enqueue(_task(call), _queue(call), force=True)
    return {"added": 1}


@endpoint("queues.remove_task", **_V2_4, queue=NEEDED, task=NEEDED)
def remove_task_from_queue(call):
    removed = call.state.work.leave_queues(_task(call))
    if not removed:
        raise api_error("not_queued", task=call.data["task"], id=call.data["queue"],
                        company=call.tenant)
    return {"removed": removed}


@endpoint("queues.get_next_task", queue=NEEDED, get_task_info=Field(bool))
def get_next_task(call):
    entry = call.state.work.pop(_queue(call))
    if entry is None:
        return {}
    task = call.state.work.tasks.get(entry["task"])
    if task is None or not call.data.get("get_task_info"):
        return {"entry": entry}
    return {"entry": entry,
            "task_info": {"company": task.fields["company"], "user": task.fields["user"]}}


# -- tasks --------------------------------------------------------------------------------------

def _task(call):
    return call.state.work.task(call.data["task"], call.tenant)


def _updated(fields):
    return {"updated": 1, "fields": fields}


_WHY = {"status_reason": Field(str), "status_message": Field(str)}
_STEP = {"task": NEEDED, "force": Field(bool), **_WHY}


def _why(call):
    return call.data.get("status_reason", ""), call.data.get("status_message", "")


@endpoint("tasks.get_by_id", task=NEEDED)
def get_task(call):
    return {"task": _task(call).fields}


@endpoint("tasks.get_all", id=Field(list), name=Field(str), status=Field(list), user=Field(list),
          only_fields=Field(list))
def get_all_tasks(call):
    tasks = [each.fields for each in call.state.work.tasks.values()
             if each.fields["company"] == call.tenant]
    return {"tasks": _chosen(call, tasks)}


@endpoint("tasks.create", name=NEEDED, type=NEEDED, script=Field(dict))
def create_task(call):
    known = {key: call.data[key] for key in EDITABLE if key in call.data}
    return {"id": call.state.work.add_task(user=call.user.id, company=call.tenant, **known)}


# What a worker reports of its task: the call, the status, the times it sets and the members that the
# answer has besides.
REPORTS = {
    "started": ("in_progress", "started", {"started": 1}),
    "stopped": ("stopped", "completed", {}),
    "completed": ("completed", "completed", {"published": 0}),
    "failed": ("failed", "completed", {}),
}


def _report(name, status, clock, more):
    @endpoint(f"tasks.{name}", **_STEP)
    def report(call):
        work = call.state.work
        changed = work.change(_task(call), status, *_why(call), call.data.get("force", False),
                              **{clock: work.time()})
        return {**_updated(changed), **more}
    return report


for _name, _entry in REPORTS.items():
    _report(_name, *_entry)


@endpoint("tasks.enqueue", **_STEP, queue=Field(str), queue_name=Field(str))
def enqueue_task(call):
    named = call.data.get("queue") or call.data.get("queue_name") or get_default_queue(call)["id"]
    queue = call.state.work.queue(named, call.tenant)
    changed = call.state.work.enqueue(_task(call), queue, *_why(call), call.data.get("force", False))
    return {**_updated(changed), "queued": 1}


@endpoint("tasks.dequeue", **_STEP, new_status=Field(str))
def dequeue_task(call):
    changed = call.state.work.dequeue(_task(call), call.data.get("new_status"), *_why(call))
    return {"dequeued": 1, **({"updated": 0} if changed is None else _updated(changed))}


@endpoint("tasks.stop", **_STEP)
def stop_task(call):
    who = call.identity["user_name"]
    return _updated(call.state.work.stop(_task(call), who, _why(call)[0],
                                         call.data.get("force", False)))


@endpoint("tasks.reset", task=NEEDED, force=Field(bool))
def reset_task(call):
    return {**_updated(call.state.work.reset(_task(call), call.data.get("force", False))),
            "deleted_models": 0, "dequeued": {}}


@endpoint("tasks.ping", task=NEEDED)
def ping_task(call):
    _task(call).fields["last_update"] = call.state.work.time()
    return {}


EDITABLE = ("name", "tags", "system_tags", "type", "comment", "parent", "project", "container",
            "output_dest", "execution", "hyperparams", "configuration", "script", "runtime")


@endpoint("tasks.edit", task=NEEDED, force=Field(bool))
def edit_task(call):
    if not call.data.get("force") and _task(call).status != "created":
        raise api_error("invalid_task_status", expected="created", status=_task(call).status)
    return update_task(call)


@endpoint("tasks.update", task=NEEDED)
def update_task(call):
    changed = {key: call.data[key] for key in EDITABLE if key in call.data}
    task = _task(call)
    for key, value in changed.items():
        before = task.fields.get(key)
        merged = isinstance(before, dict) and key in ("execution", "script")
        task.fields[key] = {**before, **present(**value)} if merged else value
    task.fields["last_change"] = call.state.work.time()
    return _updated(changed)


@endpoint("tasks.set_requirements", task=NEEDED, requirements=Field(dict, required=True))
def set_requirements(call):
    _task(call).fields["script"]["requirements"] = call.data["requirements"]
    return _updated({"script.requirements": call.data["requirements"]})


# -- workers, events ----------------------------------------------------------------------------

def _worker(call):
    return call.data["worker"], call.identity["user"], call.tenant, call.request.peer


@endpoint("workers.register", **_V2_4, worker=NEEDED, queues=Field(list), tags=Field(list),
          timeout=Field(int))
def register_worker(call):
    given = {"tags": call.data.get("tags"), "register_timeout": call.data.get("timeout")}
    call.state.work.register(*_worker(call), call.data.get("queues", ()), **present(**given))
    return {}


@endpoint("workers.unregister", **_V2_4, worker=NEEDED)
def unregister_worker(call):
    call.state.work.unregister(*_worker(call)[:3])
    return {}


@endpoint("workers.status_report", **_V2_4, worker=NEEDED, timestamp=Field(int, required=True),
          task=Field(str), queue=Field(str), queues=Field(list), tags=Field(list))
def report_worker(call):
    said = (call.data.get(key) for key in ("queues", "queue", "task", "tags"))
    call.state.work.report(*_worker(call), *said)
    return {}


@endpoint("workers.get_all", **_V2_4, last_seen=Field(int), worker_pattern=Field(str))
def get_all_workers(call):
    workers = call.state.work.workers_of(call.tenant, call.data.get("last_seen", 3600),
                                         call.data.get("worker_pattern"))
    return {"workers": [_worker_data(call.state.work, each) for each in workers]}


def _worker_data(work, worker):
    task = work.tasks.get(worker.task)
    queues = {id: _queue_entry(work, id) for id in [*worker.queues, worker.queue] if id}
    return present(
        key=f"worker_{worker.company}_{worker.user}_{worker.id}", id=worker.id, ip=worker.ip,
        user={"id": worker.user, "name": work.state.users[worker.user].name},
        company={"id": worker.company, "name": work.state.companies[worker.company].name},
        task=task and {"id": worker.task, "name": task.fields["name"]},
        queue=queues.get(worker.queue), queues=[queues[id] for id in worker.queues],
        register_time=worker.register_time, register_timeout=worker.register_timeout,
        last_activity_time=time_text(worker.seen), tags=worker.tags)


def _queue_entry(work, id):
    queue = work.queues.get(id)
    if queue is None:
        return {"id": id}
    return {"id": id, "name": queue.name, "num_tasks": len(queue.entries)}


@endpoint("events.add_batch")
def add_events(call):
    events = [each for each in json_lines(call.request) if each]
    if not events:
        raise api_error("no_items")
    for event in events:
        call.state.work.task(event["task"], call.tenant).events.append(event)
    return {"added": len(events), "errors": 0, "errors_info": {}}
