"""What can be asked: for each method of io.clearconf its parameters, and what
is made of its answer. Who asks, and waits, is Client or AsyncClient."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass
from typing import (TYPE_CHECKING, Any, Callable, Dict, Generic, List, Mapping, Optional, Sequence,
                    TypeVar, Union)

from .errors import INTERFACE, AccessDenied

if TYPE_CHECKING:
    from . import answers

MASK = "****"
MISSING: Any = object()

Path = Union[str, Sequence[str]]  # "a.b", or the keys ["a", "key with.dots"]
Environment = Mapping[str, str]
T = TypeVar("T")
Raw = Dict[str, Any]


@dataclass(frozen=True)
class Question(Generic[T]):
    """A call of a method; understand makes the result of each answer's
    parameters, decode the parameters of their text."""
    method: str
    parameters: Raw
    understand: Callable[[Raw], T]
    decode: Callable[[str], Any] = json.loads

    def message(self, more: bool = False) -> bytes:
        """As it is sent; parameters that are None are left out."""
        name = self.method if "." in self.method else f"{INTERFACE}.{self.method}"
        call: Raw = {"method": name, "parameters": {
            key: value for key, value in self.parameters.items() if value is not None}}
        if more:
            call["more"] = True
        return json.dumps(call).encode() + b"\0"


def _read(kind: str, raw: Raw) -> Any:
    """One of answers' kinds. Those take longer to make than all else here, and
    configure() is in the way of every start: it does without."""
    from . import answers
    return answers.read(getattr(answers, kind), raw)


def _of(kind: str, method: str, /, **parameters: Any) -> Question[Any]:
    return Question(method, parameters, lambda raw: _read(kind, raw))


def _member(name: str, method: str, /, **parameters: Any) -> Question[Any]:
    return Question(method, parameters, lambda raw: raw.get(name))


def _list(name: str, kind: str, method: str, /, **parameters: Any) -> Question[Any]:
    return Question(method, parameters, lambda raw: [_read(kind, each) for each in raw[name]])


# --- paths and environments ---------------------------------------------------

def join_path(*keys: str) -> str:
    """The path of these keys; one with a special character becomes a JSON
    string: join_path("sdk", "a.b") is 'sdk."a.b"'."""
    return ".".join(key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)
                    for key in keys)


def as_text(path: Path) -> str:
    return path if isinstance(path, str) else join_path(*path)


def sendable(environ: Optional[Environment]) -> Optional[Dict[str, str]]:
    """JSON is UTF-8; a variable that is not cannot be sent."""
    if environ is None:
        return None
    return {name: value for name, value in environ.items()
            if _is_utf8(name) and _is_utf8(value)}


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# --- the configuration --------------------------------------------------------

def call(method: str, parameters: Raw) -> Question[Raw]:
    return Question(method, parameters, lambda raw: raw)


def get(path: Path, workspace: Optional[str], environment: Optional[Environment],
        mask: Optional[bool], view: Optional[str], require_vaults: bool) -> Question[Any]:
    def understand(raw: Raw) -> Any:
        warn_of_lack(raw)
        value = raw.get("value")
        if mask is None and raw.get("masked") and _holds_mask(value):
            raise AccessDenied(f"{INTERFACE}.AccessDenied", {"right": "secrets"})
        return value
    return Question("Get", {"path": as_text(path), "workspace": workspace, "mask": mask,
                            "environment": sendable(environment), "view": view,
                            "require_vaults": require_vaults or None}, understand)


def warn_of_lack(raw: Raw) -> None:
    """Of the vaults that ought to be in."""
    if raw.get("without_vaults"):
        warnings.warn(f"the vaults are not in: {raw['without_vaults']}")
    for why in raw.get("left_out") or ():
        warnings.warn(why)


def _holds_mask(value: Any) -> bool:
    if isinstance(value, str):
        return MASK in value
    if isinstance(value, dict):
        return any(map(_holds_mask, value.values()))
    return isinstance(value, list) and any(map(_holds_mask, value))


def explain(path: Path, workspace: Optional[str], reveal: bool,
            environment: Optional[Environment]) -> Question[List[answers.Leaf]]:
    def understand(raw: Raw) -> List[answers.Leaf]:
        warn_of_lack(raw)
        return [_read("Leaf", each) for each in raw["leaves"]]
    return Question("Explain", {"path": as_text(path), "workspace": workspace, "reveal": reveal,
                                "environment": sendable(environment)}, understand)


def watch(paths: Sequence[Path], workspace: Optional[str], since: Optional[int], values: bool,
          reveal: Optional[bool]) -> Question[answers.Update]:
    return _of("Update", "Watch", paths=[as_text(path) for path in paths] or None,
               workspace=workspace, since=since, values=values or None, reveal=reveal,
               states=True)


def check_vault(text: str, workspace: Optional[str], replaces: Optional[str],
                format: Optional[str], reveal: bool) -> Question[answers.VaultCheck]:
    return _of("VaultCheck", "CheckVault", text=text, workspace=workspace, replaces=replaces,
               format=format, reveal=reveal)


def arrivals(workspace: Optional[str], reveal: bool) -> Question[answers.Arrivals]:
    return _of("Arrivals", "GetArrivals", workspace=workspace, reveal=reveal)


def take_arrivals(workspace: Optional[str],
                  revision: Optional[str]) -> Question[answers.ArrivalDecision]:
    return _of("ArrivalDecision", "TakeArrivals", workspace=workspace, revision=revision)


def skip_arrivals(workspace: Optional[str],
                  revision: Optional[str]) -> Question[answers.ArrivalDecision]:
    return _of("ArrivalDecision", "SkipArrivals", workspace=workspace, revision=revision)


def history(limit: Optional[int], workspace: Optional[str],
            reveal: bool) -> Question[List[answers.Generation]]:
    return _list("generations", "Generation", "History", limit=limit, workspace=workspace,
                 reveal=reveal)


def diff(old: Optional[int], new: Optional[int], workspace: Optional[str],
         reveal: bool) -> Question[answers.Difference]:
    return _of("Difference", "Diff", old=old, new=new, workspace=workspace, reveal=reveal)


def hold(reason: str, generation: Optional[int], duration: Optional[int],
         workspace: Optional[str]) -> Question[answers.Hold]:
    def understand(raw: Raw) -> answers.Hold:
        held: answers.Hold = _read("Hold", raw["hold"])
        return held
    return Question("Hold", {"reason": reason, "generation": generation, "duration": duration,
                             "workspace": workspace}, understand)


def release(workspace: Optional[str]) -> Question[int]:
    return _member("generation", "Release", workspace=workspace)


def status() -> Question[Raw]:
    return _member("status", "GetStatus")


def storage(uri: str, workspace: Optional[str], reveal: bool,
            environment: Optional[Environment]) -> Question[answers.Storage]:
    parameters = {"uri": uri, "workspace": workspace, "reveal": reveal,
                  "environment": sendable(environment)}
    def understand(raw: Raw) -> answers.Storage:
        found: answers.Storage = _read("Storage", raw["storage"])
        return found
    return Question("ResolveStorage", parameters, understand)


# --- the daemon and its workspaces --------------------------------------------

def reload() -> Question[answers.Reload]:
    return _of("Reload", "Reload")


def workspaces() -> Question[List[Raw]]:
    return _member("workspaces", "ListWorkspaces")


def use_workspace(name: str) -> Question[int]:
    return _member("generation", "UseWorkspace", name=name)


def report(how: str, workspace: Optional[str], command: Optional[str], generation: Optional[int],
           child: Optional[int], child_generation: Optional[int]) -> Question[Raw]:
    return call("ReportConsumer", {"how": how, "workspace": workspace, "command": command,
                                   "generation": generation, "child": child,
                                   "child_generation": child_generation})


def consumers() -> Question[List[answers.Consumer]]:
    return _list("consumers", "Consumer", "ListConsumers")


# --- the ClearML server -------------------------------------------------------

def prove_credentials(workspace: Optional[str]) -> Question[Optional[int]]:
    return _member("proved_at", "ProveCredentials", workspace=workspace)


def token(workspace: Optional[str], lifetime: Optional[int]) -> Question[answers.Token]:
    return _of("Token", "GetToken", workspace=workspace, lifetime=lifetime)


def profile(workspace: Optional[str]) -> Question[Raw]:
    return call("GetProfile", {"workspace": workspace})


def workers(workspace: Optional[str], worker: Optional[str]) -> Question[List[answers.Worker]]:
    return _list("workers", "Worker", "GetWorkers", workspace=workspace, id=worker)


def credentials(workspace: Optional[str]) -> Question[List[answers.Credential]]:
    return _list("credentials", "Credential", "ListCredentials", workspace=workspace)


def create_credentials(workspace: Optional[str], label: Optional[str],
                       lifetime: Optional[int]) -> Question[answers.KeyPair]:
    return _of("KeyPair", "CreateCredentials", workspace=workspace, label=label,
               lifetime=lifetime)


def edit_credentials(workspace: Optional[str], access_key: str,
                     label: Optional[str]) -> Question[bool]:
    return _member("updated", "EditCredentials", workspace=workspace, access_key=access_key,
                   label=label)


def rotate_credentials(workspace: Optional[str], grace: Optional[int],
                       lifetime: Optional[int]) -> Question[answers.Rotation]:
    return _of("Rotation", "RotateCredentials", workspace=workspace, grace=grace,
               lifetime=lifetime)


def revoke_credentials(workspace: Optional[str], access_key: str,
                       force: bool) -> Question[bool]:
    return _member("revoked", "RevokeCredentials", workspace=workspace, access_key=access_key,
                   force=force)
