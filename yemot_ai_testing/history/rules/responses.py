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
        if answer is None or answer.fault == "late":
            continue
        if answer.fault:
            if not request.event.hangup or not _is_excused(index, request):
                yield _about(index, request, "broken", f"instead of an answer there was: {answer.fault}")
        elif request.event.hangup:
            continue  # nobody is there who would hear it: whatever it says, the line throws it away
        elif mistake := _mistake(answer.body):
            yield _about(index, request, "invalid", f"the line does not understand the answer: {mistake}")


def _is_excused(index: Index, request: Request) -> bool:
    """Tell whether something was done on purpose to this request that may have cost it its answer."""
    call, worker = request.event.call, request.event.worker
    return index.faulted(call, request.sent, request.got) or index.restarted(
        worker, request.sent, request.got
    )


def in_time(index: Index, budget: Budget) -> Iterator[Violation]:
    """Every request is answered while the line still waits."""
    for request in index.requests.values():
        answer = request.answer
        if request.event.hangup:
            continue
        if answer is None:
            yield from _unanswered(index, request, budget)
            continue
        seconds = index.seconds(request.sent, request.got, "", request.event.worker)
        if answer.fault != "late" and seconds <= budget.request:
            continue
        if not _is_waited_for_by_nobody(index, request):
            message = f"the answer took {seconds:g} s; the line waits {budget.request:g} s"
            yield _about(index, request, "late", message)


def _unanswered(index: Index, request: Request, budget: Budget) -> Iterator[Violation]:
    """Find a request that has had no answer to this day, though its worker is alive."""
    end, worker = len(index.events) - 1, request.event.worker
    seconds = index.seconds(request.sent, end, "", worker)
    if seconds <= budget.request or index.restarted(worker, request.sent, end):
        return
    if request.event.copy or index.over(index.call(request.event.call)) is not None:
        return
    message = f"after {seconds:g} s there is no answer; the line waits {budget.request:g} s"
    yield index.violation("late", message, end, call=request.event.call, also=[request.sent])


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
