"""Correlate utterances, prompts, answers and responses by the numbers in their texts.

An utterance contains its ID, a number of four digits or more that is unique in the history. An answer
contains the ID of its model call and of the utterance. Both survive being spoken, typed, cleaned and cut
into sentences.

>>> utterance_text("7001"), answer_text("12", "אמירה 7001")
('אמירה 7001', 'תשובה 12 על אמירה 7001')
>>> latest_utterance_id("אמירה 7001, בבקשה")
'7001'
>>> spoken_answers("read=t-תשובה 12 על אמירה 7001=ai_2,no,voice")
(('7001', '12'),)
>>> spoken_answers("id_list_message=t-אמרת אמירה 7001")
(('7001', ''),)
>>> spoken_sentences(answer_in_sentences("12", "אמירה 7001", total=2))[1]
SpokenSentence(utterance_id='7001', model_call_id='12', number=2, total=2)
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
"""The first utterance ID: larger than a year, smaller than a phone number."""

MAX_PROMPT_LENGTH: Final = 40
"""The maximum number of characters between the IDs of a model call and of the utterance in an answer."""

_UTTERANCE_ID = re.compile(r"(?<!\d)[1-9]\d{3,7}(?!\d)")
_ANSWER = re.compile(r"(?:תשובה (\d+) על \D{0,40})?(?<!\d)([1-9]\d{3,7})(?!\d)")
_SENTENCE = re.compile(r"משפט (\d+) מתוך (\d+) של תשובה (\d+) על \D{0,40}(?<!\d)([1-9]\d{3,7})(?!\d)")
_READ_FIELDS = re.compile(r"=\w+,(?:yes|no)?,.*")
"""The part of a read after its messages: value name and fields, which are not spoken."""


class SpokenSentence(NamedTuple):
    """A sentence of an answer that is spoken piece by piece.

    Attributes:
        utterance_id: the utterance that it answers.
        model_call_id: the model call whose answer it is part of.
        number: its position, from 1.
        total: the number of sentences.
    """

    utterance_id: str
    model_call_id: str
    number: int
    total: int


def utterance_text(utterance_id: str, *, length: int = 0) -> str:
    """Return the text of an utterance; of at least ``length`` characters, with its ID at the end."""
    text = f"אמירה {utterance_id}"
    return "כמו שאמרתי " * -(-max(length - len(text), 0) // 11) + text


def answer_text(model_call_id: str, prompt: str) -> str:
    """Return the answer to a prompt; to its last utterance if it is long or has several."""
    ids = utterance_ids(prompt)
    if len(ids) > 1 or (ids and len(prompt) > MAX_PROMPT_LENGTH):
        prompt = utterance_text(ids[-1])
    return f"תשובה {model_call_id} על {prompt}"


def latest_utterance_id(text: str) -> str:
    """Return the last utterance ID in ``text``, or "" if there is none."""
    ids = _UTTERANCE_ID.findall(text)
    return ids[-1] if ids else ""


def utterance_ids(text: str) -> tuple[str, ...]:
    """Return all utterance IDs in ``text``."""
    return tuple(_UTTERANCE_ID.findall(text))


def spoken_answers(body: str) -> tuple[tuple[str, str], ...]:
    """Return the answers in a response: (utterance ID, model call ID or "") in order, with repetitions."""
    return tuple(
        (utterance_id, call_id) for call_id, utterance_id in _ANSWER.findall(_READ_FIELDS.sub("", body))
    )


def sentence_text(model_call_id: str, prompt: str, number: int, total: int) -> str:
    """Return one sentence of an answer, with a trailing space."""
    return f"משפט {number} מתוך {total} של {answer_text(model_call_id, prompt)}. "


def answer_in_sentences(model_call_id: str, prompt: str, *, total: int) -> str:
    """Return an answer of ``total`` sentences."""
    return "".join(
        sentence_text(model_call_id, prompt, number, total) for number in range(1, total + 1)
    ).rstrip()


def spoken_sentences(body: str) -> tuple[SpokenSentence, ...]:
    """Return the sentences in a response, in order, with repetitions."""
    matches = _SENTENCE.findall(_READ_FIELDS.sub("", body))
    return tuple(
        SpokenSentence(utterance_id, call_id, int(number), int(total))
        for number, total, call_id, utterance_id in matches
    )
