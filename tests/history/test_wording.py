"""What is said: histories written by hand in which an answer is spoken in other words."""

from __future__ import annotations

import pytest

from yemot_ai_testing.history import (
    CallerSpoke,
    History,
    ModelAnswered,
    ModelAsked,
    RequestSent,
    ResponseReceived,
    Violation,
    check,
)
from yemot_ai_testing.history.correlation import spoken_answers
from yemot_ai_testing.property.model_steps import LONG_ANSWER, PLAIN_ANSWER

ANSWER = "תשובה 9 על אמירה 7001. החנות פתוחה ביום ראשון, לכולם"


def violations(heard: str, answer: str = ANSWER) -> list[Violation]:
    """Return the violations of a turn in which the model answers and these messages are heard."""
    history = History()
    body = f"read={heard}=said_2,no,voice"
    for event in (
        CallerSpoke(0, "call 1", "7001"),
        RequestSent(0, 1, "call 1", "said_1"),
        ModelAsked(0, "9", "אמירה 7001", "7001"),
        ModelAnswered(0, "9", "echo-1", text=answer),
        ResponseReceived(0, 1, body, spoken_answers=spoken_answers(body), awaits_caller=True),
    ):
        history.add(event)
    return check(history)


def kinds(heard: str, answer: str = ANSWER) -> list[str]:
    return [violation.kind for violation in violations(heard, answer)]


@pytest.mark.parametrize(
    "heard",
    [
        "t-תשובה 9 על אמירה 7001, החנות פתוחה ביום ראשון, לכולם",
        "t-תשובה 9 על אמירה 7001.t-החנות פתוחה.t-ביום ראשון לכולם",
        "t-שמעתי: תשובה 9 על אמירה 7001.f-music.t-החנות פתוחה ביום ראשון לכולם.t-עוד משהו",
    ],
)
def test_an_answer_may_be_divided_and_have_other_words_around_it(heard: str) -> None:
    assert kinds(heard) == []


@pytest.mark.parametrize(
    "heard",
    [
        "t-תשובה 9 על אמירה 7001",
        "t-תשובה 9 על אמירה 7001.t-החנות פתוחה",
        "t-תשובה 9 על אמירה 7001, החנות פתוחה ביומ ראשונ, לכולמ",
        "t-תשובה 9 על אמירה 7001, החנות פתוחה יום ראשון, לכולם",
        "t-תשובה 9 על אמירה 7001.t-לכולם, החנות פתוחה ביום ראשון",
        "t-שאלתם על 7001, והחנות פתוחה",
    ],
)
def test_an_answer_in_other_words_is_a_violation(heard: str) -> None:
    assert kinds(heard) == ["altered"]


def test_the_message_names_the_first_word_that_differs() -> None:
    [violation] = violations("t-תשובה 9 על אמירה 7001, החנות פתוחה ביומ ראשונ")
    assert (violation.call, violation.utterance) == ("call 1", "7001")
    assert violation.message == (
        "call 1 hears another wording of the answer to 7001: word 8 of 10 is 'ביום', and 'ביומ' is heard "
        "instead; said: 'אמירה 7001 החנות פתוחה ביום ראשון לכולם', "
        "heard: 'אמירה 7001 החנות פתוחה ביומ ראשונ'"
    )


def test_the_line_speaks_150_words_of_one_message() -> None:
    answer = f"תשובה 9 על אמירה 7001. {LONG_ANSWER}"
    words = answer.translate(dict.fromkeys(map(ord, ".,?!\n"))).split()
    assert kinds(f"t-{' '.join(words[:150])}.t-{' '.join(words[150:])}", answer) == []
    [violation] = violations(f"t-{' '.join(words)}", answer)
    assert (violation.kind, "word 151 of" in violation.message) == ("altered", True)


@pytest.mark.parametrize("answer", ['מע"מ על 7001', "מ-1.5 עד 3, אמירה 7001", "**כן** 7001", "Yes 7001"])
def test_an_answer_that_can_be_spoken_in_several_ways_is_not_compared(answer: str) -> None:
    assert kinds("t-בערך, אמירה 7001", answer) == []


def test_an_answer_of_several_lines_is_compared() -> None:
    answer = f"תשובה 9 על אמירה 7001. {PLAIN_ANSWER}"
    assert kinds("t-תשובה 9 על אמירה 7001, כן! אנחנו פתוחים", answer) == ["altered"]
