"""Answer with running ``codex app-server`` processes: one thread per call, one process for many calls.

    provider = CodexAppServerProvider(timeout=45.0)
    ai = YemotAI(provider=provider)

The defaults are safe for a phone line, as with ``CodexCLIProvider``; a turn starts no process. See
``server`` for how a server behaves, and ``pool`` for when there is more than one.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from yemot_ai._runtime.tasks import run_shielded
from yemot_ai.errors import ProviderError, ProviderTimeoutError, SessionLostError
from yemot_ai.providers.codex.app_server.pool import PoolLimits, ServerPool
from yemot_ai.providers.codex.app_server.server import AppServer, ThreadConfig
from yemot_ai.providers.codex.capabilities import probe
from yemot_ai.providers.codex.cleanup import lock_folder, unlocked_folders
from yemot_ai.providers.codex.command import server_command
from yemot_ai.providers.codex.events import usage_delta
from yemot_ai.providers.codex.home import CodexHome, is_key, is_thread_id, new_key
from yemot_ai.providers.codex.prompts import prompt_with_history
from yemot_ai.providers.codex.settings import CodexSettings
from yemot_ai.providers.provider import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
    from pathlib import Path

    from yemot_ai.providers.codex.command import Setting
    from yemot_ai.providers.codex.events import TurnOutcome
    from yemot_ai.providers.provider import JSON, Exchange

    _OnText = Callable[[str], object]

__all__ = ["CodexAppServerProvider"]

_MAX_SERVERS: Final = 4
_MAX_TURNS: Final = 64
_MAX_WAITING: Final = 256
_MAX_LOADED: Final = 256
_IDLE_TIMEOUT: Final = 60.0


def _ignore_text(_piece: str) -> None:
    """Ignore the pieces: the caller of this turn wants the whole answer."""


class CodexAppServerProvider:
    """A provider that keeps ``codex app-server`` running for all calls: one process, more when it is full.

    A server is started at the first turn and after a crash; a forked child and another event loop start
    their own. A session is ``{"thread_id", "usage", "key", "threads"}``: as that of ``CodexCLIProvider``,
    and the earlier threads of a conversation that was forked.

    Args:
        executable: as for ``CodexCLIProvider``.
        timeout: seconds for a whole turn, with the wait for a slot and the start of a server.
        instructions: how to answer a turn that has no instructions.
        model: the model's name; None for Codex's own choice.
        sandbox: what commands of the model may do: ``read-only``, ``workspace-write`` …
        codex_home: the server's ``CODEX_HOME``; None for a private home with only the login in it.
        config: further settings, as in ``codex -c key=value``.
        env: variables to add to the minimal environment of the server.
        max_servers: maximum servers; another one is started when all are full.
        max_turns: maximum turns that run at once in each server; more wait for a slot.
        max_waiting: maximum waiting turns, over all servers; more are refused with ``OverloadedError``.
        max_loaded: maximum threads that a server keeps loaded; it loads the others from disk again.
        idle_timeout: seconds after which an idle server ends, unless it is the only one.
    """

    name = "codex-app-server"
    streams = True

    def __init__(  # noqa: PLR0913 - each is a public option
        self,
        executable: str | os.PathLike[str] = "codex",
        *,
        timeout: float = 60.0,
        instructions: str | None = None,
        model: str | None = None,
        sandbox: str = "read-only",
        codex_home: str | os.PathLike[str] | None = None,
        config: Mapping[str, Setting] | None = None,
        env: Mapping[str, str] | None = None,
        max_servers: int = _MAX_SERVERS,
        max_turns: int = _MAX_TURNS,
        max_waiting: int = _MAX_WAITING,
        max_loaded: int = _MAX_LOADED,
        idle_timeout: float = _IDLE_TIMEOUT,
    ) -> None:
        self._settings = CodexSettings(
            executable=executable,
            timeout=timeout,
            instructions=instructions,
            model=model,
            sandbox=sandbox,
            codex_home=codex_home,
            config=dict(config or {}),
            env=dict(env or {}),
        )
        self._limits = PoolLimits(
            servers=max_servers, turns=max_turns, waiting=max_waiting, idle_timeout=idle_timeout
        )
        self._max_loaded = max_loaded
        self._pools: list[ServerPool] = []

    def check(self) -> Path:
        """Find the executable, without running it.

        Raises:
            CodexNotFoundError: it was not found; the message says how to install it.
        """
        return self._settings.check()

    async def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
    ) -> AsyncIterator[str | Reply]:
        """Answer an utterance in the thread of ``session``, or in a new one.

        Leaving the iteration interrupts the turn.

        Args:
            prompt: what the caller said.
            session: the last reply's; None for a new thread.
            instructions: how to answer; they replace Codex's own prompt.
            history: earlier exchanges, sent to the model before the prompt of a new thread.
            stream: whether pieces are wanted.

        Yields:
            With ``stream``, pieces of the answer; last the reply.

        Raises:
            CodexNotFoundError: there is no such executable.
            ProviderTimeoutError: the deadline passed; the turn was interrupted.
            SessionLostError: Codex does not know the thread any more.
            SessionBusyError: another turn of the thread is running.
            ProviderError: one of its subclasses (see ``faults``).
        """
        answer = functools.partial(
            self._start if session is None else self._resume, prompt, session, instructions, history
        )
        if not stream:
            yield await answer(on_text=_ignore_text)
            return
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        turn = asyncio.create_task(answer(on_text=pieces.put_nowait))
        turn.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            yield await turn
        finally:
            turn.cancel()
            await asyncio.wait({turn})

    async def end_session(self, session: JSON) -> None:
        """Delete the conversation's threads with their rollouts, and its working folder.

        The databases of a server are shared by its calls. They are deleted when the server ends; if it
        was killed together with this process, when the next one starts.
        """
        await self._delete(_validated(session))

    async def aclose(self) -> None:
        """End the servers; a later turn starts another one."""
        await self._pool().aclose()

    async def _start(
        self,
        prompt: str,
        _session: JSON,
        instructions: str | None,
        history: Sequence[Exchange],
        *,
        on_text: _OnText,
    ) -> Reply:
        session: dict[str, Any] = {"thread_id": "", "usage": {}, "key": new_key(), "threads": []}
        turn = self._run_turn(session, prompt_with_history(prompt, history), instructions, on_text)
        try:
            return await self._with_deadline(turn)
        except BaseException:
            # The thread cannot be continued, so what the caller said must not stay on disk.
            await run_shielded(self._delete(session))
            raise

    async def _resume(
        self,
        prompt: str,
        session: JSON,
        instructions: str | None,
        _history: Sequence[Exchange],
        *,
        on_text: _OnText,
    ) -> Reply:
        own = _validated(session)
        before = own["thread_id"]
        if not is_thread_id(before):
            raise SessionLostError(f"{before!r} is not a Codex thread", thread_id=before, provider=self.name)
        try:
            return await self._with_deadline(self._run_turn(own, prompt, instructions, on_text))
        except SessionLostError:
            await run_shielded(self._delete(own))
            raise
        except BaseException:
            # The stored session does not name the fork that this turn has made.
            if own["thread_id"] != before:
                fork = {"thread_id": own["thread_id"], "threads": [], "key": ""}
                await run_shielded(self._delete(fork))
            raise

    async def _with_deadline(self, turn: Coroutine[Any, Any, Reply]) -> Reply:
        try:
            with self._settings.redact_secrets():
                async with asyncio.timeout(self._settings.timeout):
                    return await turn
        except ProviderError as error:
            error.provider = self.name
            raise
        except TimeoutError as error:
            raise ProviderTimeoutError(seconds=self._settings.timeout, provider=self.name) from error
        except OSError as error:
            raise self._settings.start_error(error, provider=self.name) from error

    async def _run_turn(
        self, session: dict[str, Any], prompt: str, instructions: str | None, on_text: _OnText
    ) -> Reply:
        """Run a turn; update ``session`` to what has to be deleted, even if the turn fails."""
        async with self._pool().acquire(session["thread_id"]) as server:
            home = self._settings.home
            await asyncio.to_thread(home.prepare, session["key"])
            config = ThreadConfig(
                instructions=self._settings.instructions_for(instructions),
                work_dir=home.work_dir(session["key"]),
                sandbox=self._settings.sandbox,
                model=self._settings.model,
            )
            await _ensure_thread(server, session, config)
            return _reply(await server.run_turn(session["thread_id"], prompt, on_text), session)

    def _pool(self) -> ServerPool:
        """Return the pool of this loop; those of other loops, or from before a fork, cannot be used."""
        self._pools = [pool for pool in self._pools if not pool.loop.is_closed()]
        loop = asyncio.get_running_loop()
        pool = next((pool for pool in self._pools if pool.loop is loop), None)
        if pool is None:
            pool = ServerPool(self._start_server, self._limits)
            self._pools.append(pool)
        return pool

    async def _start_server(self) -> AppServer:
        executable = str(self.check())
        home = self._settings.home
        key = new_key()
        clean_up = await asyncio.to_thread(_prepare_folders, home, key)
        env, cwd = home.environment(self._settings.env), home.work_dir(key)
        server = AppServer(max_loaded=self._max_loaded)
        capabilities = await probe(executable, env=env, cwd=cwd)
        command = server_command(
            executable,
            capabilities=capabilities,
            databases=home.databases_dir(key),
            models=await asyncio.to_thread(home.models_file, capabilities.models),
            config=self._settings.config,
        )
        await server.start(command, on_exit=clean_up, env=env, cwd=cwd)
        return server

    async def _delete(self, session: Mapping[str, Any]) -> None:
        threads = [session["thread_id"], *reversed(session["threads"])]
        for server in self._pool().servers:
            await server.delete_threads(threads)
        home = self._settings.home
        for thread_id in threads:
            await asyncio.to_thread(home.delete_conversation, thread_id, session["key"])


def _prepare_folders(home: CodexHome, key: str) -> Callable[[], None]:
    """Create a server's folders and delete those of dead ones; return the cleanup function."""
    home.prepare(key)
    databases = home.databases_dir(key)
    lock = lock_folder(databases) if databases else None
    for dead_key in unlocked_folders(databases.parent) if databases else ():
        home.delete_conversation("", dead_key)

    def clean_up() -> None:
        home.delete_conversation("", key)
        if lock is not None:
            lock.close()

    return clean_up


