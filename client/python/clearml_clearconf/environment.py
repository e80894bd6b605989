"""The environment for a program that runs on the configuration, as `clearconf
exec` makes it: nothing in it leads elsewhere, or lays over the file what the
file has already."""

from __future__ import annotations

import json
import os
import warnings
from typing import Any, Callable, Dict, List, MutableMapping, Optional

from .hocon import Number
from .questions import MISSING, Environment

Tree = Dict[str, Any]

GENERIC = "CLEARML_AGENT__"
_SWITCHES = ("CLEARML_DISABLE_VAULT_SUPPORT", "CLEARML_AGENT_DISABLE_VAULT_SUPPORT")
# A login of the caller's that has nothing to do with a workspace named here.
OF_THE_CALLER = ("CLEARML_AUTH_TOKEN", "TRAINS_AUTH_TOKEN")
# Where else the configuration might come from.
_OF_DEFAULTS = ("CLEARML_CONFIG_PATH", "TRAINS_CONFIG_PATH")
# The variables that ClearML's agent knows by name, and what they set. The first
# that is set counts. Those of third parties, which others read too, are not
# among them.
_NAMED = {
    "api.api_server": ("CLEARML_API_HOST", "TRAINS_API_HOST"),
    "api.files_server": ("CLEARML_FILES_HOST", "TRAINS_FILES_HOST"),
    "api.web_server": ("CLEARML_WEB_HOST", "TRAINS_WEB_HOST"),
    "api.credentials.access_key": ("CLEARML_API_ACCESS_KEY", "TRAINS_API_ACCESS_KEY"),
    "api.credentials.secret_key": ("CLEARML_API_SECRET_KEY", "TRAINS_API_SECRET_KEY"),
    "agent.worker_name": ("CLEARML_WORKER_NAME", "TRAINS_WORKER_NAME"),
    "agent.worker_id": ("CLEARML_WORKER_ID", "TRAINS_WORKER_ID"),
    "agent.cuda_version": ("CLEARML_CUDA_VERSION", "TRAINS_CUDA_VERSION"),
    "agent.cudnn_version": ("CLEARML_CUDNN_VERSION", "TRAINS_CUDNN_VERSION"),
    "agent.crash_on_exception": ("CLEARML_AGENT_CRASH_ON_EXCEPTION",),
    "agent.snug.enabled": ("CLEARML_AGENT_SNUG_ENABLED",),
    "agent.snug.report_usage_events": ("CLEARML_AGENT_SNUG_REPORT_USAGE_EVENTS",),
    "agent.snug.report_task_metrics": ("CLEARML_AGENT_SNUG_REPORT_TASK_METRICS",),
    "agent.snug.call_history": ("CLEARML_AGENT_SNUG_CALL_HISTORY",),
    "agent.snug.app_mode": ("CLEARML_AGENT_SNUG_APP_MODE",),
}
_BOOLEAN = ("agent.crash_on_exception", "agent.snug.enabled", "agent.snug.report_usage_events",
            "agent.snug.report_task_metrics")
# Keys must not be left without the host that they are for.
_LOGIN = ("api.api_server", "api.credentials.access_key", "api.credentials.secret_key")


def _differs(file: Any, over: Any) -> bool:
    """Whether one laid over the other changes a value that that one has."""
    if file is MISSING:
        return False
    if not isinstance(file, dict) or not isinstance(over, dict):
        return json.dumps(file, sort_keys=True) != json.dumps(over, sort_keys=True)
    return any(_differs(file.get(key, MISSING), value) for key, value in over.items())


def _at(path: str, value: Any) -> Any:
    for key in reversed([key for key in path.split(".") if key]):
        value = {key: value}
    return value


def _applied_again(caller: Environment, tree: Tree,
                   generic: Tree) -> List[str]:
    """Names of variables that the agent would lay over the file with another
    value than it has; host, access key and secret key all or none."""
    removed = [name for name in caller if name.startswith(GENERIC) and (
        name not in generic
        or _differs(tree, _at(_generic_path(name), generic[name])))]
    changing = {path for path in _NAMED if _changes(caller, tree, path)}
    if changing.intersection(_LOGIN):
        changing.update(_LOGIN)
    return removed + [name for path in changing for name in _NAMED[path]]


def _generic_path(name: str) -> str:
    return name[len(GENERIC):].replace("__", ".").lower()


def _changes(caller: Environment, tree: Tree, path: str) -> bool:
    text = next(filter(None, (caller.get(name) for name in _NAMED[path])), "").strip()
    value = _BOOLEANS.get(text.lower()) if path in _BOOLEAN else text
    return value not in (None, "") and _differs(tree, _at(path, value))


