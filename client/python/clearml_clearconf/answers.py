"""What a daemon answers. No repr shows a value of the configuration: what is
logged is no place for secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Type, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Origin:
    """Where a value was written; str() of it is source:line:column."""
    layer: str
    source: str
    description: Optional[str] = None
    line: Optional[int] = None
    column: Optional[int] = None

    def __str__(self) -> str:
        place = [str(n) for n in (self.line, self.column) if n is not None]
        return ":".join([self.source, *place])


@dataclass(frozen=True)
class Candidate:
    """A value that lost."""
    origin: Origin
    value: Any = field(repr=False)


@dataclass(frozen=True)
class Leaf:
    """One value, where it is from, what it beat (strongest first), and why a
    later layer did not win."""
    path: str
    value: Any = field(repr=False)
    origin: Origin
    overridden: List[Candidate] = field(default_factory=list)
    note: Optional[str] = None


@dataclass(frozen=True)
class Change:
    """One leaf that differs: kind is added, changed or removed. old and new are
    None unless values were asked for. What follows is told by history alone, as
    far as the server says it."""
    path: str
    kind: str
    old: Any = field(default=None, repr=False)
    new: Any = field(default=None, repr=False)
    origin: Optional[Origin] = None
    scope: Optional[str] = None
    owner: Optional[str] = None
    last_update: Optional[str] = None
    revision: Optional[int] = None


@dataclass(frozen=True)
class Problem:
    """What is wrong with a text, or odd about it."""
    text: str
    line: Optional[int] = None
    column: Optional[int] = None


@dataclass(frozen=True)
class VaultCheck:
    """What a text would do as a vault; problem: why it would do nothing."""
    warnings: List[Problem]
    changes: List[Change]
    problem: Optional[Problem] = None


@dataclass(frozen=True)
class ArrivingVault:
    """One that differs: kind is added, changed or removed; last_update as the
    server writes it."""
    id: str
    kind: str
    description: Optional[str] = None
    last_update: Optional[str] = None


@dataclass(frozen=True)
class Arrival:
    """Vaults that the server has and that are not served yet: a revision, seen
    since then, in force until that moment (seconds since 1970); until None: it
    was skipped, or is called bad: by whom and why. Without vaults it is another
    order of them."""
    layer: str
    revision: str
    since: int
    vaults: List[ArrivingVault]
    until: Optional[int] = None
    bad: Optional[str] = None


@dataclass(frozen=True)
class Arrivals:
    """What waits, what is wrong with it, and what it would change."""
    arriving: List[Arrival]
    problems: List[Problem]
    changes: List[Change]


@dataclass(frozen=True)
class ArrivalDecision:
    """What was taken or skipped; kept: also over a restart. hold: what is taken is
    served when that has ended."""
    arriving: List[Arrival]
    generation: int
    kept: bool
    hold: Optional[Hold] = None


@dataclass(frozen=True)
class Update:
    """What a watch tells. value is there in the first update of a watch with
    values, also after the daemon was away, and whenever resync says that the
    changes are not known: the whole tree, or {path: value} of the paths that
    were asked for."""
    generation: int
    state: str
    changes: List[Change]
    resync: bool = False
    skipped: int = 0
    stale: Optional[int] = None
    value: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Generation:
    """What changed, when (seconds since 1970) and why: cause is file, vault,
    reload and the like."""
    generation: int
    time: int
    cause: str
    changes: List[Change]


@dataclass(frozen=True)
class Difference:
    """From one generation to another; new is None for what would be served."""
    old: int
    changes: List[Change]
    new: Optional[int] = None


@dataclass(frozen=True)
class Hold:
    """What is served is the values of this generation, until it is released or,
    where there is one, until that moment. differs: something else would be served.
    revoked: how many secrets are served that would not be."""
    generation: int
    since: int
    reason: str
    uid: int
    differs: bool
    until: Optional[int] = None
    revoked: Optional[int] = None
    revoked_secrets: List[str] = field(default_factory=list)
    revoked_vaults: List[str] = field(default_factory=list)


@dataclass(frozen=True)
class ReloadFailure:
    """What a reload could not read or reach; what it gave before is served."""
    what: str
    reason: str
    workspace: Optional[str] = None


@dataclass(frozen=True)
class Reload:
    """What came of a reload; failed is empty when all went well. arriving: the
    workspaces in which vaults wait that the server has."""
    generation: int
    changed: bool
    failed: List[ReloadFailure] = field(default_factory=list)
    arriving: List[str] = field(default_factory=list)


@dataclass(frozen=True)
class Consumer:
    """Who has the configuration: how is get, watch or what it says of itself;
    generation is what it was given last, or says that it has, and behind, in
    seconds, for how long there has been a newer one. since, held_since and
    pending_since are seconds since 1970."""
    uid: int
    how: str
    workspace: str
    since: int
    pid: Optional[int] = None
    command: Optional[str] = None
    generation: Optional[int] = None
    held_since: Optional[int] = None
    behind: Optional[int] = None
    child: Optional[int] = None
    child_generation: Optional[int] = None
    pending_since: Optional[int] = None
    waiting_for: Optional[str] = None


@dataclass(frozen=True)
class Token:
    """A token for the API server, and until when, in seconds since 1970."""
    token: str = field(repr=False)
    api_server: str
    expires_at: Optional[int] = None


@dataclass(frozen=True)
class Worker:
    """A worker of the ClearML server's, and the task that it has."""
    id: str
    task: Optional[str] = None
    last_activity: Optional[int] = None


