"""Rules about what is heard: each utterance gets its own answer, once, in its own call."""

from __future__ import annotations

from collections.abc import Iterator

from yemot_ai_testing.history.index import CallView, HistoryIndex, ModelCallView, RequestView, UtteranceView
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = [
    "answered_at_most_once",
    "answers_match_utterances",
    "every_utterance_is_answered",
    "repeated_requests_are_idempotent",
]

REMEMBERED_REQUESTS = 4
"""A request that comes again is answered as it was, if it was one of the last so many of its call."""


def answers_match_utterances(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """What is heard in a call answers what was said in it, and last."""
    for request in index.requests.values():
        for mark in (
            dict.fromkeys(mark for mark, _ in request.response.spoken_answers) if request.response else ()
        ):
            call = request.event.call
            utterance = index.utterance(mark, call)
            if utterance is None or utterance.spoken_index > request.received_index:
                continue
            if utterance.call != call:
                message = f"{call} hears the answer to {mark}, which {utterance.call} has said"
                yield index.violation(
                    "crossed_calls",
                    message,
                    request.received_index,
                    call=call,
                    utterance=mark,
                    related=[request.sent_index],
                )
            elif other := _answered_for_another_call(index, utterance, request):
                message = f"{call} hears what {other.call} was answered, who has said {mark}, too"
                yield index.violation(
                    "crossed_calls",
                    message,
                    request.received_index,
                    call=call,
                    utterance=mark,
                    related=[other.spoken_index],
                )
            elif newer := _newer_utterance(index, utterance, request):
                message = f"{newer.utterance_id} was said, and the answer to {mark} is heard"
                yield index.violation(
                    "stale",
                    message,
                    request.received_index,
                    call=call,
                    utterance=mark,
                    related=[newer.spoken_index],
                )


def _answered_for_another_call(
    index: HistoryIndex, utterance: UtteranceView, request: RequestView
) -> UtteranceView | None:
    """Return what the answer was made for, if that was said in another call, though in the same words."""
    answers = (
        [ask for mark, ask in request.response.spoken_answers if mark == utterance.utterance_id]
        if request.response
        else []
    )
    asked = (index.model_calls[ask].utterance for ask in answers if ask in index.model_calls)
    return next((one for one in asked if one is not None and one.call != utterance.call), None)


def _newer_utterance(
    index: HistoryIndex, utterance: UtteranceView, request: RequestView
) -> UtteranceView | None:
    """Return a newer utterance that the request was sent after, unless the request is an old one."""
    call = index.call(utterance.call)
    if _is_repeat(call, request):
        return None
    newer = (one for one in call.utterances if utterance.spoken_index < one.spoken_index < request.sent_index)
    return next(newer, None)


def _is_repeat(call: CallView, request: RequestView) -> bool:
    """Tell whether the request came again, or late."""
    return request.event.is_repeat or any(
        one.event.fingerprint == request.event.fingerprint
        for one in call.requests
        if one.sent_index < request.sent_index
    )


def answered_at_most_once(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """An utterance has one answer, and it is heard once; a request that comes again may repeat it."""
    for utterance in index.utterances:
        own = [
            (request, ask)
            for request, ask in utterance.spoken_answers
            if request.event.call == utterance.call
        ]
        answers = [(request, ask) for request, ask in own if ask]
        if len({ask for _, ask in answers}) > 1:
            yield _answered_twice(
                index, utterance, answers, f"{utterance.utterance_id} was answered with two answers"
            )
        elif utterance.spoken_sentences:
            continue  # each of them says which answer it is part of: their own rule tells repeated ones
        elif len(_distinct_requests(answers)) > 1:
            yield _answered_twice(
                index, utterance, answers, f"the answer to {utterance.utterance_id} was spoken twice"
            )
        elif len({request.event.request_id for request, _ in answers}) < len(answers):
            message = f"the answer to {utterance.utterance_id} was spoken twice at once"
            yield _answered_twice(index, utterance, answers, message)


def _distinct_requests(answers: list[tuple[RequestView, str]]) -> set[str]:
    return {request.event.fingerprint for request, _ in answers if not request.event.is_repeat}


def _answered_twice(
    index: HistoryIndex, utterance: UtteranceView, answers: list[tuple[RequestView, str]], message: str
) -> Violation:
    last, *before = [request for request, _ in reversed(answers)]
    also = [position for request in before[:2] for position in (request.sent_index, request.received_index)]
    return index.violation(
        "answered_twice",
        message,
        last.received_index,
        call=utterance.call,
        utterance=utterance.utterance_id,
        related=also,
    )


def every_utterance_is_answered(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """When the line waits for the caller again, what was said has been answered."""
    for call in index.calls.values():
        for utterance in call.utterances:
            settled = index.final_request(utterance)
            if settled is None or any(
                0 <= request.received_index <= settled.received_index
                for request, _ in utterance.spoken_answers
            ):
                continue
            if index.had_fault(call.name, utterance.spoken_index, settled.received_index):
                continue
            asks = [ask for ask in utterance.model_calls if ask.asked_index < settled.received_index]
            if asks and not any(_was_usable(index, utterance, ask, settled, budget) for ask in asks):
                continue  # there was no answer, or it came too late: an apology is all that can be heard
            message = (
                f"nothing came of {utterance.utterance_id}: the line waits, and the model was never asked"
            )
            if asks:
                message = f"the model has answered {utterance.utterance_id}, and the caller has not heard it"
            yield index.violation(
                "unheard" if asks else "ignored",
                message,
                settled.received_index,
                call=call.name,
                utterance=utterance.utterance_id,
            )


def _was_usable(
    index: HistoryIndex, utterance: UtteranceView, ask: ModelCallView, settled: RequestView, budget: Budget
) -> bool:
    """Tell whether there was an answer when the line waited again, and somebody could have spoken it."""
    if not ask.answered or ask.ended_index >= settled.received_index:
        return False
    lost = index.presumed_dead(ask, settled.received_index, budget)
    return not lost and not index.was_given_up(ask, utterance.spoken_index, settled.received_index, budget)


def repeated_requests_are_idempotent(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """A request that comes again, soon, gets the answer that it had."""
    for call in index.calls.values():
        # From the hang-up on, also while it is being answered, nothing but "hang up" is right.
        gone = next((one.sent_index for one in call.requests if one.event.is_hangup), len(index.events))
        recent: list[RequestView] = []
        for request in call.requests:
            if request.response is None or request.event.is_hangup or request.received_index > gone:
                continue
            twin = next((one for one in recent if one.event.fingerprint == request.event.fingerprint), None)
            if twin is None:
                recent = [*recent, request][-REMEMBERED_REQUESTS:]
            elif twin.received_index < request.sent_index and _differs(index, twin, request):
                message = f"request {twin.event.request_id} came again, and was answered otherwise"
                also = [twin.sent_index, twin.received_index, request.sent_index]
                yield index.violation(
                    "unstable", message, request.received_index, call=call.name, related=also
                )


def _differs(index: HistoryIndex, twin: RequestView, request: RequestView) -> bool:
    if twin.response is None or request.response is None or twin.response.fault or request.response.fault:
        return False
    if index.had_fault(request.event.call, twin.sent_index, request.received_index):
        return False
    # While an answer is being made, a request that comes again may well get it, unless it has had a part.
    return (
        twin.response.awaits_caller or bool(twin.response.spoken_sentences)
    ) and twin.response.body != request.response.body
