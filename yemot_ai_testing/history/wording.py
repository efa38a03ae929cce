"""The words of a text as the line speaks them: of an answer, and of responses.

>>> spoken_words("read=t-תשובה 1.t-מתוך 2=ai_2,no,voice")
('תשובה', '1', 'מתוך', '2')
>>> answer_words("פתוח. סגור ביום ו")
('פתוח', 'סגור', 'ביום', 'ו')
>>> first_difference(("פתוח", "היום"), ("כן", "פתוח", "היו"))
WordDifference(position=1, heard_position=2, replaced=True)
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from yemot_ai.errors import ResponseSyntaxError
from yemot_ai.protocol import Digits, Message, Number, Play, Read, Response, Text, speakable
from yemot_ai.protocol.messages import MAX_WORDS

__all__ = ["WordDifference", "answer_words", "first_difference", "spoken_words"]

_WORD: Final = re.compile(r"[^\W_]+")
_PLAIN: Final = re.compile(r"(?:(?:[א-ת]+|\d{1,8})(?:[,.!?]?\s+|[.!?]?$))+")
"""Words and numbers with ordinary punctuation: every correct conversion leaves the words unchanged."""


class WordDifference(NamedTuple):
    """The first word of an answer that was not heard in its place.

    Attributes:
        position: its position in the answer, from 0.
        heard_position: the position in what was heard where it is missing.
        replaced: whether another word was heard there.
    """

    position: int
    heard_position: int
    replaced: bool


@functools.lru_cache(1024)
def answer_words(text: str) -> tuple[str, ...]:
    """Return the words of an answer as ``speakable`` speaks them.

    Args:
        text: the answer of a model.

    Returns:
        The words; none if correct applications may speak the text in several ways.
    """
    words = _message_words(speakable(text)) if _PLAIN.fullmatch(text) else ()
    return words if words == tuple(_WORD.findall(text)) else ()


@functools.lru_cache(4096)
def spoken_words(body: str) -> tuple[str, ...]:
    """Return the words that the line speaks of a response; none if it does not understand the response.

    It speaks up to 150 words of one text [OFF].
    """
    try:
        actions = list(Response.parse(body))
    except ResponseSyntaxError:
        return ()
    return tuple(
        word
        for action in actions
        if isinstance(action, Play | Read)
        for word in _message_words(action.messages)
    )


def _message_words(messages: Iterable[Message]) -> tuple[str, ...]:
    spoken = [message for message in messages if isinstance(message, Text | Digits | Number)]
    texts = [" ".join(str(message).partition("-")[2].split()[:MAX_WORDS]) for message in spoken]
    return tuple(word for text in texts for word in _WORD.findall(text))


def first_difference(expected: Sequence[str], heard: Sequence[str]) -> WordDifference | None:
    """Return the first of the ``expected`` words that was not heard; None if all were heard in their order.

    Words of the application itself may stand before, between and after them.

    Args:
        expected: the words of the answer.
        heard: all words that were heard.
    """
    remaining = iter(heard)
    if all(word in remaining for word in expected):
        return None
    matcher = SequenceMatcher(None, expected, heard, autojunk=False)
    operations = (code for code in matcher.get_opcodes() if code[0] in {"delete", "replace"})
    operation, begin, _end, heard_from, _ = next(operations)
    return WordDifference(begin, heard_from, operation == "replace")
