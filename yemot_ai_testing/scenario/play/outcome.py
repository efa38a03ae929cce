"""``afterwards: {check: …}``: a function of the developer that checks what a call has led to."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from yemot_ai import CallSummary, YemotAI
from yemot_ai.errors.failure_place import failure_place
from yemot_ai.providers import Usage
from yemot_ai.sessions import Turn
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.transcript import Transcript
from yemot_ai_testing.scenario.play.server_actions import await_for_app
from yemot_ai_testing.scenario.play.target import import_attribute
from yemot_ai_testing.scenario.play.tools.runs import ToolRun

__all__ = ["CallOutcome", "check_problem", "observe_summaries"]

LIMIT: Final = 10.0
"""Seconds in which an async check must return."""


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What a call has led to, for the function of ``afterwards: {check: …}``.

    Attributes:
        call_id: the ``ApiCallId`` of the call.
        transcript: what was said, pressed and heard.
        state: ``call.state`` at the end; empty for a server or an application without an ``ai``.
        turns: the turns of the call, as ``CallSummary.turns``; empty where ``state`` is.
        tools: the calls of tools, oldest first; empty for a server.
    """

    call_id: str
    transcript: Transcript
    state: Mapping[str, Any] = field(default_factory=dict)
    turns: tuple[Turn, ...] = ()
    tools: tuple[ToolRun, ...] = ()


_summaries: Final[ContextVar[list[CallSummary] | None]] = ContextVar("call_summaries", default=None)
"""Of the context that sends the requests; the hooks of their calls inherit it."""

_observed: Final[WeakSet[YemotAI]] = WeakSet()


@contextmanager
def observe_summaries(app: object) -> Iterator[list[CallSummary]]:
    """Collect the summaries of the calls of ``app`` that end in this context; a context manager."""
    ai = getattr(app, "ai", None)
    if isinstance(ai, YemotAI) and ai not in _observed:
        _observed.add(ai)
        ai.on_call_end(_note_summary)
    summaries: list[CallSummary] = []
    token = _summaries.set(summaries)
    try:
        yield summaries
    finally:
        _summaries.reset(token)


async def _note_summary(summary: CallSummary, _usage: Usage) -> None:
    summaries = _summaries.get()
    if summaries is not None:
        summaries.append(summary)


def check_problem(check: str, outcome: CallOutcome, app: object, root: Path | None) -> str:
    """Call the function of a scenario; return what is wrong; empty if nothing is.

    Args:
        check: ``module:function``; ``def`` or ``async def``.
        outcome: its argument.
        app: the application.
        root: a folder that is searched for modules after the current one.
    """
    try:
        function = import_attribute(check, root)
    except AppError as error:
        return f"check {error}" if str(error).startswith(check) else f"check {check}: {error}"
    if not callable(function):
        return f"check {check}: {function!r} cannot be called"
    try:
        result = _call(function, outcome, app)
    except TimeoutError:
        return f"check {check} did not return within {LIMIT:g} s"
    except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code
        place = failure_place(error)
        return f"check {check}{f' ({place})' if place else ''}: {_shown(error)}"
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        return f"check {check} returned a generator, of which nothing has run: leave out yield"
    return f"check {check} returned False" if result is False else ""


def _call(function: Callable[..., Any], outcome: CallOutcome, app: object) -> object:
    result = function(outcome)
    return await_for_app(result, app, LIMIT) if inspect.isawaitable(result) else result


def _shown(error: BaseException) -> str:
    """Return what a check says; of an assertion without a message, its code."""
    text = str(error)
    if not isinstance(error, AssertionError):
        return f"{type(error).__name__}: {text}".removesuffix(": ")
    return text or traceback.extract_tb(error.__traceback__)[-1].line or "the assertion failed"
