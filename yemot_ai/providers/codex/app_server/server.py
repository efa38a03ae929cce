"""One ``codex app-server`` process, its threads and its turns.

Measured on 0.169, and what follows from it here:

* A thread that is loaded in a server is locked: another server gets "already has an active writer", and
  forks the thread instead. The fork has the history, another id, and needs the older rollout, so all
  thread ids of a conversation are kept until it ends.
* A loaded thread keeps its instructions, even after a ``thread/resume``; after a ``thread/unsubscribe`` it
  takes new ones.
* A ``turn/start`` during a turn silently becomes part of that turn, and is answered there: so a second
  turn of a thread is refused here.
* A turn can be interrupted after ``turn/started``, not before ("no active turn to interrupt").
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from yemot_ai._runtime.tasks import run_shielded, start_task
from yemot_ai.errors import MalformedStreamError, ProviderCrashError, SessionBusyError
from yemot_ai.providers.codex.app_server.jsonrpc import JsonRpc, NotRpcError, RpcError
from yemot_ai.providers.codex.app_server.turn import AppServerTurn
from yemot_ai.providers.codex.faults import error_from_text, resume_error
from yemot_ai.providers.codex.home.folders import is_thread_id
from yemot_ai.providers.codex.process import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from yemot_ai.errors import ProviderError
    from yemot_ai.providers.codex.events import TurnOutcome

__all__ = ["AppServer", "ThreadConfig"]

_CLIENT_INFO: Final = {"clientInfo": {"name": "yemot-ai", "title": "yemot-ai", "version": "1"}}
_INTERRUPT_GRACE: Final = 2.0
"""Seconds in which a server must end an interrupted turn; otherwise it is killed."""

_EXIT_GRACE: Final = 1.0
"""Seconds in which a server must end after it has closed its standard output."""


@dataclass(frozen=True, slots=True)
class ThreadConfig:
    """Options of a thread.

    Attributes:
        instructions: they replace Codex's own prompt.
        work_dir: the empty working folder.
        sandbox: ``read-only`` …
        model: the model's name; None for Codex's default.
        settings: further settings, as nested tables; other users cannot read them here.
    """

    instructions: str
    work_dir: Path
    sandbox: str
    model: str | None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def params(self, thread_id: str = "") -> dict[str, Any]:
        """Return the parameters of ``thread/start``; with an id, of ``thread/resume`` and ``thread/fork``."""
        named = {"threadId": thread_id, "excludeTurns": True} if thread_id else {}
        model = {"model": self.model} if self.model else {}
        return {
            "approvalPolicy": "never",
            "sandbox": self.sandbox,
            "baseInstructions": self.instructions,
            "cwd": str(self.work_dir),
            **model,
            **({"config": _overrides(self.settings)} if self.settings else {}),
            **named,
        }


def _overrides(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a thread takes them.

    A table of MCP servers would replace that of the process, which switches off those of the machine
    (measured, 0.171); a single server is added to it.
    """
    servers = settings.get("mcp_servers", {})
    if any("." in name for name in servers):  # of ``config=``: the name of an override cannot have quotes
        return dict(settings)
    others = {name: value for name, value in settings.items() if name != "mcp_servers"}
    return {**others, **{f"mcp_servers.{name}": server for name, server in servers.items()}}


