"""Rules about what is heard: each utterance gets its own answer, once, in its own call."""

from __future__ import annotations

from collections.abc import Iterator

from yemot_ai_testing.history.index import Ask, CallView, Index, Request, Utterance
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = ["answered", "answered_by_its_own", "answered_once", "repeated_alike"]

REMEMBERED = 4
"""A request that comes again is answered as it was, if it was one of the last so many of its call."""


def answered_by_its_own(index: Index, _budget: Budget) -> Iterator[Violation]:
    """What is heard in a call answers what was said in it, and last."""
    for request in index.requests.values():
        for mark in dict.fromkeys(mark for mark, _ in request.answer.spoken) if request.answer else ():
            call = request.event.call
            utterance = index.utterance(mark, call)
            if utterance is None or utterance.said > request.got:
                continue
            if utterance.call != call:
                message = f"{call} hears the answer to {mark}, which {utterance.call} has said"
                yield index.violation(
                    "crossed_calls", message, request.got, call=call, utterance=mark, also=[request.sent]
                )
            elif other := _of_another(index, utterance, request):
                message = f"{call} hears what {other.call} was answered, who has said {mark}, too"
                yield index.violation(
                    "crossed_calls", message, request.got, call=call, utterance=mark, also=[other.said]
                )
            elif newer := _said_since(index, utterance, request):
                message = f"{newer.mark} was said, and the answer to {mark} is heard"
                yield index.violation(
                    "stale", message, request.got, call=call, utterance=mark, also=[newer.said]
                )


def _of_another(index: Index, utterance: Utterance, request: Request) -> Utterance | None:
    """Return what the answer was made for, if that was said in another call, though in the same words."""
    answers = [ask for mark, ask in request.answer.spoken if mark == utterance.mark] if request.answer else []
    asked = (index.asks[ask].utterance for ask in answers if ask in index.asks)
    return next((one for one in asked if one is not None and one.call != utterance.call), None)


def _said_since(index: Index, utterance: Utterance, request: Request) -> Utterance | None:
    """Return a newer utterance that the request was sent after, unless the request is an old one."""
    call = index.call(utterance.call)
    if _is_old(call, request):
        return None
    newer = (one for one in call.utterances if utterance.said < one.said < request.sent)
    return next(newer, None)


def _is_old(call: CallView, request: Request) -> bool:
    """Tell whether the request came again, or late."""
    return request.event.copy or any(
        one.event.content == request.event.content for one in call.requests if one.sent < request.sent
    )


def answered_once(index: Index, _budget: Budget) -> Iterator[Violation]:
    """An utterance has one answer, and it is heard once; a request that comes again may repeat it."""
    for utterance in index.utterances:
        own = [(request, ask) for request, ask in utterance.spoken if request.event.call == utterance.call]
        answers = [(request, ask) for request, ask in own if ask]
        if len({ask for _, ask in answers}) > 1:
            yield _twice(index, utterance, answers, f"{utterance.mark} was answered with two answers")
        elif utterance.sentences:
            continue  # each of them says which answer it is part of: their own rule tells repeated ones
        elif len(_times(answers)) > 1:
            yield _twice(index, utterance, answers, f"the answer to {utterance.mark} was spoken twice")
        elif len({request.event.request for request, _ in answers}) < len(answers):
            message = f"the answer to {utterance.mark} was spoken twice at once"
            yield _twice(index, utterance, answers, message)


def _times(answers: list[tuple[Request, str]]) -> set[str]:
    return {request.event.content for request, _ in answers if not request.event.copy}


def _twice(index: Index, utterance: Utterance, answers: list[tuple[Request, str]], message: str) -> Violation:
    last, *before = [request for request, _ in reversed(answers)]
    also = [position for request in before[:2] for position in (request.sent, request.got)]
    return index.violation(
        "answered_twice", message, last.got, call=utterance.call, utterance=utterance.mark, also=also
    )


def answered(index: Index, budget: Budget) -> Iterator[Violation]:
    """When the line waits for the caller again, what was said has been answered."""
    for call in index.calls.values():
        for utterance in call.utterances:
            settled = index.settled(utterance)
            if settled is None or any(0 <= request.got <= settled.got for request, _ in utterance.spoken):
                continue
            if index.faulted(call.name, utterance.said, settled.got):
                continue
            asks = [ask for ask in utterance.asks if ask.asked < settled.got]
            if asks and not any(_usable(index, utterance, ask, settled, budget) for ask in asks):
                continue  # there was no answer, or it came too late: an apology is all that can be heard
            message = f"nothing came of {utterance.mark}: the line waits, and the model was never asked"
            if asks:
                message = f"the model has answered {utterance.mark}, and the caller has not heard it"
            yield index.violation(
                "unheard" if asks else "ignored",
                message,
                settled.got,
                call=call.name,
                utterance=utterance.mark,
            )


def _usable(index: Index, utterance: Utterance, ask: Ask, settled: Request, budget: Budget) -> bool:
    """Tell whether there was an answer when the line waited again, and somebody could have spoken it."""
    if not ask.answered or ask.told >= settled.got:
        return False
    lost = index.taken_for_dead(ask, settled.got, budget)
    return not lost and not index.given_up(ask, utterance.said, settled.got, budget)


def repeated_alike(index: Index, _budget: Budget) -> Iterator[Violation]:
    """A request that comes again, soon, gets the answer that it had."""
    for call in index.calls.values():
        # From the hang-up on, also while it is being answered, nothing but "hang up" is right.
        gone = next((one.sent for one in call.requests if one.event.hangup), len(index.events))
        recent: list[Request] = []
        for request in call.requests:
            if request.answer is None or request.event.hangup or request.got > gone:
                continue
            twin = next((one for one in recent if one.event.content == request.event.content), None)
            if twin is None:
                recent = [*recent, request][-REMEMBERED:]
            elif twin.got < request.sent and _differs(index, twin, request):
                message = f"request {twin.event.request} came again, and was answered otherwise"
                also = [twin.sent, twin.got, request.sent]
                yield index.violation("unstable", message, request.got, call=call.name, also=also)


def _differs(index: Index, twin: Request, request: Request) -> bool:
    if twin.answer is None or request.answer is None or twin.answer.fault or request.answer.fault:
        return False
    if index.faulted(request.event.call, twin.sent, request.got):
        return False
    # While an answer is being made, a request that comes again may well get it, unless it has had a part.
    return (twin.answer.waits or bool(twin.answer.sentences)) and twin.answer.body != request.answer.body
