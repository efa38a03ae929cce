"""A text is heard in the same way, as a whole and while it is written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.speech.answers import ANSWERS
from yemot_ai._turns.sentences import split_sentences
from yemot_ai.protocol import Digits, speakable
from yemot_ai_testing.property import model_texts

WRITTEN = [written for pairs in ANSWERS.values() for written, _ in pairs]


def words(*texts: str) -> list[str]:
    """Return what is heard of texts one after the other: words, and digits that are spoken one by one."""
    messages = (message for text in texts for message in speakable(text))
    return [
        token
        for message in messages
        for token in (
            [str(message)] if isinstance(message, Digits) else message.text.replace(",", " ").split()
        )
    ]


def assert_same_by_sentences(text: str) -> None:
    sentences = split_sentences(text)
    for cut in range(len(sentences) + 1):
        assert words("".join(sentences[:cut]), "".join(sentences[cut:])) == words(text)
    assert words(*sentences) == words(text)


@settings(deadline=None)  # slow machines must not fail it
@given(
    st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=5), st.sampled_from([". ", "\n", "! ", ".\n- "])
)
def test_answers_are_heard_the_same_at_every_cut_between_sentences(texts: list[str], joint: str) -> None:
    assert_same_by_sentences(joint.join(texts))


@settings(deadline=None)  # slow machines must not fail it
@given(model_texts("markdown", "raw", "protocol", "niqqud"))
def test_any_text_is_heard_the_same_at_every_cut_between_sentences(text: str) -> None:
    assert_same_by_sentences(text)


@pytest.mark.parametrize(
    "text", ['זה עולה 3.5 ש"ח. It costs 3.5 dollars here. עוד 3.5', "OK. This is 3.5 or more."]
)
def test_each_sentence_has_the_names_of_its_language(text: str) -> None:
    assert_same_by_sentences(text)
