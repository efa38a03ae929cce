"""Faults in the words that a caller hears."""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.protocol import Message, Text
from yemot_ai_testing.line.transports.transport import TransportResponse
from yemot_ai_testing.mutation.mutation import application
from yemot_ai_testing.mutation.responses import with_messages, with_raw_texts, with_texts
from yemot_ai_testing.mutation.turn import Send, Turn

FINAL_LETTERS: Final = str.maketrans("ךםןףץ", "כמנפצ")
MAX_WORDS: Final = 150
_NUMBER: Final = re.compile(r"\d+")
_LAST_SENTENCE: Final = re.compile(r"[,;:!?]\s*[^,;:!?]+[,;:!?]?\s*$")


@application("words")
def final_letters_lost(turn: Turn, send: Send) -> TransportResponse:
    """Final forms of letters are spoken as the ordinary ones."""
    return with_texts(send(turn.pairs), lambda text: text.translate(FINAL_LETTERS))


@application("words")
def first_sentence_only(turn: Turn, send: Send) -> TransportResponse:
    """Only the first sentence of an answer is heard."""
    response = send(turn.pairs)
    return with_messages(response, lambda messages: messages[:1]) if turn.is_answer else response


@application("words")
def last_sentence_lost(turn: Turn, send: Send) -> TransportResponse:
    """The last sentence of an answer is not heard."""
    response = send(turn.pairs)
    return with_messages(response, _without_last_sentence) if turn.is_answer else response


@application("words")
def words_after_150_lost(turn: Turn, send: Send) -> TransportResponse:
    """Of a long answer only 150 words are heard."""
    return with_messages(send(turn.pairs), _first_words)


@application("words")
def numbers_lost(turn: Turn, send: Send) -> TransportResponse:
    """Numbers in a text are not spoken: a price, an hour."""
    return with_texts(send(turn.pairs), lambda text: " ".join(_NUMBER.sub("", text).split()))


@application("words")
def numbers_reversed(turn: Turn, send: Send) -> TransportResponse:
    """Numbers are spoken from right to left: 12 as 21."""
    return with_texts(send(turn.pairs), lambda text: _NUMBER.sub(lambda digits: digits[0][::-1], text))


@application("words")
def full_stop_unescaped(turn: Turn, send: Send) -> TransportResponse:
    """An answer with a full stop ends the call: the line does not understand the response."""
    response = send(turn.pairs)
    return with_raw_texts(response, lambda text: text.replace(" ", ". ", 1)) if turn.is_answer else response


@application("words")
def hyphen_unescaped(turn: Turn, send: Send) -> TransportResponse:
    """An answer with a hyphen ends the call: the line does not understand the response."""
    response = send(turn.pairs)
    return with_raw_texts(response, lambda text: text.replace(" ", "-", 1)) if turn.is_answer else response


@application("words")
def ampersand_unescaped(turn: Turn, send: Send) -> TransportResponse:
    """An answer with & ends the call: the line does not understand the response."""
    response = send(turn.pairs)
    return with_raw_texts(response, lambda text: f"{text} & {text}") if turn.is_answer else response


@application("words")
def spoken_twice(turn: Turn, send: Send) -> TransportResponse:
    """An answer is heard twice."""
    response = send(turn.pairs)
    return with_messages(response, lambda messages: messages * 2) if turn.is_answer else response


def _without_last_sentence(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    last = messages[-1]
    if len(messages) > 1 or not isinstance(last, Text):
        return messages[:-1]
    return (Text(_LAST_SENTENCE.sub("", last.text) or last.text),)


def _first_words(messages: tuple[Message, ...]) -> list[Message]:
    kept: list[Message] = []
    left = MAX_WORDS
    for message in messages:
        words = message.text.split() if isinstance(message, Text) else []
        if len(words) > left:
            return [*kept, Text(" ".join(words[:left]))] if left else kept
        kept.append(message)
        left -= len(words)
    return kept
