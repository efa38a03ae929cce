"""Rules about the words that callers hear: an answer is spoken as the model has written it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.trace import shorten
from yemot_ai_testing.history.views import CallView, ModelCallView, RequestView, UtteranceView
from yemot_ai_testing.history.violation import Budget, Violation
from yemot_ai_testing.history.wording import WordDifference, answer_words, first_difference, spoken_words

__all__ = ["answers_are_spoken_in_full", "greetings_are_spoken_once", "numbers_of_callers_are_private"]

MIN_NUMBER_LENGTH = 9
"""The fewest digits of a telephone number."""

_NUMBER = re.compile(rf"\d{{{MIN_NUMBER_LENGTH},}}")
_SEPARATOR = re.compile(r"(?<=\d)[\s,-]+(?=\d)")

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


def greetings_are_spoken_once(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """What a caller heard before the first utterance is not heard again before its answer."""
    for utterance, settled in index.settled_utterances():
        call = index.call(utterance.call)
        if utterance is not call.utterances[0]:
            continue
        turn = _requests_of(index, utterance, settled.received_index)
        heard = tuple(word for request in turn for word in _words_of(request))
        before = heard[: heard.index(utterance.utterance_id)] if utterance.utterance_id in heard else ()
        greetings = (_words_of(request) for request in _requests_before(call, utterance))
        if again := next((words for words in greetings if words and _contains(before, words)), None):
            message = (
                f"{call.name} hears {' '.join(again)!r} a second time, before the answer to "
                f"{utterance.utterance_id}: {' '.join(heard[: len(before) + 1])!r}"
            )
            at = settled.received_index
            yield index.violation("greeted_twice", message, at, utterance.subject, settled.sent_index)


def _requests_before(call: CallView, utterance: UtteranceView) -> Iterator[RequestView]:
    """Iterate over the requests before an utterance after which the line waited for the caller."""
    for request in call.requests:
        response = None if request.event.is_repeat else request.response
        if response and response.awaits_caller and request.received_index < utterance.spoken_index:
            yield request


def _contains(words: tuple[str, ...], part: tuple[str, ...]) -> bool:
    return any(words[start : start + len(part)] == part for start in range(len(words) - len(part) + 1))


def numbers_of_callers_are_private(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """No caller hears the number of another one."""
    numbers: dict[str, str] = {}
    for request in index.requests.values():
        if len(request.event.phone) >= MIN_NUMBER_LENGTH:
            numbers.setdefault(request.event.phone, request.event.call)
    for request in index.requests.values():
        body = request.response.body if request.response and not request.event.is_hangup else ""
        for number in _NUMBER.findall(_SEPARATOR.sub("", body)):
            other = numbers.get(number, request.event.call)
            if number != request.event.phone and other != request.event.call:
                message = f"{request.event.call} hears {number}, the number of {other}: {shorten(body)}"
                at = request.received_index
                yield index.violation("crossed_calls", message, at, request.subject, request.sent_index)
