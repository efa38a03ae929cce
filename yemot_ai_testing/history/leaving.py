"""Rules about the end of a call: once the caller has hung up, nothing more happens in it."""

from __future__ import annotations

from collections.abc import Iterator

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import Read, Response
from yemot_ai_testing.history.events import Counted, Got
from yemot_ai_testing.history.index import Ask, Index
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = ["left_nothing_open", "ran_no_more", "spoke_no_more", "stored_no_more"]


def ran_no_more(index: Index, budget: Budget) -> Iterator[Violation]:
    """The model is not asked after the hang-up, and what it was asked ends with it."""
    for call in index.calls.values():
        over = index.over(call)
        if over is None:
            continue
        for ask in call.asks:
            if ask.asked > over:
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


def _lingers(index: Index, ask: Ask, over: int, budget: Budget) -> bool:
    if not ask.runs_at(over) or index.restarted(ask.event.worker, ask.asked, len(index.events)):
        return False
    last = ask.told if ask.told >= 0 else len(index.events) - 1
    return index.events[last].at - index.events[over].at >= budget.hangup


def stored_no_more(index: Index, _budget: Budget) -> Iterator[Violation]:
    """Of a call that is over nothing is stored but that it is over."""
    for call in index.calls.values():
        over = index.over(call)
        # A worker may be slow to tell what it stored: versions say what was stored before what.
        end = next((saved.version for _position, saved in call.saved if saved.ended), 0)
        for position, saved in call.saved:
            if over is not None and position > over and saved.version > end and not saved.ended:
                message = f"version {saved.version} of {call.name} was stored after it had hung up"
                yield index.violation("stored_after_hangup", message, position, call=call.name)
                break


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
