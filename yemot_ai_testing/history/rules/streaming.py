"""Rules about answers that are spoken sentence by sentence, while the model still writes them."""

from __future__ import annotations

from collections.abc import Iterator

from yemot_ai_testing.history.correlation import SpokenSentence, spoken_sentences
from yemot_ai_testing.history.index import HistoryIndex, ModelCallView, RequestView, UtteranceView
from yemot_ai_testing.history.violation import Budget, Violation, ViolationKind

__all__ = ["every_sentence_is_spoken", "interruption_ends_answer", "sentences_spoken_once_in_order"]


def sentences_spoken_once_in_order(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """Each sentence of an answer is heard once, after those before it; copies of a request may repeat it."""
    for utterance in index.utterances:
        heard: dict[str, int] = {}
        for request, sentence in _heard_sentences(utterance):
            last = heard.get(sentence.model_call_id, 0)
            heard[sentence.model_call_id] = max(last, sentence.number)
            which = f"sentence {sentence.number} of the answer to {utterance.utterance_id}"
            if sentence.number <= last:
                yield _violation(index, utterance, request, "answered_twice", f"{which} was spoken again")
                break
            if sentence.number > last + 1:
                message = f"{which} is heard, and sentence {last + 1} was not"
                yield _violation(index, utterance, request, "out_of_order", message)
                break


def _heard_sentences(utterance: UtteranceView) -> Iterator[tuple[RequestView, SpokenSentence]]:
    """Iterate over what its caller heard, in order, without what a repeated request has repeated."""
    first: dict[str, int] = {}
    for request, sentence in utterance.spoken_sentences:
        own = request.event.call == utterance.call and not request.event.is_repeat
        if (
            own
            and first.setdefault(request.event.fingerprint, request.event.request_id)
            == request.event.request_id
        ):
            yield request, sentence


def every_sentence_is_spoken(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """When the line waits for the caller again, every sentence that the model has finished was heard."""
    for call in index.calls.values():
        for utterance in call.utterances:
            settled = index.final_request(utterance)
            if settled is None or 0 <= utterance.interrupted_index < settled.received_index:
                continue
            if index.had_fault(call.name, utterance.spoken_index, settled.received_index):
                continue
            heard = {
                (one.model_call_id, one.number)
                for request, one in _heard_sentences(utterance)
                if request.received_index <= settled.received_index
            }
            missing = next(
                (one for one in _expected_sentences(index, utterance, settled, budget) if one not in heard),
                None,
            )
            if missing is not None:
                message = f"sentence {missing[1]} of the answer to {utterance.utterance_id} was never heard"
                yield _violation(index, utterance, settled, "unheard", message)


def _expected_sentences(
    index: HistoryIndex, utterance: UtteranceView, settled: RequestView, budget: Budget
) -> Iterator[tuple[str, int]]:
    """Iterate over the sentences that the caller should have heard: (ask, number)."""
    for ask in utterance.model_calls:
        if not 0 <= ask.ended_index < settled.received_index or index.presumed_dead(
            ask, settled.received_index, budget
        ):
            continue
        if index.was_given_up(ask, utterance.spoken_index, settled.received_index, budget):
            continue
        for one in spoken_sentences(_complete_text(ask)):
            yield ask.event.model_call_id, one.number


def _complete_text(ask: ModelCallView) -> str:
    """Return what the model wrote, without a sentence that it has not finished."""
    text = "".join(ask.pieces)
    if ask.answered:
        return text
    if ask.result is not None and ask.result.error == "cancelled":
        return ""  # somebody has stopped it; who, and whether rightly, is for other rules
    return text[: text.rfind(". ") + 1]


def interruption_ends_answer(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """A key that interrupts ends the answer: nothing more of it is heard, and the model stops."""
    for utterance in index.utterances:
        if utterance.interrupted_index < 0:
            continue
        answered = _interrupting_request(index, utterance)
        if answered is None:
            continue
        for request, _ in _heard_sentences(utterance):
            if request.sent_index >= answered.sent_index:
                message = f"the answer to {utterance.utterance_id} was interrupted, and more of it is heard"
                yield _violation(index, utterance, request, "spoke_after_interruption", message)
                break
        for ask in utterance.model_calls:
            if ask.is_running_at(answered.received_index) and _runs_past_interruption(
                index, ask, answered, budget
            ):
                end = ask.ended_index if ask.ended_index >= 0 else len(index.events) - 1
                message = f"the model goes on with {utterance.utterance_id} after the caller has interrupted"
                yield index.violation(
                    "ran_after_interruption",
                    message,
                    end,
                    call=utterance.call,
                    utterance=utterance.utterance_id,
                )


def _interrupting_request(index: HistoryIndex, utterance: UtteranceView) -> RequestView | None:
    """Return the request that brought the key, once it is answered."""
    for request in index.call(utterance.call).requests:
        if request.sent_index > utterance.interrupted_index and not request.event.is_repeat:
            return request if request.received_index >= 0 and not request.event.is_hangup else None
    return None


def _runs_past_interruption(
    index: HistoryIndex, ask: ModelCallView, answered: RequestView, budget: Budget
) -> bool:
    if index.had_fault(index.call(answered.event.call).name, answered.sent_index, answered.received_index):
        return False
    if index.had_restart(ask.event.worker, ask.asked_index, len(index.events)):
        return False
    last = ask.ended_index if ask.ended_index >= 0 else len(index.events) - 1
    return index.seconds_between(answered.received_index, last, ask.event.worker) > budget.interruption


def _violation(
    index: HistoryIndex, utterance: UtteranceView, request: RequestView, kind: ViolationKind, message: str
) -> Violation:
    return index.violation(
        kind,
        message,
        request.received_index,
        call=utterance.call,
        utterance=utterance.utterance_id,
        related=[request.sent_index],
    )
