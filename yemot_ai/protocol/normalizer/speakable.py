"""Converts any text of a model to messages that the line can play.

All words and numbers are kept; nothing in the text can end its message or start an action.

>>> [str(message) for message in speakable('**צה"ל** נוסד ב-26.5.1948. מחיר: 12.90 ₪ & משלוח!')]
['t-צהל נוסד ב 26 5 1948, מחיר, 12 שקלים ו 90 אגורות ו משלוח!']
>>> [str(message) for message in speakable("טל' 03-1234567, א'-ה' 9:00-17:00")]
['t-טלפון', 'd-031234567', 't-א עד ה 9:00 עד 17:00']
>>> speakable("😀")
[]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from yemot_ai.protocol.messages import MAX_CHARACTERS, MAX_WORD_CHARACTERS, MAX_WORDS, Digits, Text
from yemot_ai.protocol.normalizer.codes import DIGITS_MARK
from yemot_ai.protocol.normalizer.grammar import speak_sentence
from yemot_ai.protocol.normalizer.markup import split_sentences

__all__ = ["speakable"]

_SENTENCE_END: Final = re.compile(r"\n|\.+|(?<=[?!])(?= )")
_COMMA: Final = re.compile(r"(?<!\d),|,(?!\d)")
_LOOSE: Final = re.compile(
    r"[,?!:](?:[,?!:]|$|(?= ?[,?!:]))|[ ,](?=[,?!:])|,(?![ \d])|(?<![^\D]),(?=\d)|^[,?!:]"
)
"""Punctuation that is not right after a word, and inside a sentence a comma that is not before a space."""
_PAUSE: Final = ", "
_DIGITS: Final = re.compile(f"{DIGITS_MARK}([0-9]+)[?!]*")
_WORD: Final = f"[א-ת]{{1,{MAX_WORD_CHARACTERS}}}+"
_PLAIN: Final = re.compile(rf"({_WORD}(?:,? {_WORD})*+[?!]?)\.?")
"""One sentence of Hebrew words: nothing in it needs to be converted, as a test compares."""


def speakable(text: str) -> list[Text | Digits]:
    """Convert written text to messages of up to about 150 words and 900 characters.

    Messages end where sentences end, unless a sentence is longer than a message. Markdown, quotes,
    emoji, references and invisible characters are removed; abbreviations and signs become words: Hebrew
    words, unless the sentence is an English one. Telephone numbers and codes are ``Digits``: how the line
    speaks long digits in a text is not confirmed [?].

    Args:
        text: any text.

    Returns:
        The messages in order; empty if there is nothing to speak.
    """
    plain = _PLAIN.fullmatch(text)
    if plain and _fits(text):
        return [Text(plain[1])]
    return _convert(text)


def _convert(text: str) -> list[Text | Digits]:
    sentences = filter(None, (part for sentence in split_sentences(text) for part in _speak(sentence)))
    return [message for words in _pack(_split_to_fit(sentences)) for message in _to_messages(words)]


def _speak(sentence: str) -> Iterator[str]:
    plain = _PLAIN.fullmatch(sentence)
    if plain:
        yield plain[1]
        return
    for part in _SENTENCE_END.split(speak_sentence(sentence)):
        yield _normalize_sentence(part)


def _to_messages(words: str) -> Iterator[Text | Digits]:
    """Yield the texts and the marked digits of one message."""
    if DIGITS_MARK not in words:
        yield Text(words)
        return
    for position, part in enumerate(_DIGITS.split(words)):
        text = part.strip(" ,")
        if position % 2:
            yield Digits(part)
        elif text:
            yield Text(text)


def _normalize_sentence(part: str) -> str:
    """Return a sentence with single spaces, and single commas only inside it."""
    single = " ".join(part.split())
    if not _LOOSE.search(single):
        return single
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
