"""Rules about the end of a call: once the caller has hung up, nothing more happens in it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import Read, Response
from yemot_ai_testing.history.events import Counted, Got
from yemot_ai_testing.history.index import Ask, CallView, Index
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = ["left_nothing_open", "ran_no_more", "spoke_no_more", "stored_no_more"]


def ran_no_more(index: Index, budget: Budget) -> Iterator[Violation]:
    """The model is not asked after the hang-up, and what it was asked ends with it."""
    for call in index.calls.values():
        over = index.over(call)
        if over is None:
            continue
        for ask in call.asks:
            if ask.asked > over and not _may_not_know(index, call, ask, over, budget):
                message = f"the model was asked {ask.event.utterance} after {call.name} had hung up"
                yield index.violation(
                    "ran_after_hangup", message, ask.asked, call=call.name, utterance=ask.event.utterance
                )
            elif _lingers(index, ask, over, budget):
                end = ask.told if ask.told >= 0 else len(index.events) - 1
                message = f"the model still thinks about {ask.event.utterance} after {call.name} has hung up"
                yield index.violation(
                    "ran_after_hangup", message, end, call=call.name, utterance=ask.event.utterance
                )


def _may_not_know(index: Index, call: CallView, ask: Ask, over: int, budget: Budget) -> bool:
    """Tell whether another worker was told of the hang-up, so lately that this one was about to ask."""
    told = next(one.event.worker for one in call.requests if one.got == over)
    return told != ask.event.worker and index.seconds(over, ask.asked, ask.event.worker) < budget.hangup


def _lingers(index: Index, ask: Ask, over: int, budget: Budget) -> bool:
    last = ask.told if ask.told >= 0 else len(index.events) - 1
    if last <= over or index.restarted(ask.event.worker, ask.asked, len(index.events)):
        return False
    return index.seconds(over, last, ask.event.worker) >= budget.hangup


def stored_no_more(index: Index, _budget: Budget) -> Iterator[Violation]:
    """Of a call that is over nothing is stored but that it is over."""
    for call in index.calls.values():
        over = index.over(call)
        end = _last_version(index, call)
        for position, saved in call.saved:
            if over is not None and position > over and saved.version > end and not saved.ended:
                message = f"version {saved.version} of {call.name} was stored after it had hung up"
                yield index.violation("stored_after_hangup", message, position, call=call.name)
                break


def _last_version(index: Index, call: CallView) -> float:
    """Return the version that says that the call is over: a worker may be slow to tell what it stored before.

    One that is killed never tells what it has just stored: then nobody knows.
    """
    known = [saved.version for _position, saved in call.saved]
    ends = [saved.version for _position, saved in call.saved if saved.ended]
    if ends:
        return min(ends)
    untold = len({*known}) < max(known, default=0)
    return math.inf if untold and index.restarts else 0


def spoke_no_more(index: Index, _budget: Budget) -> Iterator[Violation]:
    """Whatever the line still sends of a call that is over, it is not answered."""
    for call in index.calls.values():
        over = index.over(call)
        for request in call.requests:
            if over is None or request.sent < over or request.event.hangup or request.answer is None:
                continue
            if index.faulted(call.name, request.sent, request.got):
                continue  # while the store is away, nobody can look up that it is over
            if _speaks(request.answer):
                message = f"a request of {call.name} was answered after it had hung up"
                yield index.violation(
                    "spoke_after_hangup", message, request.got, call=call.name, also=[over, request.sent]
                )
                break


def _speaks(answer: Got) -> bool:
    if answer.spoken:
        return True
    try:
        return any(isinstance(action, Read) for action in Response.parse(answer.body))
    except ResponseSyntaxError:
        return False


def left_nothing_open(index: Index, _budget: Budget) -> Iterator[Violation]:
    """The application holds as many calls for open as there are."""
    for position, event in enumerate(index.events):
        if isinstance(event, Counted) and event.sessions > event.calls:
            message = f"{event.sessions} sessions are open, and {event.calls} calls"
            hangups = [one.got for one in index.requests.values() if one.event.hangup]
            also = [at for at in hangups if 0 <= at < position][-5:]
            yield index.violation("left_open", message, position, also=also)
