"""Rules about the end of a call: once the caller has hung up, nothing more happens in it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import Read, Response
from yemot_ai_testing.history.events import OpenCallsCounted, ResponseReceived
from yemot_ai_testing.history.index import CallView, HistoryIndex, ModelCallView
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = [
    "model_stops_after_hangup",
    "no_sessions_left_open",
    "nothing_saved_after_hangup",
    "nothing_spoken_after_hangup",
]


def model_stops_after_hangup(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """The model is not asked after the hang-up, and what it was asked ends with it."""
    for call in index.calls.values():
        over = index.hangup_known_index(call)
        if over is None:
            continue
        for ask in call.model_calls:
            if ask.asked_index > over and not _hangup_unknown_to_worker(index, call, ask, over, budget):
                message = f"the model was asked {ask.event.utterance_id} after {call.name} had hung up"
                yield index.violation(
                    "ran_after_hangup",
                    message,
                    ask.asked_index,
                    call=call.name,
                    utterance=ask.event.utterance_id,
                )
            elif _runs_past_hangup(index, ask, over, budget):
                end = ask.ended_index if ask.ended_index >= 0 else len(index.events) - 1
                message = (
                    f"the model still thinks about {ask.event.utterance_id} after {call.name} has hung up"
                )
                yield index.violation(
                    "ran_after_hangup", message, end, call=call.name, utterance=ask.event.utterance_id
                )


def _hangup_unknown_to_worker(
    index: HistoryIndex, call: CallView, ask: ModelCallView, over: int, budget: Budget
) -> bool:
    """Tell whether another worker was told of the hang-up, so lately that this one was about to ask."""
    told = next(one.event.worker for one in call.requests if one.received_index == over)
    return (
        told != ask.event.worker
        and index.seconds_between(over, ask.asked_index, ask.event.worker) < budget.hangup
    )


def _runs_past_hangup(index: HistoryIndex, ask: ModelCallView, over: int, budget: Budget) -> bool:
    last = ask.ended_index if ask.ended_index >= 0 else len(index.events) - 1
    if last <= over or index.had_restart(ask.event.worker, ask.asked_index, len(index.events)):
        return False
    return index.seconds_between(over, last, ask.event.worker) >= budget.hangup


def nothing_saved_after_hangup(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """Of a call that is over nothing is stored but that it is over."""
    for call in index.calls.values():
        over = index.hangup_known_index(call)
        end = _end_version(index, call)
        for position, saved in call.saves:
            if over is not None and position > over and saved.version > end and not saved.call_ended:
                message = f"version {saved.version} of {call.name} was stored after it had hung up"
                yield index.violation("stored_after_hangup", message, position, call=call.name)
                break


def _end_version(index: HistoryIndex, call: CallView) -> float:
    """Return the version that says that the call is over: a worker may be slow to tell what it stored before.

    One that is killed never tells what it has just stored: then nobody knows.
    """
    known = [saved.version for _position, saved in call.saves]
    ends = [saved.version for _position, saved in call.saves if saved.call_ended]
    if ends:
        return min(ends)
    untold = len({*known}) < max(known, default=0)
    return math.inf if untold and index.restarts else 0


def nothing_spoken_after_hangup(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """Whatever the line still sends of a call that is over, it is not answered."""
    for call in index.calls.values():
        over = index.hangup_known_index(call)
        for request in call.requests:
            if (
                over is None
                or request.sent_index < over
                or request.event.is_hangup
                or request.response is None
            ):
                continue
            if index.had_fault(call.name, request.sent_index, request.received_index):
                continue  # while the store is away, nobody can look up that it is over
            if _speaks(request.response):
                message = f"a request of {call.name} was answered after it had hung up"
                yield index.violation(
                    "spoke_after_hangup",
                    message,
                    request.received_index,
                    call=call.name,
                    related=[over, request.sent_index],
                )
                break


def _speaks(answer: ResponseReceived) -> bool:
    if answer.spoken_answers:
        return True
    try:
        return any(isinstance(action, Read) for action in Response.parse(answer.body))
    except ResponseSyntaxError:
        return False


def no_sessions_left_open(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """The application holds as many calls for open as there are."""
    for position, event in enumerate(index.events):
        if isinstance(event, OpenCallsCounted) and event.open_sessions > event.open_calls:
            message = f"{event.open_sessions} sessions are open, and {event.open_calls} calls"
            hangups = [one.received_index for one in index.requests.values() if one.event.is_hangup]
            also = [at for at in hangups if 0 <= at < position][-5:]
            yield index.violation("left_open", message, position, related=also)
