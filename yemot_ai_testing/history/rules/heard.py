"""Rules about what callers hear: each utterance gets its answer, once, in its call."""

from __future__ import annotations

from collections.abc import Iterator

from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.views import CallView, RequestView, UtteranceView
from yemot_ai_testing.history.violation import Budget, Violation, ViolationKind

__all__ = [
    "answered_at_most_once",
    "answers_match_utterances",
    "every_utterance_is_answered",
    "repeated_requests_are_idempotent",
]

REMEMBERED_REQUESTS = 4
"""How many of the last requests of a call get the same response when they are repeated."""


def answers_match_utterances(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """A call hears answers to its own utterances only, and only to the last one."""
    for request in index.requests.values():
        for utterance in _answered_utterances(index, request):
            call, utterance_id = request.event.call, utterance.utterance_id
            if utterance.spoken_index > request.received_index:
                continue
            kind: ViolationKind = "crossed_calls"
            if utterance.call != call:
                message = f"{call} hears the answer to {utterance_id}, which {utterance.call} has said"
                related = request.sent_index
            elif other := _answered_for_another_call(index, utterance, request):
                message = f"{call} hears the answer to {other.call}, which has said {utterance_id}, too"
                related = other.spoken_index
            elif newer := _newer_utterance(index, utterance, request):
                kind = "stale"
                again = " again" if newer.utterance_id == utterance_id else ""
                message = f"{newer.utterance_id} was said{again}, and the answer to {utterance_id} is heard"
                related = newer.spoken_index
            else:
                continue
            yield index.violation(kind, message, request.received_index, (call, utterance_id), related)


def _answered_utterances(index: HistoryIndex, request: RequestView) -> Iterator[UtteranceView]:
    """Iterate over the utterances whose answers are in a response, each once.

    Utterances that the application only mentions beside the newest one are a summary, and no answers.
    """
    call, seen = request.event.call, set()
    answers = request.response.spoken_answers if request.response else ()
    said = index.call(call).utterances
    newest = next((one.utterance_id for one in reversed(said) if one.spoken_index < request.sent_index), "")
    has_newest = any(utterance_id == newest for utterance_id, _ in answers)
    for utterance_id, model_call_id in answers:
        utterance = index.answered_utterance(utterance_id, model_call_id, call)
        if utterance is None or (utterance.call == call and has_newest and not model_call_id):
            continue
        if utterance.spoken_index not in seen:
            seen.add(utterance.spoken_index)
            yield utterance


def _answered_for_another_call(
    index: HistoryIndex, utterance: UtteranceView, request: RequestView
) -> UtteranceView | None:
    """Return the utterance of another call, with the same ID, that the answer was made for."""
    for utterance_id, call_id in request.response.spoken_answers if request.response else ():
        if utterance_id == utterance.utterance_id and call_id in index.model_calls:
            other = index.model_calls[call_id].utterance
            if other is not None and other.call != utterance.call:
                return other
    return None


def _newer_utterance(
    index: HistoryIndex, utterance: UtteranceView, request: RequestView
) -> UtteranceView | None:
    """Return a newer utterance that was spoken before the request was sent, unless it is a repetition."""
    call = index.call(utterance.call)
    if _is_repeat(call, request):
        return None
    newer = (
        other for other in call.utterances if utterance.spoken_index < other.spoken_index < request.sent_index
    )
    return next(newer, None)


def _is_repeat(call: CallView, request: RequestView) -> bool:
    """Whether the request is a repetition, or late."""
    return request.event.is_repeat or any(
        other.event.fingerprint == request.event.fingerprint
        for other in call.requests
        if other.sent_index < request.sent_index
    )


def answered_at_most_once(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """An utterance has one answer, and it is heard once; a repeated request may repeat it."""
    for utterance in index.utterances:
        answers = [
            (request, call_id)
            for request, call_id in utterance.spoken_answers
            if request.event.call == utterance.call and call_id
        ]
        if len({call_id for _, call_id in answers}) > 1:
            message = f"{utterance.utterance_id} was answered with two answers"
        elif utterance.spoken_sentences:
            continue  # the rule about sentences finds repeated ones
        elif len(_distinct_requests(answers)) > 1:
            message = f"the answer to {utterance.utterance_id} was spoken twice"
        elif len({request.event.request_id for request, _ in answers}) < len(answers):
            message = f"the answer to {utterance.utterance_id} was spoken twice at once"
        else:
            continue
        last, *earlier = [request for request, _ in reversed(answers)]
        related = [at for request in earlier[:2] for at in (request.sent_index, request.received_index)]
        yield index.violation("answered_twice", message, last.received_index, utterance.subject, *related)


def _distinct_requests(answers: list[tuple[RequestView, str]]) -> set[str]:
    return {request.event.fingerprint for request, _ in answers if not request.event.is_repeat}


def every_utterance_is_answered(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """When the line waits for the caller again, every utterance has been answered."""
    for utterance, settled in index.settled_utterances():
        end = settled.received_index
        if any(0 <= request.received_index <= end for request, _ in utterance.spoken_answers):
            continue
        model_calls = [model_call for model_call in utterance.model_calls if model_call.asked_index < end]
        if not model_calls and (utterance.typed or index.was_answered_by_keys(utterance, end)):
            continue  # it was a command, or the caller has answered another question since
        if not model_calls:
            message = f"{utterance.utterance_id} was ignored: the line waits, and the model was never asked"
            yield index.violation("ignored", message, end, utterance.subject)
        elif any(
            model_call.answered and index.was_usable(model_call, utterance, end, budget)
            for model_call in model_calls
        ):  # else the caller can only hear an apology
            message = f"the model has answered {utterance.utterance_id}, and the caller has not heard it"
            yield index.violation("unheard", message, end, utterance.subject)


def repeated_requests_are_idempotent(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """A request that is repeated soon gets the same response."""
    for call in index.calls.values():
        # After the hang-up request was sent, only a hang-up is a correct response.
        hangup_index = next(
            (request.sent_index for request in call.requests if request.event.is_hangup), len(index.events)
        )
        recent: list[RequestView] = []
        for request in call.requests:
            if request.response is None or request.event.is_hangup or request.received_index > hangup_index:
                continue
            original = next(
                (other for other in recent if other.event.fingerprint == request.event.fingerprint), None
            )
            if original is None:
                recent = [*recent, request][-REMEMBERED_REQUESTS:]
            elif original.received_index < request.sent_index and _differs(index, original, request):
                message = f"request {original.event.request_id} was repeated, and got another response"
                related = original.sent_index, original.received_index, request.sent_index
                yield index.violation("unstable", message, request.received_index, call.subject, *related)


def _differs(index: HistoryIndex, original: RequestView, request: RequestView) -> bool:
    if (
        original.response is None
        or request.response is None
        or original.response.fault
        or request.response.fault
    ):
        return False
    if index.had_fault(request.event.call, original.sent_index, request.received_index):
        return False
    # While the model answers, a repeated poll may get the answer, unless the original got a part of it.
    return (
        original.response.awaits_caller or bool(original.response.spoken_sentences)
    ) and original.response.body != request.response.body
