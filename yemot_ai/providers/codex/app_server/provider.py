"""Answers out of warm ``codex app-server`` processes: a thread for each call, one process for many.

    provider = CodexAppServerProvider(timeout=45.0)
    reply = await provider.start_session("מה השעה?", instructions="ענה במשפט אחד")
    reply = await provider.continue_session(reply.session, "ובלונדון?")
    await provider.aclose()

What is safe for a phone line is switched on from the start, as with ``CodexCLIProvider``; a turn costs
no start of a process. See ``server`` for what a server does and what follows from it, and ``pool`` for
when there is more than one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

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
    """Nobody listens before the answer is whole."""


class CodexAppServerProvider:
    """A provider that keeps ``codex app-server`` running for all calls: one process, more while it is full.

    A server is started at the first turn, again after a crash, and again in a forked child or on another
    event loop, which cannot use what is there. A session is ``{"thread_id", "usage", "key",
    "threads"}``: as ``CodexCLIProvider`` has it, and the earlier threads of a conversation that was forked.

    Args:
        executable: as for ``CodexCLIProvider``.
        timeout: seconds for a whole turn, the wait for a place and a start of the server included.
        instructions: how to answer, where a turn brings no instructions of its own.
        model: the model's name; None for Codex's own choice.
        sandbox: what commands of the model may do: ``read-only``, ``workspace-write`` …
        codex_home: the server's ``CODEX_HOME``; None for a home of ours, with only the login in it.
        config: further settings, as in ``codex -c key=value``.
        env: what the server needs besides the minimal environment.
        max_servers: how many servers may run at once; another one is started when those that run are full.
        max_turns: how many turns may run at once in each of them; more wait for a place.
        max_waiting: how many may wait, over all; more are refused with ``OverloadedError``.
        max_loaded: how many threads a server keeps at hand; the others it takes up from disk again.
        idle_timeout: seconds after which a server that has nothing to do ends, unless it is the only one.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
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
        self._background_tasks: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """``codex-app-server``."""
        return "codex-app-server"

    def check(self) -> Path:
        """Find the executable, without running it.

        Raises:
            CodexNotFoundError: there is none; the message says how to install it.
        """
        return self._settings.check()

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Answer the first utterance of a conversation, in a new thread.

        Args:
            prompt: what the caller said.
            instructions: how to answer; they replace Codex's own prompt.
            history: earlier exchanges, told to the model before the prompt.

        Raises:
            CodexNotFoundError: there is no such executable.
            ProviderTimeoutError: the deadline passed; the turn is over.
            ProviderError: the leaf that tells what went wrong (see ``faults``).
        """
        return await self._start(prompt, instructions, history, on_text=_ignore_text)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further utterance in the thread of ``session``.

        Raises:
            SessionLostError: Codex does not know the thread any more.
            SessionBusyError: another turn of the thread is under way.
            ProviderError: as in ``start_session``.
        """
        return await self._resume(session, prompt, instructions, on_text=_ignore_text)

    async def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        """Answer piece by piece; leaving the iteration interrupts the turn.

        Raises:
            ProviderError: as in the other two methods, also after some pieces.
        """
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        told = pieces.put_nowait
        answer = (
            self._start(prompt, instructions, history, on_text=told)
            if session is None
            else self._resume(session, prompt, instructions, on_text=told)
        )
        answering = asyncio.create_task(answer)
        answering.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            yield await answering
        finally:
            answering.cancel()
            await asyncio.wait({answering})

    async def end_session(self, session: JSON) -> None:
        """Delete what is kept of the conversation: its threads with their rollouts, and its working folder.

        The databases of a server are shared by its calls; what they hold goes when the server ends, or
        when the next one starts after it was killed together with this process.
        """
        await self._delete(_validated(session))

    async def aclose(self) -> None:
        """End the servers; a later turn starts another one."""
        await self._pool().aclose()

    async def _start(
        self, prompt: str, instructions: str | None, history: Sequence[Exchange], *, on_text: _OnText
    ) -> Reply:
        key = new_key()
        session: dict[str, Any] = {"thread_id": "", "usage": {}, "key": key, "threads": []}
        turn = self._run_turn(session, prompt_with_history(prompt, history), instructions, on_text)
        try:
            return await self._with_deadline(turn)
        except BaseException:
            # Nobody will ever go on with this thread: nothing of what the caller said may stay.
            await asyncio.shield(self._start_background(self._delete(session)))
            raise

    async def _resume(
        self, session: JSON, prompt: str, instructions: str | None, *, on_text: _OnText
    ) -> Reply:
        own = _validated(session)
        before = own["thread_id"]
        if not is_thread_id(before):
            raise SessionLostError(f"{before!r} is not a Codex thread", thread_id=before, provider=self.name)
        try:
            return await self._with_deadline(self._run_turn(own, prompt, instructions, on_text))
        except SessionLostError:
            await asyncio.shield(self._start_background(self._delete(own)))
            raise
        except BaseException:
            # The session that the caller keeps knows nothing of a fork that this turn has made.
            if own["thread_id"] != before:
                fork = {"thread_id": own["thread_id"], "threads": [], "key": ""}
                await asyncio.shield(self._start_background(self._delete(fork)))
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
        """Take a turn; ``session`` is kept to what there is to forget, also when the turn fails."""
        async with self._pool().acquire(session["thread_id"]) as server:
            home = self._settings.home
            await asyncio.to_thread(home.prepare, session["key"])
            how = self._settings.instructions_for(instructions)
            setup = ThreadConfig(
                how, home.work_dir(session["key"]), self._settings.sandbox, self._settings.model
            )
            await _ensure_thread(server, session, setup)
            return _reply(await server.run_turn(session["thread_id"], prompt, on_text), session)

    def _pool(self) -> ServerPool:
        """The servers of this loop; those of another loop, or from before a fork, are not for us."""
        self._pools = [one for one in self._pools if not one.loop.is_closed()]
        here = asyncio.get_running_loop()
        pool = next((one for one in self._pools if one.loop is here), None)
        if pool is None:
            pool = ServerPool(self._start_server, self._limits)
            self._pools.append(pool)
        return pool

    async def _start_server(self) -> AppServer:
        executable = str(self.check())
        home = self._settings.home
        key = new_key()
        leave = await asyncio.to_thread(_prepare_folders, home, key)
        env, cwd = home.environment(self._settings.env), home.work_dir(key)
        server = AppServer(max_loaded=self._max_loaded)
        told = await probe(executable, env=env, cwd=cwd)
        command = server_command(
            executable,
            capabilities=told,
            databases=home.databases_dir(key),
            models=await asyncio.to_thread(home.models_file, told.models),
            config=self._settings.config,
        )
        await server.start(command, on_exit=leave, env=env, cwd=cwd)
        return server

    async def _delete(self, session: Mapping[str, Any]) -> None:
        threads = [session["thread_id"], *reversed(session["threads"])]
        for server in self._pool().servers:
            await server.delete_threads(threads)
        home = self._settings.home
        for thread_id in threads:
            await asyncio.to_thread(home.delete_conversation, thread_id, session["key"])

    def _start_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background_tasks.add(task)
        task.add_done_callback(self._background_tasks.discard)
        return task