async def _ensure_thread(server: AppServer, session: dict[str, Any], config: ThreadConfig) -> None:
    """Load the thread of ``session`` in ``server``; start one if there is none."""
    before = session["thread_id"]
    if not before:
        session["thread_id"] = await server.start_thread(config)
    elif (resumed := await server.resume_thread(before, config)) != before:
        session["threads"].append(before)
        session["thread_id"] = resumed


def _validated(session: JSON) -> dict[str, Any]:
    """Return the valid parts of a session; an invalid key must not become a path."""
    fields = session if isinstance(session, Mapping) else {}
    thread_id, key, usage, threads = (fields.get(name) for name in ("thread_id", "key", "usage", "threads"))
    return {
        "thread_id": thread_id if isinstance(thread_id, str) else "",
        "key": key if isinstance(key, str) and is_key(key) else new_key(),
        "usage": dict(usage) if isinstance(usage, Mapping) else None,
        "threads": [thread for thread in threads if isinstance(thread, str)]
        if isinstance(threads, list)
        else [],
    }


def _reply(outcome: TurnOutcome, session: Mapping[str, Any]) -> Reply:
    spent = usage_delta(session["usage"], outcome.usage)
    return Reply(outcome.text, {**session, "usage": dict(outcome.usage)}, spent)
