"""Converts any text of a model to messages that the line can play.

All words and numbers are kept; nothing in the text can end its message or start an action.

>>> [message.text for message in speakable('**צה"ל** נוסד ב-26.5.1948. מחיר: 3.5₪ & משלוח!')]
['צהל נוסד ב 26 5 1948, מחיר, 3 נקודה 5 שקלים ו משלוח!']
>>> speakable("😀")
[]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from yemot_ai.protocol.messages import MAX_CHARACTERS, MAX_WORD_CHARACTERS, MAX_WORDS, Text
from yemot_ai.protocol.normalizer.markup import strip_markup
from yemot_ai.protocol.normalizer.verbalize import detect_language, verbalize

__all__ = ["speakable"]

_SENTENCE_END: Final = re.compile(r"\n|\.+|(?<=[?!])(?= )")
_COMMA: Final = re.compile(r"(?<!\d),|,(?!\d)")
_PAUSE: Final = ", "
_WORD: Final = f"[א-ת]{{1,{MAX_WORD_CHARACTERS}}}+"
_PLAIN: Final = re.compile(rf"({_WORD}(?:,? {_WORD})*+[?!]?)\.?")
"""One sentence of Hebrew words: nothing in it needs to be converted, as a test compares."""


def speakable(text: str) -> list[Text]:
    """Convert written text to messages of up to about 150 words and 900 characters.

    Messages end where sentences end, unless a sentence is longer than a message. Markdown, quotes,
    emoji and invisible characters are removed; signs become words: Hebrew words, unless the text
    consists of English sentences.

    Args:
        text: any text.

    Returns:
        The messages in order; empty if there is nothing to speak.
    """
    plain = _PLAIN.fullmatch(text)
    if plain and _fits(text):
        return [Text(plain[1])]
    return _convert(text)


def _convert(text: str) -> list[Text]:
    words = verbalize(strip_markup(text), detect_language(text))
    sentences = filter(None, (_normalize_sentence(part) for part in _SENTENCE_END.split(words)))
    return [Text(message) for message in _pack(_split_to_fit(sentences))]


def _normalize_sentence(part: str) -> str:
    """Return a sentence with single spaces, and single commas only inside it."""
    tokens = _COMMA.sub(" , ", part).split()
    words: list[str] = []
    for token in tokens:
        if token.strip("?!,:"):
            words.append(token)
        elif words and words[-1][-1] not in ",?!":
            words[-1] += token[0]
    if words:
        words[-1] = words[-1].rstrip(",")
    return " ".join(words)


def _split_to_fit(sentences: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield separator and text of parts that fit into a message: sentences, else phrases, else words."""
    for sentence in sentences:
        for phrase in [sentence] if _fits(sentence) else sentence.split(_PAUSE):
            if _fits(phrase):
                yield _PAUSE, phrase
                continue
            separator = _PAUSE
            for word in phrase.split(" "):
                for start in range(0, len(word), MAX_WORD_CHARACTERS):
                    yield separator, word[start : start + MAX_WORD_CHARACTERS]
                    separator = " "


def _fits(part: str) -> bool:
    return len(part) <= MAX_CHARACTERS and part.count(" ") < MAX_WORDS


def _pack(parts: Iterator[tuple[str, str]]) -> Iterator[str]:
    """Join as many parts as one message can hold."""
    message: list[str] = []
    characters = words = 0
    for separator, part in parts:
        joint = " " if message and message[-1][-1] in "?!" else separator
        added = part.count(" ") + 1
        if message and characters + len(joint) + len(part) <= MAX_CHARACTERS and words + added <= MAX_WORDS:
            message += joint, part
            characters += len(joint) + len(part)
            words += added
            continue
        if message:
            yield "".join(message)
        message, characters, words = [part], len(part), added
    if message:
        yield "".join(message)
