"""Hooks: a developer's functions for the start of a call, the end of a turn, and the end of a call.

A hook is called once for each event, by the worker at which the event happens. It may be ``def`` (it runs
in a worker thread) or ``async def``; an exception of a hook is logged and does not affect the call.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from yemot_ai._runtime.engine import Engine
from yemot_ai._runtime.tasks import KeyedTasks, name_task
from yemot_ai.errors.code_errors import report_code_error
from yemot_ai.providers.provider import Usage
from yemot_ai.sessions import Session, Turn

__all__ = ["CallSummary", "EndReason", "Hook", "Hooks", "total_usage"]

log = logging.getLogger("yemot_ai")

Hook: TypeAlias = Callable[..., Any]

END_HOOKS_TIMEOUT = 2.0
"""Seconds for which the end of a call waits for its hooks."""

EndReason: TypeAlias = Literal["hangup", "idle", "ended"]


@dataclass(frozen=True, slots=True)
class CallSummary:
    """A call that has ended; iterating yields its turns, ``str()`` returns a readable text.

    A turn that was still running is included; of an answer that was not spoken to its end, it has what was
    (``turn.interrupted``), and no answer if nothing was.

    Attributes:
        call_id: what identifies the call: its ``ApiCallId``, or the key of ``AIFlow(call_key=…)``.
        phone: the caller's number ("" when withheld).
        reason: the caller hung up (``hangup``), there was no request for ``session_ttl`` (``idle``), or
            ``ai.end`` was called (``ended``).
        started: Unix time in seconds of the first request (0 for a call without a line).
        turns: the turns that asked the AI or were answered by an agent's function, oldest first.
        state: the developer's ``call.state``.
        tools: the runs of tools, oldest first: ``turn.tool`` is what was called, ``turn.answer`` the result.
    """

    call_id: str
    phone: str
    reason: EndReason
    started: float
    turns: tuple[Turn, ...]
    state: dict[str, Any]
    tools: tuple[Turn, ...] = ()

    @classmethod
    def from_session(cls, session: Session, reason: EndReason) -> CallSummary:
        """Return the summary of ``session``."""
        steps = [turn for turn in session.turns if turn.parent and turn.conversation]
        tools = tuple(turn for turn in session.turns if turn.tool is not None)
        turns = tuple(
            turn
            for turn in session.turns
            if not turn.is_transcription and turn.tool is None and not _repeats(turn, steps)
        )
        return cls(session.call_id, session.phone, reason, session.started, turns, dict(session.state), tools)

    def __iter__(self) -> Iterator[Turn]:
        return iter(self.turns)

    def __len__(self) -> int:
        return len(self.turns)

    def __str__(self) -> str:
        return "\n".join(f"> {turn.text}\n{_shown_answer(turn)}" for turn in self.turns)


@dataclass(slots=True)
class Hooks:
    """The registered hooks.

    Args:
        engine: runs them.
    """

    engine: Engine
    call_start: list[Hook] = field(default_factory=list)
    turn: list[Hook] = field(default_factory=list)
    call_end: list[Hook] = field(default_factory=list)
    tool: list[Hook] = field(default_factory=list)
    _tasks: KeyedTasks[str, None] = field(default_factory=KeyedTasks)

    def call_started(self, session: Session) -> None:
        """Schedule the hooks for the start of a call; from any thread."""
        if not self.call_start:
            return
        arguments = session.call_id, self.call_start, session.call_id, session.phone
        if self.engine.is_current:  # now: the hooks of a turn must not be scheduled before
            self._schedule(*arguments)
        else:
            self.engine.submit(self._schedule_on_loop(*arguments))

    def turn_done(self, call_id: str, turn: Turn) -> None:
        """Schedule the hooks for a turn that asked the AI, or for the run of a tool; on the engine's loop."""
        if self.turn and turn.conversation:
            self._schedule(call_id, self.turn, call_id, turn)
        elif self.tool and turn.tool is not None:
            self._schedule(call_id, self.tool, call_id, turn)

    async def call_ended(self, summary: CallSummary) -> None:
        """Run the hooks for the end of a call, after the earlier hooks of the call.

        Wait for at most ``END_HOOKS_TIMEOUT``: a test that ends a call finds its hooks done, and a slow hook
        does not block the worker. After that the hooks continue in the background.
        """
        if self.call_end or summary.call_id in self._tasks:
            task = self._schedule(summary.call_id, self.call_end, summary, total_usage(summary.turns))
            await asyncio.wait({task}, timeout=END_HOOKS_TIMEOUT)

    async def _schedule_on_loop(self, call_id: str, hooks: list[Hook], *arguments: object) -> None:
        self._schedule(call_id, hooks, *arguments)

    def _schedule(self, call_id: str, hooks: list[Hook], *arguments: object) -> asyncio.Task[None]:
        """Run ``hooks`` when the earlier hooks of this call are done."""
        return self._tasks.start(
            call_id, self._run_after(call_id, self._tasks.get(call_id), hooks, *arguments)
        )

    async def _run_after(
        self, call_id: str, after: asyncio.Task[None] | None, hooks: list[Hook], *arguments: object
    ) -> None:
        if after is not None:
            await asyncio.wait({after})
        name_task(call_id, "a hook")
        await self._run_hooks(hooks, *arguments)

    async def _run_hooks(self, hooks: list[Hook], *arguments: object) -> None:
        for hook in tuple(hooks):
            try:
                if inspect.iscoroutinefunction(hook):
                    await hook(*arguments)
                else:
                    returned = await self.engine.run_in_background(hook, *arguments)
                    if inspect.isawaitable(returned):  # an object or a lambda that returns a coroutine
                        await returned
            except Exception as error:  # foreign code; it must not affect the call
                name = getattr(hook, "__qualname__", repr(hook))
                log.exception("the hook %s raised", name)
                report_code_error(f"the hook {name}", error)


def total_usage(turns: tuple[Turn, ...]) -> Usage:
    """Return the sum of the usage of turns."""
    return sum((turn.usage for turn in turns if turn.usage), Usage())


def _repeats(turn: Turn, steps: Iterable[Turn]) -> bool:
    """Return whether steps have asked instead of ``turn``; one that is left early counts as asked itself."""
    own = [step for step in steps if step.parent == turn.id]
    if turn.conversation and not turn.answer:
        return any(step.text == turn.text for step in own)
    return not turn.conversation and bool(own)


def _shown_answer(turn: Turn) -> str:
    """Return what was spoken, and in parentheses why that is not the whole answer."""
    failure = turn.failure.message if turn.failure else ""
    if not turn.answer:
        return f"({failure or 'no answer'})"
    return f"{turn.answer} ({failure or 'interrupted'})" if turn.is_cut_off else turn.answer
