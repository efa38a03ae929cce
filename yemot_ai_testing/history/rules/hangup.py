"""Rules about the end of a call: after the hang-up nothing happens in it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import Read, Response
from yemot_ai_testing.history.events import OpenCallsCounted, ResponseReceived
from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.views import CallView
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = [
    "model_stops_after_hangup",
    "no_sessions_left_open",
    "no_tool_starts_after_hangup",
    "nothing_saved_after_hangup",
    "nothing_spoken_after_hangup",
]


def model_stops_after_hangup(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """The model is not asked after the hang-up, and its running calls end."""
    for call, over in index.ended_calls():
        for model_call in call.model_calls:
            at, worker = model_call.asked_index, model_call.event.worker
            if at > over and not _hangup_unknown_to_worker(index, call, worker, (over, at), budget):
                message = f"the model was asked {model_call.event.utterance_id} after {call.name} had hung up"
            elif (ran := index.seconds_after(over, model_call)) is not None and ran >= budget.hangup:
                at = index.end_of(model_call)
                asked = model_call.event.utterance_id
                message = f"the model still answers {asked} after {call.name} has hung up"
            else:
                continue
            yield index.violation("ran_after_hangup", message, at, model_call.subject)


def _hangup_unknown_to_worker(
    index: HistoryIndex, call: CallView, worker: str, positions: tuple[int, int], budget: Budget
) -> bool:
    """Whether another worker got the hang-up, so recently that this one may not know of it."""
    over, at = positions
    hangup_worker = next(request.event.worker for request in call.requests if request.received_index == over)
    return hangup_worker != worker and index.seconds_between(over, at, worker) < budget.hangup


def no_tool_starts_after_hangup(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """No tool begins to run after the hang-up."""
    for call, over in index.ended_calls():
        for run in call.tool_runs:
            at, worker = run.called_index, run.event.worker
            if at > over and not _hangup_unknown_to_worker(index, call, worker, (over, at), budget):
                message = f"{run.event.name} began to run after {call.name} had hung up"
                yield index.violation("tool_ran_after_hangup", message, at, run.subject, over)
                break


def nothing_saved_after_hangup(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """After the end of a call only its tombstone is saved."""
    for call, over in index.ended_calls():
        end = _end_version(index, call)
        for position, saved in call.saves:
            if position > over and saved.version > end and not saved.call_ended:
                message = f"version {saved.version} of {call.name} was stored after it had hung up"
                yield index.violation("stored_after_hangup", message, position, call.subject)
                break


def _end_version(index: HistoryIndex, call: CallView) -> float:
    """Return the version of the tombstone; a worker may record an earlier save late.

    A killed worker does not record its last save: then any version may be earlier.
    """
    versions = [saved.version for _position, saved in call.saves]
    ends = [saved.version for _position, saved in call.saves if saved.call_ended]
    if ends:
        return min(ends)
    has_gap = len({*versions}) < max(versions, default=0)
    return math.inf if has_gap and index.restarts else 0


def nothing_spoken_after_hangup(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """Requests of an ended call are answered with nothing but a hang-up."""
    for call, over in index.ended_calls():
        for request in call.requests:
            if request.sent_index < over or request.event.is_hangup or request.response is None:
                continue
            if index.had_fault(call.name, request.sent_index, request.received_index):
                continue  # during a store outage no worker can look up the end of the call
            if _speaks(request.response):
                message = f"a request of {call.name} was answered after it had hung up"
                related = over, request.sent_index
                yield index.violation(
                    "spoke_after_hangup", message, request.received_index, call.subject, *related
                )
                break


def _speaks(response: ResponseReceived) -> bool:
    if response.spoken_answers:
        return True
    try:
        return any(isinstance(action, Read) for action in Response.parse(response.body))
    except ResponseSyntaxError:
        return False


def no_sessions_left_open(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """The application has at most as many open sessions as there are calls."""
    for position, event in enumerate(index.events):
        if isinstance(event, OpenCallsCounted) and event.open_sessions > event.open_calls:
            message = f"{event.open_sessions} sessions are open, and {event.open_calls} calls"
            hangups = [
                request.received_index for request in index.requests.values() if request.event.is_hangup
            ]
            related = [at for at in hangups if 0 <= at < position][-5:]
            yield index.violation("left_open", message, position, ("", ""), *related)
