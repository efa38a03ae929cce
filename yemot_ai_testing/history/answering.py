"""Rules about single answers, and about calls that come to no end."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from yemot_ai.protocol import lint
from yemot_ai_testing.history.events import Circled
from yemot_ai_testing.history.index import Index, Request
from yemot_ai_testing.history.violation import Budget, Kind, Violation

__all__ = ["comes_to_an_end", "in_time", "understood"]


def understood(index: Index, _budget: Budget) -> Iterator[Violation]:
    """The line understands every answer."""
    for request in index.requests.values():
        answer = request.answer
        if answer is None or request.event.hangup or answer.fault == "late":
            continue
        if answer.fault:
            yield _about(index, request, "broken", f"instead of an answer there was: {answer.fault}")
        elif mistake := _mistake(answer.body):
            yield _about(index, request, "invalid", f"the line does not understand the answer: {mistake}")


def in_time(index: Index, budget: Budget) -> Iterator[Violation]:
    """Every request is answered while the line still waits."""
    for request in index.requests.values():
        answer = request.answer
        if answer is None or request.event.hangup:
            continue
        seconds = index.seconds(request.sent, request.got, "", request.event.worker)
        if answer.fault != "late" and seconds <= budget.request:
            continue
        if not _is_waited_for_by_nobody(index, request):
            message = f"the answer took {seconds:g} s; the line waits {budget.request:g} s"
            yield _about(index, request, "late", message)


def _is_waited_for_by_nobody(index: Index, request: Request) -> bool:
    over = index.over(index.call(request.event.call))
    return over is not None and over < request.got


def comes_to_an_end(index: Index, _budget: Budget) -> Iterator[Violation]:
    """The line comes to where it waits for the caller, and the caller to the end of the call."""
    for position, event in enumerate(index.events):
        if isinstance(event, Circled):
            yield index.violation("endless", f"{event.call} {event.why}", position, call=event.call)


def _about(index: Index, request: Request, kind: Kind, message: str) -> Violation:
    return index.violation(kind, message, request.got, call=request.event.call, also=[request.sent])


@functools.lru_cache(4096)
def _mistake(body: str) -> str:
    """Return the first thing that the line does not understand in ``body``, or ""."""
    return next((f"{found.code}: {found.message}" for found in lint(body) if found.level == "error"), "")
