"""Converts the sentences of a text, and packs them into messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from yemot_ai.protocol.messages import MAX_CHARACTERS, MAX_WORD_CHARACTERS, MAX_WORDS, Digits, Text
from yemot_ai.protocol.normalizer.codes import DIGITS_MARK
from yemot_ai.protocol.normalizer.grammar import speak_sentence
from yemot_ai.protocol.normalizer.markup import split_sentences
from yemot_ai.protocol.normalizer.plain_sentence import PLAIN, fits

__all__ = ["convert"]

_SENTENCE_END: Final = re.compile(r"\n|\.+|(?<=[?!])(?= )")
_COMMA: Final = re.compile(r"(?<!\d),|,(?!\d)")
_LOOSE: Final = re.compile(
    r"[,?!:](?:[,?!:]|$|(?= ?[,?!:]))|[ ,](?=[,?!:])|,(?![ \d])|(?<![^\D]),(?=\d)|^[,?!:]"
)
"""Punctuation that is not right after a word, and inside a sentence a comma that is not before a space."""
_PAUSE: Final = ", "
_DIGITS: Final = re.compile(f"{DIGITS_MARK}([0-9]+)[?!]*")


def convert(text: str) -> list[Text | Digits]:
    """Return the messages of a text, as ``speakable`` does."""
    sentences = filter(None, (part for sentence in split_sentences(text) for part in _speak(sentence)))
    return [message for words in _pack(_split_to_fit(sentences)) for message in _to_messages(words)]


def _speak(sentence: str) -> Iterator[str]:
    plain = PLAIN.fullmatch(sentence)
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
        for phrase in [sentence] if fits(sentence) else sentence.split(_PAUSE):
            if fits(phrase):
                yield _PAUSE, phrase
                continue
            separator = _PAUSE
            for word in phrase.split(" "):
                for start in range(0, len(word), MAX_WORD_CHARACTERS):
                    yield separator, word[start : start + MAX_WORD_CHARACTERS]
                    separator = " "


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
