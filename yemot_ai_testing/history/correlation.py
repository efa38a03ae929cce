"""How an utterance and an answer are known again, whatever stands around them.

An utterance holds a number of four digits or more that nobody else says; an answer says which it is and
what it answers. Both survive being spoken, typed, cleaned and cut into sentences.

>>> utterance("7001"), answer("12", "אמירה 7001")
('אמירה 7001', 'תשובה 12 על אמירה 7001')
>>> mark_of("אמירה 7001, בבקשה")
'7001'
>>> spoken("read=t-תשובה 12 על אמירה 7001=ai_2,no,voice")
(('7001', '12'),)
>>> spoken("id_list_message=t-אמרת אמירה 7001")
(('7001', ''),)
>>> sentences(in_sentences("12", "אמירה 7001", of=2))
(Sentence(utterance='7001', ask='12', number=1, of=2), Sentence(utterance='7001', ask='12', number=2, of=2))
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = [
    "FIRST_UTTERANCE_ID",
    "SpokenSentence",
    "answer_in_sentences",
    "answer_text",
    "latest_utterance_id",
    "sentence_text",
    "spoken_answers",
    "spoken_sentences",
    "utterance_ids",
    "utterance_text",
]

FIRST_UTTERANCE_ID: Final = 7001
"""The first utterance's number: larger than a year, smaller than a phone number."""

MAX_PROMPT_LENGTH: Final = 40
"""How many characters may stand between an answer's number and the mark that it answers."""

_UTTERANCE_ID = re.compile(r"(?<!\d)[1-9]\d{3,7}(?!\d)")
_ANSWER = re.compile(r"(?:תשובה (\d+) על \D{0,40})?(?<!\d)([1-9]\d{3,7})(?!\d)")
_SENTENCE = re.compile(r"משפט (\d+) מתוך (\d+) של תשובה (\d+) על \D{0,40}(?<!\d)([1-9]\d{3,7})(?!\d)")
_READ_FIELDS = re.compile(r"=\w+,(?:yes|no)?,.*")
"""What follows the messages of a read: the name of its value and its fields are not spoken."""


class SpokenSentence(NamedTuple):
    """A sentence of an answer that is spoken piece by piece.

    Attributes:
        utterance_id: the mark of what it answers.
        model_call_id: the question whose answer it is part of.
        number: which sentence it is, from 1.
        total: how many there are.
    """

    utterance_id: str
    model_call_id: str
    number: int
    total: int


def utterance_text(utterance_id: str) -> str:
    """Return what a caller says."""
    return f"אמירה {utterance_id}"


def answer_text(model_call_id: str, prompt: str) -> str:
    """Return what a model answers; of a long prompt, or one that tells what was said before, the newest."""
    marks = utterance_ids(prompt)
    if len(marks) > 1 or (marks and len(prompt) > MAX_PROMPT_LENGTH):
        prompt = utterance_text(marks[-1])
    return f"תשובה {model_call_id} על {prompt}"


def latest_utterance_id(text: str) -> str:
    """Return the newest mark in ``text``, or "" where there is none."""
    found = _UTTERANCE_ID.findall(text)
    return found[-1] if found else ""


def utterance_ids(text: str) -> tuple[str, ...]:
    """Return all marks in ``text``."""
    return tuple(_UTTERANCE_ID.findall(text))


def spoken_answers(body: str) -> tuple[tuple[str, str], ...]:
    """Return what an answer to the line speaks of: (mark of the utterance, number of the ask).

    In the order in which it does, and twice what it says twice.
    """
    return tuple((mark, ask) for ask, mark in _ANSWER.findall(_READ_FIELDS.sub("", body)))


def sentence_text(model_call_id: str, prompt: str, number: int, total: int) -> str:
    """Return a sentence of what a model answers, with the space that ends it."""
    return f"משפט {number} מתוך {total} של {answer_text(model_call_id, prompt)}. "


def answer_in_sentences(model_call_id: str, prompt: str, *, total: int) -> str:
    """Return what a model answers in several sentences."""
    return "".join(
        sentence_text(model_call_id, prompt, number, total) for number in range(1, total + 1)
    ).rstrip()


def spoken_sentences(body: str) -> tuple[SpokenSentence, ...]:
    """Return the sentences that an answer to the line speaks, in their order, repeated ones too."""
    found = _SENTENCE.findall(_READ_FIELDS.sub("", body))
    return tuple(SpokenSentence(mark, ask, int(number), int(of)) for number, of, ask, mark in found)
