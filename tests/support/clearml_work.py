"""What the stand-in ClearML server knows of work: queues, tasks, workers.

A task's life (NEXT below; who forces may take any step):

    created -> queued -> in_progress -> completed | failed | stopped -> created, queued ...

An agent pops a task from a queue, which changes no status; it reports the task started, and later
completed, failed or stopped. `Work` is State.work; its methods may be called from any thread.
"""

import dataclasses
import uuid
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase

from clearml_errors import api_error
from locking import locked

NEXT = {
    "created": {"queued", "in_progress"},
    "queued": {"created", "in_progress", "stopped"},
    "in_progress": {"stopped", "failed", "created", "completed"},
    "stopped": {"closed", "created", "failed", "queued", "in_progress", "published", "completed"},
    "closed": {"created", "failed", "published", "stopped"},
    "failed": {"created", "stopped", "published", "queued"},
    "completed": {"published", "in_progress", "created"},
    "published": set(),
}
ENDED = ("completed", "failed", "stopped")
WORKER_LIFE = 600            # seconds a worker is known after its last word
REPORT_LIFE = 600            # seconds a task counts as run by the worker that reported it
RUN_BY_RESET = ("started", "completed", "last_worker", "last_worker_report", "enqueue_status")


@dataclasses.dataclass
class Queue:
    """A queue; entries are {"task", "added"}, the next one first."""

    id: str
    name: str
    company: str
    created: str
    tags: list = dataclasses.field(default_factory=list)
    system_tags: list = dataclasses.field(default_factory=list)
    entries: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Task:
    """A task: its fields as the API serves them, and what a test wants to know of its past."""

    fields: dict
    history: list = dataclasses.field(default_factory=list)   # (status, reason, message), in order
    events: list = dataclasses.field(default_factory=list)    # what events.add_batch brought

    @property
    def status(self):
        """Where in its life it is."""
        return self.fields["status"]

    @property
    def statuses(self):
        """Every status it has had, in order, repetitions left out."""
        seen = [status for status, _, _ in self.history]
        return [each for number, each in enumerate(seen) if seen[number - 1:number] != [each]]

    @property
    def log(self):
        """What was printed, as the events tell it."""
        return "".join(event["msg"] for event in self.events if event.get("type") == "log")


@dataclasses.dataclass
class Worker:
    """A worker as its user's last report left it."""

    id: str
    user: str
    company: str
    ip: str
    register_time: str
    seen: float                                               # server's time of its last word
    register_timeout: int = WORKER_LIFE
    queues: list = dataclasses.field(default_factory=list)    # ids
    queue: str = None                                         # id of the one its task came from
    task: str = None                                          # id; None: idle
    tags: list = dataclasses.field(default_factory=list)