@dataclass(frozen=True)
class Credential:
    """A key of this user's on the server, without its secret."""
    access_key: str
    current: bool
    company_id: Optional[str] = None
    label: Optional[str] = None
    last_used: Optional[int] = None
    last_used_from: Optional[str] = None
    expires: Optional[int] = None


@dataclass(frozen=True)
class KeyPair:
    """Credentials that were made now: the server never tells the secret again."""
    access_key: str
    secret_key: str = field(repr=False)
    label: Optional[str] = None
    expires: Optional[int] = None


@dataclass(frozen=True)
class Rotation:
    """The new pair is in force, in the file; the old one goes at revoke_at."""
    access_key: str
    old_access_key: str
    file: str
    revoke_at: int
    expires: Optional[int] = None


@dataclass(frozen=True)
class StorageCandidate:
    """An entry that does not fit, and why."""
    origin: Origin
    reason: str
    index: Optional[int] = None


@dataclass(frozen=True)
class Storage:
    """The credentials that ClearML would use for a URI: provider is s3, gs or
    azure, settings the entry as ClearML's own code would build it."""
    provider: str
    settings: Dict[str, Any] = field(repr=False)
    origin: Optional[Origin] = None
    rejected: List[StorageCandidate] = field(default_factory=list)


# --- from what the daemon says ------------------------------------------------

def _inner(raw: Dict[str, Any], key: str, kind: Type[T]) -> List[T]:
    return [read(kind, each) for each in raw.get(key) or ()]


_MEMBERS = {"changes": Change, "overridden": Candidate, "rejected": StorageCandidate,
            "failed": ReloadFailure, "warnings": Problem}


def read(kind: Type[T], raw: Dict[str, Any]) -> T:
    """One of the kinds above, of the members that this version knows: a later
    daemon may say more."""
    names = getattr(kind, "__dataclass_fields__")
    known = {key: raw[key] for key in names if key in raw}
    for key, member in _MEMBERS.items():
        if key in names:
            known[key] = _inner(raw, key, member)
    if "value" in names:
        known.setdefault("value", None)
    if known.get("origin") is not None:
        known["origin"] = read(Origin, known["origin"])
    if isinstance(known.get("problem"), dict):
        known["problem"] = read(Problem, known["problem"])
    return kind(**known)