class AppServer:
    """A running server, on one event loop.

    Args:
        max_loaded: maximum threads that stay loaded between turns; the least recently used are unloaded.
        max_requests: maximum requests to the model in one turn.
    """

    def __init__(self, *, max_loaded: int, max_requests: int) -> None:
        self._rpc = JsonRpc(self._write, self._on_notification)
        self._process: ChildProcess | None = None
        self._protocol_error: NotRpcError | None = None
        self._monitor_task: asyncio.Task[None] | None = None
        self._turns: dict[str, AppServerTurn] = {}
        self._instructions: dict[str, str] = {}
        self._max_loaded = max_loaded
        self._max_requests = max_requests
        self._thought_end = ""
        self.ended = False

    async def start(
        self, command: Sequence[str], *, on_exit: Callable[[], object], env: Mapping[str, str], cwd: Path
    ) -> None:
        """Start the process and initialise it; ``on_exit`` is called after the process has ended.

        Raises:
            ProviderError: it ended, or refused the request.
            OSError: it could not be started.
        """
        self._process = await ChildProcess.start(
            command, receive=self._receive, on_exit=on_exit, env=env, cwd=cwd
        )
        self._monitor_task = start_task(self._monitor(self._process))
        try:
            await self._rpc.request("initialize", _CLIENT_INFO)
        except BaseException as error:
            await self.aclose()
            if isinstance(error, RpcError):
                raise error_from_text(error.message) from error
            raise
        self._rpc.notify("initialized")

    @property
    def pid(self) -> int:
        """The process id; 0 before the start."""
        return self._process.pid if self._process else 0

    def has_thread(self, thread_id: str) -> bool:
        """Return whether the thread is loaded here."""
        return thread_id in self._instructions

    async def start_thread(self, config: ThreadConfig) -> str:
        """Start a thread and return its id."""
        return self._register_thread(await self._request("thread/start", config.params()), config)

    async def resume_thread(self, thread_id: str, config: ThreadConfig) -> str:
        """Load a thread for a turn and return its id, which is a new one if it had to be forked.

        Raises:
            SessionLostError: the server does not know it.
        """
        self._check_not_busy(thread_id)
        loaded = self._instructions.pop(thread_id, None)
        if loaded == config.instructions:
            self._instructions[thread_id] = loaded
            return thread_id
        if loaded is not None:
            await self._request("thread/unsubscribe", {"threadId": thread_id})
        try:
            return self._register_thread(
                await self._request("thread/resume", config.params(thread_id)), config
            )
        except SessionBusyError:
            # Another server holds it: from here on the call continues in a fork.
            return self._register_thread(await self._request("thread/fork", config.params(thread_id)), config)

    async def run_turn(
        self, thread_id: str, prompt: str, on_text: Callable[[str], object] | None
    ) -> TurnOutcome:
        """Send ``prompt`` to a thread and wait for the answer; cancelling interrupts the turn.

        Args:
            thread_id: the thread.
            prompt: what the caller said.
            on_text: called with each piece of the answer as it is written; None if no pieces are wanted.

        Raises:
            SessionBusyError: a turn of the thread is already running.
            AnswerCutError: the model asks for tools again and again; the turn is interrupted.
            ProviderError: one of its subclasses (see ``faults``).
        """
        self._check_not_busy(thread_id)
        turn = AppServerTurn(
            thread_id, on_text, thought_end=self._thought_end, max_requests=self._max_requests
        )
        self._turns[thread_id] = turn
        try:
            outcome = await self._run(turn, prompt)
            # Most servers have one model: what it marks in one call, it marks in the next one.
            self._thought_end = turn.answer.thought_end
            return outcome
        finally:
            del self._turns[thread_id]

    async def delete_threads(self, threads: Sequence[str]) -> None:
        """Unload threads and delete them; unknown ones are ignored."""
        for thread_id in threads:
            if self._instructions.pop(thread_id, None) is not None and not self.ended:
                # The server refuses to delete the origin of a fork, but unloads it.
                await asyncio.wait({self._rpc.request("thread/delete", {"threadId": thread_id})})

    async def aclose(self) -> None:
        """End the process; running turns fail."""
        if self._monitor_task is not None:
            self._monitor_task.cancel()
            await asyncio.wait({self._monitor_task})

    async def _run(self, turn: AppServerTurn, prompt: str) -> TurnOutcome:
        if self.ended:
            raise self._ended_error()
        params = {"threadId": turn.thread_id, "input": [{"type": "text", "text": prompt}]}
        accepted = self._rpc.request("turn/start", params)
        accepted.add_done_callback(lambda answer: _fail_if_refused(turn, answer))
        ends: tuple[asyncio.Future[Any], ...] = (turn.outcome, turn.excess)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if turn.outcome.done():
                return turn.outcome.result()
        except asyncio.CancelledError:
            # A separate task: a second cancellation must not leave the turn running.
            await run_shielded(self._interrupt(turn))
            raise
        await run_shielded(self._interrupt(turn))
        raise turn.excess.result()

    async def _interrupt(self, turn: AppServerTurn) -> None:
        try:
            async with asyncio.timeout(_INTERRUPT_GRACE):
                progress: tuple[asyncio.Future[Any], ...] = (turn.started, turn.outcome)
                await asyncio.wait(progress, return_when=asyncio.FIRST_COMPLETED)
                if not turn.outcome.done():
                    params = {"threadId": turn.thread_id, "turnId": turn.started.result()}
                    self._rpc.request("turn/interrupt", params)
                    await asyncio.wait({turn.outcome})
        except TimeoutError:
            self._kill()

    async def _request(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.ended:
            raise self._ended_error()
        answer = self._rpc.request(method, params)
        try:
            return await asyncio.shield(answer)
        except RpcError as error:
            thread_id = str(params.get("threadId", ""))
            as_error = resume_error if thread_id else error_from_text
            raise as_error(error.message, thread_id=thread_id) from error
        except asyncio.CancelledError:
            answer.add_done_callback(self._delete_unwanted)
            raise
        finally:
            del answer  # its exception refers to this frame

    def _delete_unwanted(self, answer: asyncio.Future[Mapping[str, Any]]) -> None:
        """Delete a thread that was opened after the request for it was cancelled."""
        if answer.cancelled() or answer.exception() is not None or self.ended:
            return
        thread_id = _thread_id_of(answer.result())
        if thread_id not in self._instructions:
            self._rpc.request("thread/delete", {"threadId": thread_id})

    def _register_thread(self, result: Mapping[str, Any], config: ThreadConfig) -> str:
        thread_id = _thread_id_of(result)
        if not is_thread_id(thread_id):
            raise MalformedStreamError("Codex opened a thread without naming it", provider="codex")
        self._instructions[thread_id] = config.instructions
        self._unload_oldest()
        return thread_id

    def _unload_oldest(self) -> None:
        """Unload the least recently used threads: a call may have ended in another process."""
        idle = [thread_id for thread_id in self._instructions if thread_id not in self._turns]
        for thread_id in idle[: max(0, len(self._instructions) - self._max_loaded)]:
            # The last one was just opened, and has no turn yet: it stays.
            if thread_id != next(reversed(self._instructions)):
                del self._instructions[thread_id]
                self._rpc.request("thread/unsubscribe", {"threadId": thread_id})

    def _check_not_busy(self, thread_id: str) -> None:
        if thread_id in self._turns:
            raise SessionBusyError(
                f"a turn of thread {thread_id} is already running", thread_id=thread_id, provider="codex"
            )

    def _write(self, data: bytes) -> None:
        if self._process is not None:
            self._process.write(data)

    def _receive(self, line: bytes) -> None:
        try:
            self._rpc.feed(line)
        except NotRpcError as error:
            # The lines after it may be fragments, so the server is killed.
            self._protocol_error = self._protocol_error or error
            self._kill()

    def _kill(self) -> None:
        """Kill the server; the next turn starts another one."""
        self.ended = True
        if self._process is not None:
            self._process.kill()

    def _on_notification(self, method: str, params: Mapping[str, Any]) -> None:
        turn = self._turns.get(str(params.get("threadId", "")))
        if turn is not None:
            turn.handle(method, params)

    async def _monitor(self, child: ChildProcess) -> None:
        """Wait for the end of the process, then fail all turns and requests."""
        end: tuple[int, str] | tuple[()] = ()
        try:
            result = await child.wait(exit_grace=_EXIT_GRACE)
            end = result.exit_code, result.stderr_tail
        finally:
            self.ended = True
            for turn in self._turns.values():
                turn.fail(self._ended_error(*end))
            self._rpc.close(lambda: self._ended_error(*end))
            await child.terminate()

    def _ended_error(self, exit_code: int | None = None, stderr_tail: str = "") -> ProviderError:
        if self._protocol_error is not None:
            return MalformedStreamError(
                f"Codex wrote {self._protocol_error}",
                exit_code=exit_code,
                stderr_tail=stderr_tail,
                provider="codex",
            )
        how = "was closed" if exit_code is None else f"ended (exit code {exit_code})"
        message = f"the Codex server {how} before the turn was completed"
        return ProviderCrashError(message, exit_code=exit_code, stderr_tail=stderr_tail, provider="codex")


def _thread_id_of(result: Mapping[str, Any]) -> str:
    thread = result.get("thread")
    return str(thread.get("id", "")) if isinstance(thread, Mapping) else ""


def _fail_if_refused(turn: AppServerTurn, answer: asyncio.Future[Mapping[str, Any]]) -> None:
    """End a turn that the server refused to start."""
    if answer.cancelled():
        return
    error = answer.exception()
    if isinstance(error, RpcError):
        turn.fail(error_from_text(error.message, thread_id=turn.thread_id))
    elif isinstance(error, Exception):
        turn.fail(error)