def _prepare_folders(home: CodexHome, key: str) -> Callable[[], None]:
    """Make the folders of a server, and take away those of dead ones; returns what takes away its own."""
    home.prepare(key)
    databases = home.databases_dir(key)
    lock = lock_folder(databases) if databases else None
    for one in unlocked_folders(databases.parent) if databases else ():
        home.delete_conversation("", one)

    def leave() -> None:
        home.delete_conversation("", key)
        if lock is not None:
            lock.close()

    return leave


async def _ensure_thread(server: AppServer, session: dict[str, Any], setup: ThreadConfig) -> None:
    """Have the thread of ``session`` at hand in ``server``; a new one, where there is none."""
    before = session["thread_id"]
    if not before:
        session["thread_id"] = await server.start_thread(setup)
    elif (now := await server.resume_thread(before, setup)) != before:
        session["threads"].append(before)
        session["thread_id"] = now


def _validated(session: JSON) -> dict[str, Any]:
    """A session as we made it; whatever is not ours in it is left out, and becomes no path."""
    found = session if isinstance(session, Mapping) else {}
    thread_id, key, usage, threads = (found.get(name) for name in ("thread_id", "key", "usage", "threads"))
    return {
        "thread_id": thread_id if isinstance(thread_id, str) else "",
        "key": key if isinstance(key, str) and is_key(key) else new_key(),
        "usage": dict(usage) if isinstance(usage, Mapping) else None,
        "threads": [one for one in threads if isinstance(one, str)] if isinstance(threads, list) else [],
    }


def _reply(outcome: TurnOutcome, session: Mapping[str, Any]) -> Reply:
    spent = usage_delta(session["usage"], outcome.usage)
    return Reply(outcome.text, {**session, "usage": dict(outcome.usage)}, spent)
