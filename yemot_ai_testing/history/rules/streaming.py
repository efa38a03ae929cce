"""Rules about streamed answers, which are spoken sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator

from yemot_ai_testing.history.correlation import SpokenSentence, spoken_sentences
from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.views import ModelCallView, RequestView, UtteranceView
from yemot_ai_testing.history.violation import Budget, Violation, ViolationKind

__all__ = ["every_sentence_is_spoken", "interruption_ends_answer", "sentences_spoken_once_in_order"]


def sentences_spoken_once_in_order(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """The sentences of an answer are heard once and in order; repeated requests may repeat them."""
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
                message = f"{which} was heard, and sentence {last + 1} was not"
                yield _violation(index, utterance, request, "out_of_order", message)
                break


def _heard_sentences(utterance: UtteranceView) -> Iterator[tuple[RequestView, SpokenSentence]]:
    """Iterate over the sentences that the caller heard, in order, without those of repeated requests."""
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
    """When the line waits for the caller again, every finished sentence was heard."""
    for utterance, settled in index.settled_utterances():
        end = settled.received_index
        if 0 <= utterance.interrupted_index < end:
            continue
        heard = {
            (sentence.model_call_id, sentence.number)
            for request, sentence in _heard_sentences(utterance)
            if request.received_index <= end
        }
        expected = _expected_sentences(index, utterance, end, budget)
        missing = next((sentence for sentence in expected if sentence not in heard), None)
        if missing is not None:
            message = f"sentence {missing[1]} of the answer to {utterance.utterance_id} was never heard"
            yield _violation(index, utterance, settled, "unheard", message)


def _expected_sentences(
    index: HistoryIndex, utterance: UtteranceView, end: int, budget: Budget
) -> Iterator[tuple[str, int]]:
    """Iterate over the sentences that the caller should have heard: (model call ID, number)."""
    for model_call in utterance.model_calls:
        if index.was_usable(model_call, utterance, end, budget):
            for sentence in spoken_sentences(_complete_text(model_call)):
                yield model_call.event.model_call_id, sentence.number


def _complete_text(model_call: ModelCallView) -> str:
    """Return the text of a model call without an unfinished sentence."""
    text = "".join(model_call.pieces)
    if model_call.completed:
        return text
    if model_call.result is not None and model_call.result.error == "cancelled":
        return ""  # other rules check whether it was cancelled correctly
    return text[: text.rfind(". ") + 1]


def interruption_ends_answer(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """A key that interrupts an answer ends it: no further sentence is heard, and the model stops."""
    for utterance in index.utterances:
        if utterance.interrupted_index < 0:
            continue
        answered = _interrupting_request(index, utterance)
        if answered is None:
            continue
        for request, _ in _heard_sentences(utterance):
            if request.sent_index >= answered.sent_index:
                message = f"the answer to {utterance.utterance_id} was interrupted, and more of it was heard"
                yield _violation(index, utterance, request, "spoke_after_interruption", message)
                break
        for model_call in utterance.model_calls:
            ran = index.seconds_after(answered.received_index, model_call)
            if (
                ran is not None
                and ran > budget.interruption
                and model_call.is_running_at(answered.received_index)
                and not index.had_fault(utterance.call, answered.sent_index, answered.received_index)
            ):
                message = f"the model still answers {utterance.utterance_id} after the caller has interrupted"
                end = index.end_of(model_call)
                yield index.violation("ran_after_interruption", message, end, utterance.subject)


def _interrupting_request(index: HistoryIndex, utterance: UtteranceView) -> RequestView | None:
    """Return the request that carried the key, if it has a response."""
    for request in index.call(utterance.call).requests:
        if request.sent_index > utterance.interrupted_index and not request.event.is_repeat:
            return request if request.received_index >= 0 and not request.event.is_hangup else None
    return None


def _violation(
    index: HistoryIndex, utterance: UtteranceView, request: RequestView, kind: ViolationKind, message: str
) -> Violation:
    return index.violation(kind, message, request.received_index, utterance.subject, request.sent_index)
