"""AsyncClient: asks, and awaits the answer."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any, AsyncIterator, Awaitable, Dict, List, Optional, Tuple

from . import questions
from .answers import (ArrivalDecision, Arrivals, Consumer, Credential, Difference, Generation, Hold, KeyPair, Leaf,
                      Reload, Rotation, Storage, Token, Update, VaultCheck, Worker)
from .asking import Asking, Following
from .client import Client
from .connection import MESSAGE_LIMIT, broken, check_server, closed, too_late, understand
from .errors import NoDaemon, PathNotFound, ProtocolError, TimedOut
from .questions import MISSING, Environment, Path, Question, Raw, T


class _Connection:
    """One Varlink connection; each step has so many seconds, None for ever."""

    def __init__(self, path: str, timeout: Optional[float]) -> None:
        self.path, self.timeout = path, timeout

    async def open(self, any_server: bool) -> None:
        if sys.platform == "win32":
            raise NoDaemon("no daemon: this system has no Unix sockets")
        self.reader, self.writer = await self._do(
            asyncio.open_unix_connection(self.path, limit=MESSAGE_LIMIT))
        if not any_server:
            try:
                check_server(self.writer.get_extra_info("socket"), self.path)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        self.writer.close()

    async def _do(self, step: Awaitable[T]) -> T:
        try:
            return await asyncio.wait_for(step, self.timeout)
        except asyncio.TimeoutError:
            raise too_late(self.path) from None
        except asyncio.LimitOverrunError:
            raise ProtocolError(f"an answer over the limit of {MESSAGE_LIMIT} bytes") from None
        except asyncio.IncompleteReadError:
            raise closed(self.path) from None
        except OSError as error:
            raise broken(self.path, error) from error

    async def send(self, question: Question[Any], more: bool = False) -> None:
        self.writer.write(question.message(more))
        await self._do(self.writer.drain())

    async def receive(self, question: Question[T]) -> Tuple[T, bool]:
        """As understand() has it."""
        text = await self._do(self.reader.readuntil(b"\0"))
        return understand(text[:-1], question)


class AsyncClient(Asking):
    __doc__ = f"""{Asking.__doc__}

    The methods are those of Client, to be awaited; watch() is for `async for`,
    reporting() and exec_environment() are for `async with`."""

    # --- the configuration ---

    async def get(self, path: Path = "", default: Any = MISSING, *,
                  environment: Optional[Environment] = None, mask: Optional[bool] = None,
                  view: Optional[str] = None, require_vaults: bool = False) -> Any:
        """As Client.get()."""
        try:
            return await self._ask(questions.get(path, self.workspace, environment, mask, view,
                                                 require_vaults))
        except PathNotFound:
            if default is MISSING:
                raise
        except NoDaemon as error:
            if default is MISSING or not self._goes_without(error):
                raise
        return default

    async def explain(self, path: Path = "", *, reveal: bool = False,
                      environment: Optional[Environment] = None) -> List[Leaf]:
        """As Client.explain()."""
        return await self._ask(questions.explain(path, self.workspace, reveal, environment))

    async def watch(self, *paths: Path, since: Optional[int] = None, values: bool = False,
                    reveal: Optional[bool] = None) -> AsyncIterator[Update]:
        """As Client.watch()."""
        following = Following(self, paths, since, values, reveal)
        try:
            socket = self._find()
            async for update in self._hear(socket, following):
                yield update
        except NoDaemon as error:
            if not self._goes_without(error):
                raise
            return
        while True:
            await asyncio.sleep(following.pause())
            async for update in self._hear(socket, following):
                yield update

    async def history(self, limit: Optional[int] = None, *,
                      reveal: bool = False) -> List[Generation]:
        """As Client.history()."""
        return await self._ask(questions.history(limit, self.workspace, reveal))

    async def check_vault(self, text: str, *, replaces: Optional[str] = None,
                          format: Optional[str] = None, reveal: bool = False) -> VaultCheck:
        """As Client.check_vault()."""
        return await self._ask(questions.check_vault(text, self.workspace, replaces, format,
                                                     reveal))

    async def arrivals(self, *, reveal: bool = False) -> Arrivals:
        """As Client.arrivals()."""
        return await self._ask(questions.arrivals(self.workspace, reveal))

    async def take_arrivals(self, revision: Optional[str] = None) -> ArrivalDecision:
        """As Client.take_arrivals()."""
        return await self._ask(questions.take_arrivals(self.workspace, revision))

    async def skip_arrivals(self, revision: Optional[str] = None) -> ArrivalDecision:
        """As Client.skip_arrivals()."""
        return await self._ask(questions.skip_arrivals(self.workspace, revision))

    async def diff(self, old: Optional[int] = None, new: Optional[int] = None, *,
                   reveal: bool = False) -> Difference:
        """As Client.diff()."""
        return await self._ask(questions.diff(old, new, self.workspace, reveal))

    async def hold(self, reason: str, generation: Optional[int] = None, *,
                   duration: Optional[int] = None) -> Hold:
        """As Client.hold()."""
        return await self._ask(questions.hold(reason, generation, duration, self.workspace))

    async def release(self) -> int:
        """As Client.release()."""
        return await self._ask(questions.release(self.workspace))

    async def status(self) -> Raw:
        """As Client.status()."""
        return await self._ask(questions.status())

    async def storage(self, uri: str, *, reveal: bool = False,
                      environment: Optional[Environment] = None) -> Storage:
        """As Client.storage()."""
        return await self._ask(questions.storage(uri, self.workspace, reveal, environment))

    # --- the daemon and its workspaces ---

    async def reload(self) -> Reload:
        """As Client.reload()."""
        return await self._ask(questions.reload())

    async def workspaces(self) -> List[Raw]:
        """As Client.workspaces()."""
        return await self._ask(questions.workspaces())

    async def use_workspace(self, name: str) -> int:
        """As Client.use_workspace()."""
        return await self._ask(questions.use_workspace(name))

    async def consumers(self) -> List[Consumer]:
        """As Client.consumers()."""
        return await self._ask(questions.consumers())

    @contextlib.asynccontextmanager
    async def reporting(self, how: str, command: Optional[str] = None,
                        child: Optional[int] = None, *, generation: Optional[int] = None,
                        child_generation: Optional[int] = None) -> AsyncIterator[None]:
        """As Client.reporting()."""
        question = questions.report(how, self.workspace, command, generation, child,
                                    child_generation)
        async with self._connected(self._find()) as connection:
            await connection.send(question)
            await connection.receive(question)
            yield

    # --- the ClearML server ---

    async def prove_credentials(self) -> Optional[int]:
        """As Client.prove_credentials()."""
        return await self._ask(questions.prove_credentials(self.workspace))

    async def token(self, lifetime: Optional[int] = None) -> Token:
        """As Client.token()."""
        return await self._ask(questions.token(self.workspace, lifetime))

    async def profile(self) -> Raw:
        """As Client.profile()."""
        return await self._ask(questions.profile(self.workspace))

    async def workers(self, worker: Optional[str] = None) -> List[Worker]:
        """As Client.workers()."""
        return await self._ask(questions.workers(self.workspace, worker))

    async def credentials(self) -> List[Credential]:
        """As Client.credentials()."""
        return await self._ask(questions.credentials(self.workspace))

    async def create_credentials(self, label: Optional[str] = None,
                                 lifetime: Optional[int] = None) -> KeyPair:
        """As Client.create_credentials()."""
        return await self._ask(questions.create_credentials(self.workspace, label, lifetime))

    async def edit_credentials(self, access_key: str, label: Optional[str] = None) -> bool:
        """As Client.edit_credentials()."""
        return await self._ask(questions.edit_credentials(self.workspace, access_key, label))

    async def rotate_credentials(self, grace: Optional[int] = None,
                                 lifetime: Optional[int] = None) -> Rotation:
        """As Client.rotate_credentials()."""
        return await self._ask(questions.rotate_credentials(self.workspace, grace, lifetime))

    async def revoke_credentials(self, access_key: str, force: bool = False) -> bool:
        """As Client.revoke_credentials()."""
        return await self._ask(questions.revoke_credentials(self.workspace, access_key, force))

    async def call(self, method: str, **parameters: Any) -> Raw:
        """As Client.call()."""
        return await self._ask(questions.call(method, parameters))

    # --- a configuration for programs ---

    @contextlib.asynccontextmanager
    async def exec_environment(self, environ: Optional[Environment] = None, vaults: str = "merged",
                               require_vaults: bool = False) -> AsyncIterator[Dict[str, str]]:
        """As Client.exec_environment(), which does the work in a thread."""
        given = Client(**self.__dict__).exec_environment(environ, vaults, require_vaults)
        loop = asyncio.get_running_loop()
        env = await loop.run_in_executor(None, given.__enter__)
        try:
            yield env
        finally:
            given.__exit__(None, None, None)

    # --- asking ---

    @contextlib.asynccontextmanager
    async def _connected(self, socket: str) -> AsyncIterator[_Connection]:
        connection = _Connection(socket, self.timeout)
        await connection.open(self.any_server)
        try:
            yield connection
        finally:
            connection.close()

    async def _ask(self, question: Question[T]) -> T:
        async with self._connected(self._find()) as connection:
            await connection.send(question)
            return (await connection.receive(question))[0]

    async def _hear(self, socket: str, following: Following) -> AsyncIterator[Update]:
        """Each answer of one call; the first has to come in time."""
        question = following.question()
        try:
            async with self._connected(socket) as connection:
                await connection.send(question, more=True)
                more = True
                while more:
                    update, more = await connection.receive(question)
                    connection.timeout = None
                    yield following.heard(update)
        except (NoDaemon, TimedOut):
            if not following.begun:
                raise