def _adds_defaults(path: str, status: Tree) -> bool:
    """Does the folder hold a *.conf that is none of the daemon's defaults?"""
    known = {os.path.realpath(layer["source"]) for workspace in status["workspaces"]
             for layer in workspace.get("layers", ()) if layer["layer"] == "defaults"}
    return any(name.endswith(".conf") and os.path.realpath(os.path.join(folder, name)) not in known
               for folder, _, names in os.walk(os.path.expanduser(path), followlinks=True)
               for name in names)


def _leave_container(caller: Environment, tree: Tree) -> None:
    """Out of the tree goes the container that the agent itself makes, of
    AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, at each start."""
    containers: Any = tree
    for part in ("sdk", "azure", "storage", "containers"):
        containers = containers.get(part) if isinstance(containers, dict) else None
    account = caller.get("AZURE_STORAGE_ACCOUNT", "").strip() or None
    key = caller.get("AZURE_STORAGE_KEY", "").strip() or None
    if isinstance(containers, list) and (account or key) and containers[-1:] == [
            {"account_name": account, "account_key": key}]:
        containers.pop()


# What ClearML takes from its environment before it applies the section: there a
# vault, which the section may be from, has no say.
_BEFORE_SECTION = frozenset("""
    CLEARML_API_ACCESS_KEY CLEARML_API_HOST CLEARML_API_HOST_VERIFY_CERT CLEARML_API_SECRET_KEY
    CLEARML_AUTH_TOKEN CLEARML_CONFIG_FILE CLEARML_CONFIG_PATH
    TRAINS_API_ACCESS_KEY TRAINS_API_HOST TRAINS_API_HOST_VERIFY_CERT TRAINS_API_SECRET_KEY
    TRAINS_AUTH_TOKEN TRAINS_CONFIG_FILE TRAINS_CONFIG_PATH
""".split())


def _section(tree: Tree, caller: Environment, agent: bool) -> Dict[str, str]:
    """The section `environment`, when apply_environment asks for it."""
    section = tree.get("environment")
    wishes = [_wish(tree.get("sdk"), caller.get("CLEARML_ENABLE_ENV_CONFIG_SECTION")),
              _wish(tree.get("agent"), caller.get("CLEARML_AGENT_ENABLE_ENV_CONFIG_SECTION"))]
    if not isinstance(section, dict) or True not in wishes:
        return {}
    variables = {}
    for name, value in section.items():
        text = _variable_text(value, agent)
        if not name or "=" in name or "\0" in name + text:
            warnings.warn(f"environment.{name} is left out: it cannot be a variable")
        elif name in _BEFORE_SECTION or name.startswith(GENERIC):
            warnings.warn(f"environment.{name} is left out: ClearML reads it before it applies "
                          "the section")
        else:
            variables[name] = text
    return variables


def _wish(section: Any, variable: Optional[str]) -> Optional[bool]:
    """The variable holds over what the configuration says; None: unsaid."""
    said = _BOOLEANS.get((variable or "").strip().lower())
    if said is not None:
        return said
    value = section.get("apply_environment") if isinstance(section, dict) else None
    return None if value is None else bool(value)


_BOOLEANS = {**dict.fromkeys(["y", "yes", "t", "true", "on", "1"], True),
             **dict.fromkeys(["n", "no", "f", "false", "off", "0"], False)}


def _variable_text(value: Any, agent: bool) -> str:
    """As the agent has it, or the SDK, which makes what is false or nothing an
    empty text; but JSON for lists and objects."""
    if value is None or not (agent or value):
        return ""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


# --- what a program gets ------------------------------------------------------

def live(caller: Environment) -> Dict[str, str]:
    """ClearML lays variables and vaults over the file by itself: all stays."""
    for name in _SWITCHES:
        if _BOOLEANS.get(caller.get(name, "").strip().lower()):
            warnings.warn(f"{name} is set: with live vaults ClearML is to read the vaults, "
                          "and does not")
    return dict(caller)


def merged(caller: Environment, tree: Tree, status: Tree,
           read_variables: Callable[[Environment], Tree]) -> Dict[str, str]:
    """Everything is in the file: takes out of the tree, too, what the agent adds
    by itself. read_variables: the CLEARML_AGENT__* with their values."""
    removed: List[str] = []
    agent = status["mode"] == "agent"
    if agent:
        removed = _applied_again(caller, tree, read_variables(caller))
        removed += [name for name in _OF_DEFAULTS if _adds_defaults(caller.get(name, ""), status)]
        _leave_container(caller, tree)
    environ = {name: value for name, value in caller.items() if name not in removed}
    return {**environ, **_section(tree, caller, agent), **dict.fromkeys(_SWITCHES, "1")}


def become(environ: MutableMapping[str, str], wanted: Environment) -> None:
    for name in [name for name in environ if name not in wanted]:
        del environ[name]
    for name, value in wanted.items():
        if environ.get(name) != value:
            environ[name] = value
