"""The control path of the stand-in ClearML server: orders by HTTP while it runs.

An order takes the server and its argument: an object is spread as keyword arguments, a list or a
scalar is the one argument, null and true mean none.
"""

import dataclasses

from clearml_errors import ApiError
from clearml_message import Answer, parse_json, encode_json

SETTABLE = ("edition", "api_version", "token_lifetime", "clock_offset", "token_claims",
            "single_additional_credentials")


def _set(server, **values):
    """Change attributes of the state."""
    wrong = set(values) - set(SETTABLE)
    if wrong:
        raise ValueError(f"cannot set {', '.join(sorted(wrong))}; only {', '.join(SETTABLE)}")
    with server.state.lock:
        for name, value in values.items():
            setattr(server.state, name, value)


def _set_vaults(server, vaults=(), company=None, raw=False):
    return server.state.set_vaults(vaults, company, raw)


def _requests(server, endpoint=None):
    return [request.as_dict() for request in server.requests(endpoint)]


def _count(server, endpoint=None):
    return server.counts() if endpoint is None else server.count(endpoint)


def _state(server):
    """All there is, for a person to look at; a test server has no secrets."""
    state = server.state
    with state.lock:
        return {"url": server.url, **{name: getattr(state, name) for name in SETTABLE},
                "companies": [dataclasses.asdict(each) for each in state.companies.values()],
                "users": [dataclasses.asdict(each) for each in state.users.values()],
                "failures": server.failures.as_list(), "count": server.counts()}


def _tasks(server):
    """What became of each task: its statuses in order, and what it printed."""
    with server.state.lock:
        return {id: {"name": task.fields["name"], "statuses": task.statuses, "log": task.log}
                for id, task in server.state.work.tasks.items()}


def _of_work(name):
    return lambda server, *args, **options: getattr(server.state.work, name)(*args, **options)


def _of_state(name):
    return lambda server, *args, **options: getattr(server.state, name)(*args, **options)


ORDERS = {
    "set": _set,
    "set_vaults": _set_vaults,
    "add_vault": lambda server, company=None, **vault: server.state.add_vault(vault, company),
    "add_company": _of_state("add_company"),
    "add_user": _of_state("add_user"),
    "add_credentials": _of_state("add_credentials"),
    "revoke_credentials": _of_state("revoke_credentials"),
    "reinstate_credentials": _of_state("reinstate_credentials"),
    "leave_company": _of_state("leave_company"),
    "rejoin_company": _of_state("rejoin_company"),
    "add_queue": _of_work("add_queue"),
    "add_task": _of_work("add_task"),
    "tasks": _tasks,
    "make_token": _of_state("make_token"),
    "invalidate_tokens": _of_state("invalidate_tokens"),
    "fail": lambda server, name, **options: server.fail(name, **options),
    "clear_failures": lambda server, **which: server.clear_failures(**which),
    "failures": lambda server: server.failures.as_list(),
    "requests": _requests,
    "count": _count,
    "clear_requests": lambda server: server.clear_requests(),
    "state": _state,
}


def answer(server, request):
    """Obey a control request."""
    try:
        orders = parse_json(request.body) if request.method != "GET" else {"state": None}
        return Answer(200, encode_json({name: obey(server, name, argument)
                                        for name, argument in orders.items()}) + b"\n")
    except (ApiError, AttributeError, KeyError, TypeError, ValueError) as error:
        return Answer(400, encode_json({"error": f"{type(error).__name__}: {error}"}) + b"\n")


def obey(server, name, argument):
    """Carry out one order."""
    if name not in ORDERS:
        raise ValueError(f"no order {name}; there are {', '.join(ORDERS)}")
    order = ORDERS[name]
    if argument is None or argument is True:
        return order(server)
    return order(server, **argument) if isinstance(argument, dict) else order(server, argument)
