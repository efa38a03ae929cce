"""Rules about single responses, and about calls that do not end."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from yemot_ai.protocol import lint
from yemot_ai_testing.history.events import LoopDetected
from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.views import RequestView
from yemot_ai_testing.history.violation import Budget, Violation, ViolationKind

__all__ = ["calls_terminate", "responses_are_in_time", "responses_are_valid"]


def responses_are_valid(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """The line understands every response."""
    for request in index.requests.values():
        response = request.response
        if response is None or response.fault == "late":
            continue
        if response.fault:
            if not request.event.is_hangup or not _is_excused(index, request):
                yield _violation(
                    index, request, "broken", f"instead of a response there was: {response.fault}"
                )
        elif request.event.is_hangup:
            continue  # the line ignores the response to a hang-up
        elif lint_error := _first_lint_error(response.body):
            yield _violation(
                index, request, "invalid", f"the line does not understand the response: {lint_error}"
            )


def _is_excused(index: HistoryIndex, request: RequestView) -> bool:
    """Whether an injected fault or a restart may have cost this request its response."""
    call, worker = request.event.call, request.event.worker
    return index.had_fault(call, request.sent_index, request.received_index) or index.had_restart(
        worker, request.sent_index, request.received_index
    )


def responses_are_in_time(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """Every request is answered in time."""
    for request in index.requests.values():
        response = request.response
        if request.event.is_hangup:
            continue
        if response is None:
            yield from _missing_response(index, request, budget)
            continue
        seconds = index.seconds_between(request.sent_index, request.received_index, "", request.event.worker)
        if response.fault != "late" and seconds <= budget.request:
            continue
        if not _caller_has_left(index, request):
            message = f"the response took {seconds:g} s; the line waits {budget.request:g} s"
            yield _violation(index, request, "late", message)


def _missing_response(index: HistoryIndex, request: RequestView, budget: Budget) -> Iterator[Violation]:
    """Return a violation if a request has no response though its worker is alive."""
    end, worker = len(index.events) - 1, request.event.worker
    seconds = index.seconds_between(request.sent_index, end, "", worker)
    if seconds <= budget.request or index.had_restart(worker, request.sent_index, end):
        return
    if request.event.is_repeat or index.hangup_known_index(index.call(request.event.call)) is not None:
        return
    message = f"after {seconds:g} s there is no response; the line waits {budget.request:g} s"
    yield index.violation("late", message, end, request.subject, request.sent_index)


def _caller_has_left(index: HistoryIndex, request: RequestView) -> bool:
    over = index.hangup_known_index(index.call(request.event.call))
    return over is not None and over < request.received_index


def calls_terminate(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """After every utterance the line waits for the caller again, or the call ends."""
    for position, event in enumerate(index.events):
        if isinstance(event, LoopDetected):
            yield index.violation("endless", f"{event.call} {event.reason}", position, (event.call, ""))


def _violation(index: HistoryIndex, request: RequestView, kind: ViolationKind, message: str) -> Violation:
    return index.violation(kind, message, request.received_index, request.subject, request.sent_index)


@functools.lru_cache(4096)
def _first_lint_error(body: str) -> str:
    """Return the first lint error of ``body``, or ""."""
    return next(
        (f"{finding.code}: {finding.message}" for finding in lint(body) if finding.level == "error"), ""
    )
