"""Questions between an utterance and its answer: for a key, or for a number."""

from __future__ import annotations

import pytest

from yemot_ai_testing.history import (
    CallerSpoke,
    History,
    HistoryEvent,
    KeyPressed,
    ModelAnswered,
    ModelAsked,
    check,
)
from yemot_ai_testing.history.questions import AskedFor, asked_for
from yemot_ai_testing.history.recorders.app import record_request, record_response

SPEECH = "read=t-מה רצונך=said_{},no,voice"
CONFIRM = "read=t-לאישור הקישו 1=ok_{},no,1,1,7,No,yes"
NUMBER = "read=t-הקישו מספר זהות=id_{},no,9,1,7,No"
ANSWER = "read=t-תשובה 9 על אמירה 7001=said_{},no,voice"


def kinds(*steps: HistoryEvent | str) -> list[str]:
    """Return the kinds of violations of a call: a string is a response of the application."""
    history = History(now=lambda: 0.0)
    for number, step in enumerate(steps):
        if isinstance(step, str):
            pairs = [("ApiCallId", "1"), ("value", str(number))]
            record_response(history, record_request(history, pairs), step.format(number))
        else:
            history.add(step)
    return [violation.kind for violation in check(history)]


def said(utterance_id: str = "7001", *, typed: bool = False) -> CallerSpoke:
    return CallerSpoke(0, "call 1", utterance_id, typed=typed)


def pressed(keys: str, *, confirms: bool = False) -> KeyPressed:
    return KeyPressed(0, "call 1", keys, confirms)


ASKED = (ModelAsked(0, "9", "אמירה 7001", "7001"), ModelAnswered(0, "9", "echo-1"))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("read=t-א=a,no,voice", "speech"),
        ("read=t-א=a,no,record", "speech"),
        ("read=t-א=a,no,,1", "number"),
        ("read=t-א=a,no,9,1", "number"),
        ("read=t-א=a,no,4,4", "number"),
        ("read=t-א=a,no,9,9", "key"),
        ("read=t-א=a,no,3,1", "key"),
        ("read=t-א=a,no,1,1", "key"),
        ("id_list_message=t-א", ""),
        ("go_to_folder=/1", ""),
        ("<html>", ""),
    ],
)
def test_a_question_is_for_speech_for_a_number_or_for_a_key(body: str, kind: AskedFor) -> None:
    assert asked_for(body) == kind


def test_an_utterance_that_waits_for_a_key_is_not_ignored() -> None:
    assert kinds(SPEECH, said(), CONFIRM) == []


def test_a_confirmed_utterance_is_answered_after_the_key() -> None:
    assert kinds(SPEECH, said(), CONFIRM, pressed("1"), *ASKED, ANSWER) == []


@pytest.mark.parametrize("keys", ["2", "", "1"])
def test_an_utterance_that_a_key_may_have_withdrawn_is_not_ignored(keys: str) -> None:
    assert kinds(SPEECH, said(), CONFIRM, pressed(keys), SPEECH) == []


def test_an_utterance_that_was_confirmed_and_not_asked_is_ignored() -> None:
    assert kinds(SPEECH, said(), CONFIRM, pressed("1", confirms=True), SPEECH) == ["ignored"]


def test_an_answer_that_is_not_heard_after_a_confirmation_is_found() -> None:
    assert kinds(SPEECH, said(), CONFIRM, pressed("1"), *ASKED, SPEECH) == ["unheard"]


def test_an_utterance_is_ignored_when_the_line_asks_for_speech_again() -> None:
    assert kinds(SPEECH, said(), SPEECH) == ["ignored"]


def test_a_number_before_the_first_speech_is_no_utterance() -> None:
    assert kinds(NUMBER, said(), SPEECH, said("7002"), SPEECH) == ["ignored"]


def test_a_number_after_an_utterance_may_belong_to_its_question() -> None:
    assert kinds(SPEECH, said(), NUMBER, said("7002"), SPEECH) == []


def test_a_number_is_ignored_when_the_line_asks_for_a_number_again() -> None:
    assert kinds(NUMBER, said(), NUMBER) == ["ignored"]


def test_an_utterance_is_ignored_when_the_call_ends_without_an_answer() -> None:
    assert kinds(SPEECH, said(), "id_list_message=t-להתראות") == ["ignored"]


def test_the_wait_for_a_model_is_counted_from_the_key_that_confirms() -> None:
    late = KeyPressed(30, "call 1", "1")
    history = History(now=lambda: 0.0)
    request = record_request(history, [("ApiCallId", "1"), ("value", "1")])
    history.add(said())
    record_response(history, request, CONFIRM.format(1))
    history.add(late)
    history.now = lambda: 30.0
    record_request(history, [("ApiCallId", "1"), ("value", "2")])
    history.add(ModelAsked(31, "9", "אמירה 7001", "7001"))
    assert [violation.kind for violation in check(history)] == []