class Work:
    """All queues, tasks and workers of a server."""

    def __init__(self, state):
        self.state, self.lock = state, state.lock
        self.queues = {}
        self.tasks = {}
        self.workers = {}    # (company, user, id) -> Worker

    # -- queues ---------------------------------------------------------------------------------

    @locked
    def add_queue(self, name, company=None, tags=(), system_tags=()):
        """A further queue; returns its id."""
        owner = self.state.company(company).id
        if any(each.name == name and each.company == owner for each in self.queues.values()):
            raise api_error("not_unique", name=name, company=owner)
        queue = Queue(uuid.uuid4().hex, name, owner, self.time(), list(tags), list(system_tags))
        self.queues[queue.id] = queue
        return queue.id

    @locked
    def queue(self, id, company):
        """A company's queue by id or name."""
        for each in self.queues.values():
            if id in (each.id, each.name) and each.company == company:
                return each
        raise api_error("invalid_queue_id", id=id, company=company)

    @locked
    def pop(self, queue):
        """Take the next entry from a queue, None when there is none.

        A task that its agent stopped after it was queued again is queued, as the server mends it.
        """
        if not queue.entries:
            return None
        entry = queue.entries.pop(0)
        task = self.tasks.get(entry["task"])
        if task is not None and task.status == "stopped":
            task.fields["status"] = "queued"
        return entry

    @locked
    def leave_queues(self, task, but=None):
        """Take a task from every queue, or every other one; how many it was in."""
        left = 0
        for queue in self.queues.values():
            kept = [each for each in queue.entries if each["task"] != task.fields["id"] or queue is but]
            left += len(queue.entries) - len(kept)
            queue.entries[:] = kept
        return left

    # -- tasks ----------------------------------------------------------------------------------

    @locked
    def add_task(self, script="", queue=None, name="task", user=None, company=None, **fields):
        """A further task that runs a Python text, queued if a queue is named; returns its id."""
        owner = self.state.user(user)
        company = self.state.company(company or owner.company).id
        now = self.time()
        task = Task({"id": uuid.uuid4().hex, "name": name, "user": owner.id, "company": company,
                     "type": "training", "status": "created", "status_reason": "",
                     "status_message": "", "status_changed": now, "created": now,
                     "last_update": now, "last_change": now, "tags": [], "system_tags": [],
                     "runtime": {}, "container": {}, "execution": {}, "hyperparams": {},
                     "script": _literal(script), **fields})
        task.history.append(("created", "", ""))
        self.tasks[task.fields["id"]] = task
        if queue is not None:
            self.enqueue(task, self.queue(queue, company))
        return task.fields["id"]

    @locked
    def task(self, id, company=None):
        """A task by id, of a company or of any."""
        task = self.tasks.get(id)
        if task is None or company not in (None, task.fields["company"]):
            raise api_error("invalid_task_id", id=id, company=company)
        return task

    @locked
    def change(self, task, status, reason="", message="", force=False, **fields):
        """Take a step of a task's life; the fields that it sets. InvalidTaskStatus if there is none."""
        if not force and status != task.status and status not in NEXT[task.status]:
            raise api_error("invalid_task_status", "Invalid status change",
                            current_status=task.status, new_status=status)
        now = self.time()
        changed = {"status": status, "status_reason": reason, "status_message": message,
                   "status_changed": now, "last_update": now, "last_change": now, **fields}
        task.fields.update(changed)
        task.history.append((status, reason, message))
        return changed

    @locked
    def enqueue(self, task, queue, reason="", message="", force=False):
        """Queue a task, out of any other queue; the fields that it sets."""
        if any(each["task"] == task.fields["id"] for each in queue.entries):
            raise api_error("task_already_queued", task=task.fields["id"])
        changed = self.change(task, "queued", reason, message, force, enqueue_status=task.status)
        queue.entries.append({"task": task.fields["id"], "added": self.time()})
        task.fields["execution"] = {**task.fields["execution"], "queue": queue.id}
        self.leave_queues(task, but=queue)
        return {**changed, "execution.queue": queue.id}

    @locked
    def dequeue(self, task, status=None, reason="", message=""):
        """Take a task that waits or runs from its queues; the fields that it sets, or None."""
        if task.status not in ("queued", "in_progress"):
            return None
        self.leave_queues(task)
        status = status or task.fields.get("enqueue_status") or "created"
        return self.change(task, status, reason, message, True, enqueue_status=None)

    @locked
    def stop(self, task, who, reason="", force=False):
        """Ask for a task's end: its worker is to end it, or without one it is stopped at once."""
        if task.status != "queued" and self._is_run_by_worker(task):
            return self.change(task, task.status, reason, "stopping", force)
        self.leave_queues(task)
        return self.change(task, "stopped", reason, f"Stopped by {who}", force)

    def _is_run_by_worker(self, task):
        reported = datetime.fromisoformat(task.fields["last_update"])
        fresh = datetime.now(timezone.utc) - reported < timedelta(seconds=REPORT_LIFE)
        return bool(task.fields.get("last_worker")) and fresh

    @locked
    def reset(self, task, force=False):
        """Make a task what it was before it ran; the fields that it sets."""
        if not force and task.status == "published":
            raise api_error("invalid_task_status", task_id=task.fields["id"], status=task.status)
        self.leave_queues(task)
        for name in RUN_BY_RESET:
            task.fields.pop(name, None)
        task.fields["execution"] = {}
        task.events.clear()
        return self.change(task, "created", "reset", "reset", force, runtime={})

    # -- workers --------------------------------------------------------------------------------

    @locked
    def register(self, id, user, company, ip="", queues=(), **fields):
        """A worker says that it is there."""
        for queue in queues or ():
            self.queue(queue, company)
        worker = Worker(id, user, company, ip, self.time(), self.state.now(), queues=list(queues),
                        **fields)
        self.workers[company, user, id] = worker
        return worker

    @locked
    def unregister(self, id, user, company):
        """A worker says that it goes."""
        self.workers.pop((company, user, id), None)

    @locked
    def report(self, id, user, company, ip="", queues=None, queue=None, task=None, tags=None):
        """What a worker is at; one that is not known is registered by that."""
        worker = self.workers.get((company, user, id)) or self.register(id, user, company, ip)
        if task:
            now = self.time()
            self.task(task, company).fields.update(last_worker=id, last_worker_report=now,
                                                   last_update=now, last_change=now)
        worker.task, worker.queue, worker.seen = task or None, queue, self.state.now()
        worker.queues = queues or worker.queues
        worker.tags = worker.tags if tags is None else tags

    @locked
    def workers_of(self, company, last_seen=None, pattern=None):
        """A company's workers, those heard of in the last seconds."""
        now = self.state.now()
        return [each for each in self.workers.values()
                if each.company == company and now - each.seen < each.register_timeout
                and (not last_seen or now - each.seen <= last_seen)
                and (not pattern or fnmatchcase(each.id, pattern))]

    def time(self):
        """Now, as fields of tasks and queues tell it."""
        return self.state.timestamp() + "+00:00"


def _literal(text):
    """The `script` of a task without a repository: its diff is the whole program."""
    return {"repository": "", "branch": "", "version_num": "", "tag": "", "working_dir": ".",
            "entry_point": "train.py", "binary": "python3", "diff": text, "requirements": {"pip": ""}}
