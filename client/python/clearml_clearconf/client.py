"""Client: asks, and waits for the answer."""

from __future__ import annotations

import contextlib
import os
import random
import time
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional

from . import environment as environments
from . import questions
from .asking import Asking, Following
from .connection import WORKSPACE, Connection
from .errors import INTERFACE, NoDaemon, NotReady, PathNotFound, QuotaExceeded, TimedOut
from .given import Given, give
from .hocon import decode_exactly
from .questions import MISSING, Environment, Path, Question, Raw, T, sendable

if TYPE_CHECKING:
    from .answers import (ArrivalDecision, Arrivals, Consumer, Credential, Difference, Generation, Hold, KeyPair,
                          Leaf, Reload, Rotation, Storage, Token, Update, VaultCheck, Worker)

_LATER = 0.5  # seconds until a question is asked again


class Client(Asking):
    __doc__ = f"""{Asking.__doc__}

    Each call is a connection of its own, so a Client may be shared by threads
    and survives a fork."""

    # --- the configuration ---

    def get(self, path: Path = "", default: Any = MISSING, *,
            environment: Optional[Environment] = None, mask: Optional[bool] = None,
            view: Optional[str] = None, require_vaults: bool = False) -> Any:
        """The value at a path, as json.loads makes it; the default, or
        PathNotFound without one, when there is nothing.

        environment: resolve with these variables (os.environ, say) in place of
        the daemon's. mask: True shows secrets as ****; False demands real values
        or AccessDenied; None is real values to whom may have them, and for
        others AccessDenied where the answer would hold a masked one. view:
        "merged" and "live" are what ClearML is to read as its file, see
        exec_environment(). require_vaults: NotReady without the vaults of the
        workspace, in place of a warning where its login should bring some."""
        try:
            return self._ask(questions.get(path, self.workspace, environment, mask, view,
                                           require_vaults))
        except PathNotFound:
            if default is MISSING:
                raise
        except NoDaemon as error:
            if default is MISSING or not self._goes_without(error):
                raise
        return default

    def explain(self, path: Path = "", *, reveal: bool = False,
                environment: Optional[Environment] = None) -> List[Leaf]:
        """Each leaf at or below a path, where it is from and what it beat;
        secrets are **** unless revealed. environment: as in get()."""
        return self._ask(questions.explain(path, self.workspace, reveal, environment))

    def watch(self, *paths: Path, since: Optional[int] = None, values: bool = False,
              reveal: Optional[bool] = None) -> Iterator[Update]:
        """What changes at or below the paths (anywhere without one), for ever;
        the first update is the state of now, or what has changed since. One
        without changes tells of another state, such as refused.

        A daemon that goes away is waited for: the first update after it has what
        was missed, or resync; with values it has the whole value, as the first of
        all. Only at the start is a daemon that is not there an error."""
        following = Following(self, paths, since, values, reveal)
        try:
            socket = self._find()
            yield from self._hear(socket, following)
        except NoDaemon as error:
            if not self._goes_without(error):
                raise
            return
        while True:
            time.sleep(following.pause())
            yield from self._hear(socket, following)

    def history(self, limit: Optional[int] = None, *, reveal: bool = False) -> List[Generation]:
        """The last generations, newest first, with their changes."""
        return self._ask(questions.history(limit, self.workspace, reveal))

    def check_vault(self, text: str, *, replaces: Optional[str] = None,
                    format: Optional[str] = None, reveal: bool = False) -> VaultCheck:
        """What a text would do as a vault, the last of all or in the place of the
        one of this name or id, before it is saved. format: hocon, json or yaml."""
        return self._ask(questions.check_vault(text, self.workspace, replaces, format, reveal))

    def arrivals(self, *, reveal: bool = False) -> Arrivals:
        """The vaults that wait for their time, and what they would change."""
        return self._ask(questions.arrivals(self.workspace, reveal))

    def take_arrivals(self, revision: Optional[str] = None) -> ArrivalDecision:
        """What waits, or was skipped, is served now; that of this revision alone."""
        return self._ask(questions.take_arrivals(self.workspace, revision))

    def skip_arrivals(self, revision: Optional[str] = None) -> ArrivalDecision:
        """What waits is not served until the server has something else."""
        return self._ask(questions.skip_arrivals(self.workspace, revision))

    def diff(self, old: Optional[int] = None, new: Optional[int] = None, *,
             reveal: bool = False) -> Difference:
        """From one generation to another, or to what is served; without any, from what
        is served to what would be if nothing were held."""
        return self._ask(questions.diff(old, new, self.workspace, reveal))

    def hold(self, reason: str, generation: Optional[int] = None, *,
             duration: Optional[int] = None) -> Hold:
        """What is served stays, or goes back to a generation, until release() or for so
        many seconds, whatever comes; also over restarts."""
        return self._ask(questions.hold(reason, generation, duration, self.workspace))

    def release(self) -> int:
        """Ends a hold; the generation that is served then."""
        return self._ask(questions.release(self.workspace))

    def status(self) -> Raw:
        """The daemon's Status, as the interface describes it."""
        return self._ask(questions.status())

    def storage(self, uri: str, *, reveal: bool = False,
                environment: Optional[Environment] = None) -> Storage:
        """The credentials that ClearML would use for a URI such as
        s3://bucket/path; NoStorageMatch when there are none. environment: as in
        get(), for variables such as AWS_PROFILE."""
        return self._ask(questions.storage(uri, self.workspace, reveal, environment))

    # --- the daemon and its workspaces ---

    def reload(self) -> Reload:
        """Settings, files and vaults are read again; answers when done."""
        return self._ask(questions.reload())

    def workspaces(self) -> List[Raw]:
        """Each a Workspace as the interface describes it; one is active."""
        return self._ask(questions.workspaces())

    def use_workspace(self, name: str) -> int:
        """Makes it the active one of the host; the new generation."""
        return self._ask(questions.use_workspace(name))

    def consumers(self) -> List[Consumer]:
        """Who has the configuration, and which generation; without the right
        `read` of a workspace this user's own alone."""
        return self._ask(questions.consumers())

    @contextlib.contextmanager
    def reporting(self, how: str, command: Optional[str] = None,
                  child: Optional[int] = None, *, generation: Optional[int] = None,
                  child_generation: Optional[int] = None) -> Iterator[None]:
        """While in the block, `clearconf status` lists this process as one that
        runs something on the configuration: how, which command and process, and
        the generation that each has."""
        question = questions.report(how, self.workspace, command, generation, child,
                                    child_generation)
        with contextlib.closing(self._connect(self._find())) as connection:
            connection.send(question)
            connection.receive(question)
            yield

    # --- the ClearML server ---

    def prove_credentials(self) -> Optional[int]:
        """Logs in with the key pair; when the server took it, in seconds since
        1970, None when it is logged in with a token alone."""
        return self._ask(questions.prove_credentials(self.workspace))

    def token(self, lifetime: Optional[int] = None) -> Token:
        """A new token for the API server, for so many seconds."""
        return self._ask(questions.token(self.workspace, lifetime))

    def profile(self) -> Raw:
        """user, workspace (the company) and preferences, as the server has them."""
        return self._ask(questions.profile(self.workspace))

    def workers(self, worker: Optional[str] = None) -> List[Worker]:
        """All workers that the server knows, or the one of this id."""
        return self._ask(questions.workers(self.workspace, worker))

    def credentials(self) -> List[Credential]:
        """The keys of this user's, without their secrets."""
        return self._ask(questions.credentials(self.workspace))

    def create_credentials(self, label: Optional[str] = None,
                           lifetime: Optional[int] = None) -> KeyPair:
        """A new key pair; the server never tells its secret again."""
        return self._ask(questions.create_credentials(self.workspace, label, lifetime))

    def edit_credentials(self, access_key: str, label: Optional[str] = None) -> bool:
        """Gives a key this label, or none."""
        return self._ask(questions.edit_credentials(self.workspace, access_key, label))

    def rotate_credentials(self, grace: Optional[int] = None,
                           lifetime: Optional[int] = None) -> Rotation:
        """A new pair in the workspace's credentials_file, in force; the old one
        is revoked after so many seconds."""
        return self._ask(questions.rotate_credentials(self.workspace, grace, lifetime))

    def revoke_credentials(self, access_key: str, force: bool = False) -> bool:
        """Revokes a key; force: the one that is in use, too."""
        return self._ask(questions.revoke_credentials(self.workspace, access_key, force))

    def call(self, method: str, **parameters: Any) -> Raw:
        """Call a method of io.clearconf ("GetProfile"), or of another interface
        by its full name; its answer. Parameters that are None are left out."""
        return self._ask(questions.call(method, parameters))

    # --- a configuration for programs ---

    @contextlib.contextmanager
    def configured(self, vaults: str = "merged",
                   require_vaults: bool = False) -> Iterator[Optional[str]]:
        """Point this process, and what it starts, at the configuration for as
        long as the block lasts; yields the file's path. The environment is that
        of exec_environment() meanwhile. ClearML reads its configuration when it
        first needs it, not when it is imported: whatever uses ClearML has to be
        in the block. For a whole process there is configure()."""
        with self.exec_environment(None, vaults, require_vaults) as environ:
            before = dict(os.environ)
            environments.become(os.environ, environ)
            try:
                yield environ.get("CLEARML_CONFIG_FILE")
            finally:
                environments.become(os.environ, before)

    @contextlib.contextmanager
    def exec_environment(self, environ: Optional[Environment] = None, vaults: str = "merged",
                         require_vaults: bool = False) -> Iterator[Dict[str, str]]:
        """The environment for a command to run on the configuration, as
        `clearconf exec` makes it: resolved with the caller's, with
        CLEARML_CONFIG_FILE for as long as the block lasts.

            with client.exec_environment() as env:
                subprocess.run(["python", "train.py"], env=env, check=True)

        vaults: "merged" into the file, ClearML's own reading of them being off
        and those of its variables gone that would change what the file has from
        a vault; or "live": the file has what is below variables and vaults, and
        ClearML lays both over it. Run clearml-agent by `clearconf exec`, which
        has it so, keeps vaults out of its tasks' login and restarts it when it
        is idle. require_vaults: wait for the vaults of the workspace as long as
        timeout says, and NotReady without them."""
        caller = dict(os.environ if environ is None else environ)
        given = self.prepare(caller, vaults, require_vaults)
        if not given:
            yield caller
            return
        try:
            yield given.environ
        finally:
            given.folder.leave()

    def prepare(self, caller: Environment, vaults: str,
                require_vaults: bool) -> Optional[Given]:
        """The environment and the file, for as long as its user wants; None
        where there is no daemon, and none is needed."""
        if vaults not in ("merged", "live"):
            raise ValueError(f"vaults are merged or live, not {vaults!r}")
        try:
            tree: Raw = self._get_when_started(caller, require_vaults, view=vaults) or {}
        except NoDaemon as error:
            if not self._goes_without(error):
                raise
            return None
        if vaults == "live":
            variables = environments.live(caller)
        else:
            variables = environments.merged(caller, tree, self.status(), self._read_variables)
        if self.workspace:
            variables = {name: value for name, value in variables.items()
                         if name not in environments.OF_THE_CALLER}
            variables[WORKSPACE] = self.workspace
        wish = (self.socket, self.workspace, vaults, require_vaults)
        return give(tree, variables, caller, wish)

    # --- asking ---

    def _connect(self, socket: str) -> Connection:
        return Connection(socket, self.timeout, self.any_server)

    def _ask(self, question: Question[T]) -> T:
        with contextlib.closing(self._connect(self._find())) as connection:
            connection.send(question)
            return connection.receive(question)[0]

    def _hear(self, socket: str, following: Following) -> Iterator[Update]:
        """Each answer of one call; the first has to come in time."""
        question = following.question()
        try:
            with contextlib.closing(self._connect(socket)) as connection:
                connection.send(question, more=True)
                more = True
                while more:
                    update, more = connection.receive(question)
                    connection.set_timeout(None)
                    yield following.heard(update)
        except (NoDaemon, TimedOut):
            if not following.begun:
                raise

    def _read_variables(self, environ: Environment) -> Raw:
        """The CLEARML_AGENT__* with their values, as HOCON: the daemon reads
        them, under a key of ours. One that cannot be read is left out."""
        names = [name for name in environ if name.startswith(environments.GENERIC)]
        if not names:
            return {}
        others = {name: value for name, value in environ.items() if name not in names}
        under = f"{environments.GENERIC}CLEARCONF_EXEC__"
        ours = {f"{under}{number}": environ[name] for number, name in enumerate(names)}
        try:
            found = self._get_when_started({**others, **ours}, False, path="clearconf_exec")
        except PathNotFound:
            return {}
        return {name: found[str(number)] for number, name in enumerate(names)
                if str(number) in found}

    def _get_when_started(self, environ: Environment, require_vaults: bool, **more: str) -> Any:
        """With real values, once the vaults are in."""
        question = Question("Get", {"workspace": self.workspace, "mask": False,
                                    "environment": sendable(environ),
                                    "require_vaults": require_vaults or None, **more},
                            lambda raw: raw, decode_exactly)
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        while True:
            late = deadline is not None and time.monotonic() >= deadline
            try:
                answer = self._ask(question)
                if answer["state"] != "starting":
                    questions.warn_of_lack(answer)
                    return answer.get("value")
                if late:
                    raise NotReady(f"{INTERFACE}.NotReady", {
                        "reason": "the vaults are not in yet (state starting)"})
            except (NotReady, QuotaExceeded) as error:
                if late or not error.passes:
                    raise
            time.sleep(_LATER * random.uniform(0.5, 1))
