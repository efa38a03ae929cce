"""What a developer is told: a call begins, the AI was asked, a call is over.

Each event is told once, by the worker that it happened at. A hook may be ``def`` (it runs in a
worker thread) or ``async def``; what it raises is logged and changes nothing for the caller.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from yemot_ai.providers.provider import Usage
from yemot_ai.runtime.engine import Engine
from yemot_ai.sessions import Session, Turn

__all__ = ["CallSummary", "EndReason", "Hook", "Hooks", "total_usage"]

log = logging.getLogger("yemot_ai")

Hook: TypeAlias = Callable[..., Any]

END_HOOKS_TIMEOUT = 2.0
"""Seconds that the end of a call waits for those who are told of it."""

EndReason: TypeAlias = Literal["hangup", "idle", "ended"]


@dataclass(frozen=True, slots=True)
class CallSummary:
    """What was said in a call that is over; iterating gives its turns, ``str()`` a readable text.

    A turn that was still being answered is there, without an answer.

    Attributes:
        call_id: the call's ``ApiCallId``.
        phone: the caller's number ("" when withheld).
        reason: the caller hung up (``hangup``), nothing came for ``session_ttl`` (``idle``), or
            ``ai.end`` was called (``ended``).
        started: Unix time in seconds of the first request (0 where there was no line).
        turns: every time that the AI was asked, and what an agent's function answered by itself, oldest
            first.
        state: the developer's ``call.state``.
    """

    call_id: str
    phone: str
    reason: EndReason
    started: float
    turns: tuple[Turn, ...]
    state: dict[str, Any]

    @classmethod
    def from_session(cls, session: Session, reason: EndReason) -> CallSummary:
        """Take what ``session`` remembers."""
        steps = {turn.id.rpartition(".")[0] for turn in session.turns if turn.conversation}
        turns = tuple(
            turn
            for turn in session.turns
            if turn.conversation or not (turn.is_transcription or turn.id in steps)
        )
        return cls(session.call_id, session.phone, reason, session.started, turns, dict(session.state))

    def __iter__(self) -> Iterator[Turn]:
        return iter(self.turns)

    def __len__(self) -> int:
        return len(self.turns)

    def __str__(self) -> str:
        return "\n".join(f"> {turn.text}\n{turn.answer or _missing_answer(turn)}" for turn in self.turns)


@dataclass(slots=True)
class Hooks:
    """The functions to be told.

    Args:
        engine: where they run.
    """

    engine: Engine
    call_start: list[Hook] = field(default_factory=list)
    turn: list[Hook] = field(default_factory=list)
    call_end: list[Hook] = field(default_factory=list)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def call_started(self, session: Session) -> None:
        """Tell that a call has begun; from any thread."""
        if self.call_start:
            self.engine.submit(
                self._schedule_on_loop(session.call_id, self.call_start, session.call_id, session.phone)
            )

    def turn_done(self, call_id: str, turn: Turn) -> None:
        """Tell that the AI was asked; on the engine's loop, and nobody waits for it."""
        if self.turn and turn.conversation:
            self._schedule(call_id, self.turn, call_id, turn)

    async def call_ended(self, transcript: CallSummary) -> None:
        """Tell that a call is over, after all that was told of it before.

        Waits for ``END_HOOKS_TIMEOUT``, so that whoever ends a call in a test finds it told; not for longer, for
        a worker that is kept waiting is missed by other callers. The telling goes on.
        """
        if self.call_end or transcript.call_id in self._tasks:
            task = self._schedule(
                transcript.call_id, self.call_end, transcript, total_usage(transcript.turns)
            )
            await asyncio.wait({task}, timeout=END_HOOKS_TIMEOUT)

    async def _schedule_on_loop(self, call_id: str, hooks: list[Hook], *what: object) -> None:
        self._schedule(call_id, hooks, *what)

    def _schedule(self, call_id: str, hooks: list[Hook], *what: object) -> asyncio.Task[None]:
        """Tell it when all that came before in this call is told."""
        after = self._tasks.get(call_id)
        task = asyncio.get_running_loop().create_task(self._run_after(after, hooks, *what))
        self._tasks[call_id] = task
        task.add_done_callback(lambda done: self._drop(call_id, done))
        return task

    def _drop(self, call_id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(call_id) is task:
            del self._tasks[call_id]

    async def _run_after(self, after: asyncio.Task[None] | None, hooks: list[Hook], *what: object) -> None:
        if after is not None:
            await asyncio.wait({after})
        await self._run_hooks(hooks, *what)

    async def _run_hooks(self, hooks: list[Hook], *what: object) -> None:
        for hook in tuple(hooks):
            try:
                if inspect.iscoroutinefunction(hook):
                    await hook(*what)
                else:
                    returned = await self.engine.run_in_background(hook, *what)
                    if inspect.isawaitable(returned):  # an object or a lambda that hides its coroutine
                        await returned
            except Exception:  # a developer's own code; the call must not suffer for it
                log.exception("the hook %s raised", getattr(hook, "__qualname__", repr(hook)))


def total_usage(turns: tuple[Turn, ...]) -> Usage:
    """Add up what turns cost."""
    return sum((turn.usage for turn in turns if turn.usage), Usage())


def _missing_answer(turn: Turn) -> str:
    return f"({turn.failure.message})" if turn.failure else "(no answer)"
