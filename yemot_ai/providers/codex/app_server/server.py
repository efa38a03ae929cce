"""One ``codex app-server`` process: started, initialised, and asked for threads and turns.

Measured on 0.169, and what follows from it here:

* A thread that is loaded in a server is locked to it: another server is told "already has an active
  writer". It forks the thread instead; the fork remembers, goes by another id, and needs the older
  rollout, so the ids of a conversation's threads are kept until it ends.
* A loaded thread keeps the instructions that it was loaded with, also over a ``thread/resume``; after a
  ``thread/unsubscribe`` it takes new ones.
* A ``turn/start`` into a running turn is silently taken as part of that turn, and its words are answered
  there: so a second turn of a thread is refused here.
* A turn can be interrupted as soon as ``turn/started`` was told, not before ("no active turn to interrupt").
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import MalformedStreamError, ProviderCrashError, SessionBusyError
from yemot_ai.providers.codex.app_server.jsonrpc import NotRpcError, Rpc, RpcError
from yemot_ai.providers.codex.app_server.turn import Turn
from yemot_ai.providers.codex.child import Child
from yemot_ai.providers.codex.faults import fault
from yemot_ai.providers.codex.home import is_thread_id

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from yemot_ai.errors import ProviderError
    from yemot_ai.providers.codex.events import Outcome

__all__ = ["AppServer", "Setup"]

_CLIENT: Final = {"clientInfo": {"name": "yemot-ai", "title": "yemot-ai", "version": "1"}}
_INTERRUPT_GRACE: Final = 2.0
"""Seconds in which a server must have ended a turn that it was told to end; else it is deaf."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a thread is to be.

    Attributes:
        instructions: they replace Codex's own prompt.
        work: its empty working folder.
        sandbox: ``read-only`` …
        model: the model's name; None for Codex's own choice.
    """

    instructions: str
    work: Path
    sandbox: str
    model: str | None

    def params(self, thread_id: str = "") -> dict[str, Any]:
        """The parameters of ``thread/start``, or of ``thread/resume`` and ``thread/fork``."""
        named = {"threadId": thread_id, "excludeTurns": True} if thread_id else {}
        model = {"model": self.model} if self.model else {}
        return {
            "approvalPolicy": "never",
            "sandbox": self.sandbox,
            "baseInstructions": self.instructions,
            "cwd": str(self.work),
            **model,
            **named,
        }


class AppServer:
    """A running server, on one event loop.

    Args:
        loaded: how many threads it keeps loaded between turns; those used longest ago it lets go.
    """

    def __init__(self, *, loaded: int) -> None:
        self._rpc = Rpc(self._write, self._hear)
        self._child: Child | None = None
        self._broken: NotRpcError | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._turns: dict[str, Turn] = {}
        self._told: dict[str, str] = {}
        self._loaded = loaded
        self._errands: set[asyncio.Task[None]] = set()
        self.ended = False

    async def start(
        self, command: Sequence[str], *, after: Callable[[], object], env: Mapping[str, str], cwd: Path
    ) -> None:
        """Start the process and shake hands; ``after`` is called once the process is gone.

        Raises:
            ProviderError: it ended, or refused.
            OSError: it could not be started.
        """
        self._child = await Child.start(command, receive=self._receive, after=after, env=env, cwd=cwd)
        self._keeper = asyncio.create_task(self._keep(self._child))
        try:
            await self._rpc.request("initialize", _CLIENT)
        except BaseException as error:
            await self.aclose()
            if isinstance(error, RpcError):
                raise fault(error.said) from error
            raise
        self._rpc.notify("initialized")

    @property
    def pid(self) -> int:
        """The number of its process; 0 before it was started."""
        return self._child.pid if self._child else 0

    def holds(self, thread_id: str) -> bool:
        """Whether the thread is loaded here."""
        return thread_id in self._told

    async def open(self, setup: Setup) -> str:
        """Begin a thread; returns its id."""
        return self._opened(await self._ask("thread/start", setup.params()), setup)

    async def reopen(self, thread_id: str, setup: Setup) -> str:
        """Have a thread ready for a turn; returns its id, which is another one if it had to be forked.

        Raises:
            SessionLostError: the server does not know it.
        """
        self._refuse_second(thread_id)
        told = self._told.pop(thread_id, None)
        if told == setup.instructions:
            self._told[thread_id] = told
            return thread_id
        if told is not None:
            await self._ask("thread/unsubscribe", {"threadId": thread_id})
        try:
            return self._opened(await self._ask("thread/resume", setup.params(thread_id)), setup)
        except SessionBusyError:
            # Another server holds it: from here on the call goes its own way.
            return self._opened(await self._ask("thread/fork", setup.params(thread_id)), setup)

    async def turn(self, thread_id: str, prompt: str, told: Callable[[str], object]) -> Outcome:
        """Say ``prompt`` in a thread and wait for the answer; cancelling interrupts the turn.

        Args:
            thread_id: the thread.
            prompt: what is said.
            told: is told each piece of the answer as it is written.

        Raises:
            SessionBusyError: a turn of the thread is already under way.
            ProviderError: as ``faults`` tells it.
        """
        self._refuse_second(thread_id)
        turn = self._turns[thread_id] = Turn(thread_id, told)
        try:
            return await self._run(turn, prompt)
        finally:
            del self._turns[thread_id]

    async def forget(self, threads: Sequence[str]) -> None:
        """Have the server unload threads and delete what it keeps of them; unknown ones are no error."""
        for thread_id in threads:
            if self._told.pop(thread_id, None) is not None and not self.ended:
                # It refuses to delete what a fork was made of, but lets go of it all the same.
                await asyncio.wait({self._rpc.request("thread/delete", {"threadId": thread_id})})

    async def aclose(self) -> None:
        """End the process; turns that still run fail."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})

    async def _run(self, turn: Turn, prompt: str) -> Outcome:
        if self.ended:
            raise self._gone()
        params = {"threadId": turn.thread_id, "input": [{"type": "text", "text": prompt}]}
        accepted = self._rpc.request("turn/start", params)
        accepted.add_done_callback(lambda answer: _refused(turn, answer))
        try:
            return await asyncio.shield(turn.ended)
        except asyncio.CancelledError:
            # A task of its own: a second cancellation must not leave the turn running.
            await asyncio.shield(self._errand(self._interrupt(turn)))
            raise

    async def _interrupt(self, turn: Turn) -> None:
        try:
            async with asyncio.timeout(_INTERRUPT_GRACE):
                both: tuple[asyncio.Future[Any], ...] = (turn.begun, turn.ended)
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                if not turn.ended.done():
                    params = {"threadId": turn.thread_id, "turnId": turn.begun.result()}
                    self._rpc.request("turn/interrupt", params)
                    await asyncio.wait({turn.ended})
        except TimeoutError:
            self._give_up()

    def _errand(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        return task

    async def _ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.ended:
            raise self._gone()
        answer = self._rpc.request(method, params)
        try:
            return await asyncio.shield(answer)
        except RpcError as error:
            raise fault(error.said, thread_id=str(params.get("threadId", ""))) from error
        except asyncio.CancelledError:
            answer.add_done_callback(self._drop)
            raise

    def _drop(self, answer: asyncio.Future[Mapping[str, Any]]) -> None:
        """Delete a thread that was still being opened when nobody wanted it any more."""
        if answer.cancelled() or answer.exception() is not None or self.ended:
            return
        thread_id = _thread_in(answer.result())
        if thread_id not in self._told:
            self._rpc.request("thread/delete", {"threadId": thread_id})

    def _opened(self, result: Mapping[str, Any], setup: Setup) -> str:
        thread_id = _thread_in(result)
        if not is_thread_id(thread_id):
            raise MalformedStreamError("Codex opened a thread without naming it", provider="codex")
        self._told[thread_id] = setup.instructions
        self._let_go()
        return thread_id

    def _let_go(self) -> None:
        """Let go of what was used longest ago: a call may have ended where nobody told this server."""
        idle = [one for one in self._told if one not in self._turns]
        for thread_id in idle[: max(0, len(self._told) - self._loaded)]:
            # The one that was just opened is the last, and has no turn yet: it stays.
            if thread_id != next(reversed(self._told)):
                del self._told[thread_id]
                self._rpc.request("thread/unsubscribe", {"threadId": thread_id})

    def _refuse_second(self, thread_id: str) -> None:
        if thread_id in self._turns:
            raise SessionBusyError(
                f"a turn of thread {thread_id} is under way", thread_id=thread_id, provider="codex"
            )

    def _write(self, data: bytes) -> None:
        if self._child is not None:
            self._child.write(data)

    def _receive(self, line: bytes) -> None:
        try:
            self._rpc.feed(line)
        except NotRpcError as error:
            # Whatever follows may be half of something: this server is not to be understood any more.
            self._broken = self._broken or error
            self._give_up()

    def _give_up(self) -> None:
        """Kill a server that is not to be talked with any more; the next turn has another one."""
        self.ended = True
        if self._child is not None:
            self._child.kill()

    def _hear(self, method: str, params: Mapping[str, Any]) -> None:
        turn = self._turns.get(str(params.get("threadId", "")))
        if turn is not None:
            turn.hear(method, params)

    async def _keep(self, child: Child) -> None:
        """Watch over the process, to its end or ours."""
        end: tuple[int, str] | tuple[()] = ()
        try:
            ended = await child.wait()
            end = ended.exit_code, ended.stderr_tail
        finally:
            self.ended = True
            for turn in self._turns.values():
                turn.fail(self._gone(*end))
            self._rpc.close(lambda: self._gone(*end))
            await child.bury()

    def _gone(self, exit_code: int | None = None, stderr_tail: str = "") -> ProviderError:
        if self._broken is not None:
            return MalformedStreamError(
                f"Codex wrote {self._broken}", exit_code=exit_code, stderr_tail=stderr_tail, provider="codex"
            )
        how = "was closed" if exit_code is None else f"ended (exit code {exit_code})"
        message = f"the Codex server {how} before the turn was completed"
        return ProviderCrashError(message, exit_code=exit_code, stderr_tail=stderr_tail, provider="codex")


def _thread_in(result: Mapping[str, Any]) -> str:
    thread = result.get("thread")
    return str(thread.get("id", "")) if isinstance(thread, Mapping) else ""


def _refused(turn: Turn, answer: asyncio.Future[Mapping[str, Any]]) -> None:
    """End a turn that the server would not begin."""
    if answer.cancelled():
        return
    error = answer.exception()
    if isinstance(error, RpcError):
        turn.fail(fault(error.said, thread_id=turn.thread_id))
    elif isinstance(error, Exception):
        turn.fail(error)
