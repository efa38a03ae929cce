"""Rules about the words that callers hear: an answer is spoken as the model has written it."""

from __future__ import annotations

from collections.abc import Iterator

from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.views import ModelCallView, RequestView, UtteranceView
from yemot_ai_testing.history.violation import Budget, Violation
from yemot_ai_testing.history.wording import WordDifference, answer_words, first_difference, spoken_words

__all__ = ["answers_are_spoken_in_full"]

CONTEXT = 4
"""Words of a quotation before and after a difference."""


def answers_are_spoken_in_full(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """All words of an answer are heard in their order, before the line waits for the caller again.

    Only answers are compared whose words every application speaks alike: Hebrew words and numbers with
    ordinary punctuation.
    """
    for utterance, settled in index.settled_utterances():
        end = settled.received_index
        model_call = _spoken_model_call(index, utterance, end, budget)
        if model_call is None or 0 <= utterance.interrupted_index < end:
            continue
        expected = answer_words(model_call.result.text if model_call.result else "")
        heard = tuple(word for request in _requests_of(index, utterance, end) for word in _words_of(request))
        if difference := first_difference(expected, heard):
            message = _message(utterance, difference, expected, heard)
            yield index.violation("altered", message, end, utterance.subject, settled.sent_index)


def _spoken_model_call(
    index: HistoryIndex, utterance: UtteranceView, end: int, budget: Budget
) -> ModelCallView | None:
    """Return the model call whose answer was spoken; None if the caller has heard no answer."""
    heard = {call_id for _, call_id in utterance.spoken_answers}
    usable = [
        one for one in utterance.model_calls if one.answered and index.was_usable(one, utterance, end, budget)
    ]
    named = [one for one in usable if one.event.model_call_id in heard]
    return (named or usable)[-1] if heard and usable else None


def _requests_of(index: HistoryIndex, utterance: UtteranceView, end: int) -> Iterator[RequestView]:
    """Iterate over the requests whose responses were heard from an utterance to a position."""
    for request in index.call(utterance.call).requests:
        if (
            utterance.spoken_index < request.sent_index < request.received_index <= end
            and not request.event.is_repeat
        ):
            yield request


def _words_of(request: RequestView) -> tuple[str, ...]:
    return spoken_words(request.response.body) if request.response else ()


def _message(
    utterance: UtteranceView, difference: WordDifference, expected: tuple[str, ...], heard: tuple[str, ...]
) -> str:
    position = difference.position
    instead = f"{heard[difference.heard_position]!r}" if difference.replaced else "nothing"
    return (
        f"{utterance.call} hears another wording of the answer to {utterance.utterance_id}: "
        f"word {position + 1} of {len(expected)} is {expected[position]!r}, and {instead} is heard instead; "
        f"said: {_quote(expected, position)!r}, heard: {_quote(heard, difference.heard_position)!r}"
    )


def _quote(words: tuple[str, ...], position: int) -> str:
    return " ".join(words[max(position - CONTEXT, 0) : position + CONTEXT])
