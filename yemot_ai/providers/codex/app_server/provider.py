"""Answer with running ``codex app-server`` processes: one thread per call, one process for many calls.

    provider = CodexAppServerProvider(timeout=45.0)
    ai = YemotAI(provider=provider)

The defaults are safe for a phone line, as with ``CodexCLIProvider``; a turn starts no process. See
``server`` for how a server behaves, and ``pool`` for when there is more than one.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Final, Unpack

from yemot_ai._runtime.tasks import run_shielded
from yemot_ai.errors import ProviderError, SessionLostError
from yemot_ai.providers.codex.app_server.pool import PoolLimits, ServerPool
from yemot_ai.providers.codex.app_server.server import AppServer, ThreadConfig
from yemot_ai.providers.codex.command import server_command
from yemot_ai.providers.codex.faults import makes_unusable
from yemot_ai.providers.codex.home.cleanup import lock_folder, unlocked_folders
from yemot_ai.providers.codex.home.folders import new_key
from yemot_ai.providers.codex.prompts import prompt_with_history
from yemot_ai.providers.codex.session import CodexSession
from yemot_ai.providers.codex.settings import CodexOptions, CodexSettings

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from yemot_ai.providers.codex.home.folders import CodexHome
    from yemot_ai.providers.provider import JSON, Exchange, Reply

    _OnText = Callable[[str], object] | None

__all__ = ["CodexAppServerProvider"]

_MAX_SERVERS: Final = 4
_MAX_TURNS: Final = 64
_MAX_WAITING: Final = 256
_MAX_LOADED: Final = 256
_IDLE_TIMEOUT: Final = 60.0


class CodexAppServerProvider:
    """A provider that keeps ``codex app-server`` running for all calls: one process, more when it is full.

    A server is started at the first turn and after a crash; a forked child and another event loop start
    their own. A session is that of ``CodexCLIProvider``.

    Args:
        executable: as for ``CodexCLIProvider``.
        max_servers: maximum servers; another one is started when all are full.
        max_turns: maximum turns that run at once in each server; more wait for a slot.
        max_waiting: maximum waiting turns, over all servers; more are refused with ``OverloadedError``.
        max_loaded: maximum threads that a server keeps loaded; it loads the others from disk again.
        idle_timeout: seconds after which an idle server ends, unless it is the only one.
        **options: ``timeout=60.0``, ``instructions``, ``model``, ``sandbox="read-only"``, ``codex_home``,
            ``config``, ``env``, ``mcp_servers`` and ``max_requests=30``; see ``CodexOptions``.
    """

    name = "codex-app-server"
    streams = True

    def __init__(  # noqa: PLR0913 - each is a public option
        self,
        executable: str | os.PathLike[str] = "codex",
        *,
        max_servers: int = _MAX_SERVERS,
        max_turns: int = _MAX_TURNS,
        max_waiting: int = _MAX_WAITING,
        max_loaded: int = _MAX_LOADED,
        idle_timeout: float = _IDLE_TIMEOUT,
        **options: Unpack[CodexOptions],
    ) -> None:
        self._settings = CodexSettings(executable, **options)
        self._limits = PoolLimits(
            servers=max_servers, turns=max_turns, waiting=max_waiting, idle_timeout=idle_timeout
        )
        self._max_loaded = max_loaded
        self._pools: list[ServerPool] = []

    @property
    def model(self) -> str:
        """The name of the model; "" for the default of Codex."""
        return self._settings.model or ""

    def check(self) -> Path:
        """Find the executable, without running it.

        Raises:
            CodexNotFoundError: it was not found; the message says how to install it.
            ProviderError: settings that this machine enforces would reach callers.
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
            SessionLostError: Codex does not know the thread any more, or a part of it.
            SessionBusyError: another turn of the thread is running.
            ProviderError: one of its subclasses (see ``faults``).
        """
        own = CodexSession.for_turn(session, provider=self.name)
        first = prompt_with_history(prompt, history) if session is None else prompt
        answer = functools.partial(self._answer, own, first, instructions)
        if not stream:
            yield await answer(None)
            return
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        turn = asyncio.create_task(answer(pieces.put_nowait))
        turn.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            yield await turn
        finally:
            if not turn.done():
                turn.cancel()
                await asyncio.wait({turn})

    async def warm_up(self) -> None:
        """Start a server, which the first turn uses.

        Raises:
            ProviderError: it did not start.
        """
        async with self._settings.turn(provider=self.name), self._pool().acquire():
            pass

    @property
    def waiting_turns(self) -> int:
        """How many turns wait for a server, in this process."""
        return sum(pool.waiting for pool in self._pools)

    async def end_session(self, session: JSON) -> None:
        """Delete the conversation's threads with their rollouts, and its working folder.

        The databases of a server are shared by its calls. They are deleted when the server ends; if it
        was killed together with this process, when the next one starts.
        """
        await self._delete(CodexSession.from_json(session))

    async def aclose(self) -> None:
        """End the servers; a later turn starts another one."""
        await self._pool().aclose()

    async def _answer(
        self, session: CodexSession, prompt: str, instructions: str | None, on_text: _OnText
    ) -> Reply:
        before = session.thread_id
        try:
            async with self._settings.turn(provider=self.name):
                return await self._run_turn(session, prompt, instructions, on_text)
        except BaseException as error:
            if not before or session.unusable or isinstance(error, SessionLostError):
                # The thread cannot be continued, so what the caller said must not stay on disk.
                await run_shielded(self._delete(session))
            elif session.thread_id != before:
                # The stored session does not name the fork that this turn has made.
                await run_shielded(self._delete(CodexSession(session.thread_id, key="")))
            raise

    async def _run_turn(
        self, session: CodexSession, prompt: str, instructions: str | None, on_text: _OnText
    ) -> Reply:
        """Run a turn; update ``session`` to what has to be deleted, even if the turn fails."""
        home, pool = self._settings.home, self._pool()
        await pool.use_login(await asyncio.to_thread(home.login_digest))
        async with pool.acquire(session.thread_id) as server:
            await asyncio.to_thread(home.prepare, session.key)
            await asyncio.to_thread(session.check_rollouts, home)
            config = ThreadConfig(
                instructions=self._settings.instructions_for(instructions),
                work_dir=home.work_dir(session.key),
                sandbox=self._settings.sandbox,
                model=self._settings.model,
                settings=self._settings.private_settings,
            )
            await _ensure_thread(server, session, config)
            try:
                outcome = await server.run_turn(session.thread_id, prompt, on_text)
            except ProviderError as error:
                session.unusable = makes_unusable(error, reported=not server.ended)
                raise
            return await asyncio.to_thread(session.reply, outcome, home)

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
        executable = self.check()
        home, key = self._settings.home, new_key()
        clean_up = await asyncio.to_thread(_prepare_folders, home, key)
        server = AppServer(max_loaded=self._max_loaded, max_requests=self._settings.max_requests)
        command = server_command(await self._settings.program(executable, key))
        env, cwd = self._settings.environment, home.work_dir(key)
        await server.start(command, on_exit=clean_up, env=env, cwd=cwd)
        return server

    async def _delete(self, session: CodexSession) -> None:
        threads = [session.thread_id, *reversed(session.threads)]
        for server in self._pool().servers:
            await server.delete_threads(threads)
        home = self._settings.home
        for thread_id in threads:
            await asyncio.to_thread(home.delete_conversation, thread_id, session.key)


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


async def _ensure_thread(server: AppServer, session: CodexSession, config: ThreadConfig) -> None:
    """Load the thread of ``session`` in ``server``; start one if there is none."""
    before = session.thread_id
    if not before:
        session.thread_id = await server.start_thread(config)
    elif (resumed := await server.resume_thread(before, config)) != before:
        session.threads.append(before)
        session.thread_id = resumed
