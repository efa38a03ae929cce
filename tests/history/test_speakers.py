"""Histories written by hand: keys, the same again, greetings, numbers of callers, waiting, failures."""

from __future__ import annotations

import pytest

from yemot_ai_testing.history import (
    Budget,
    CallerSpoke,
    FaultInjected,
    History,
    HistoryEvent,
    ModelAnswered,
    ModelAsked,
    RequestSent,
    ResponseReceived,
    Violation,
    check,
)
from yemot_ai_testing.history.correlation import answer_text, spoken_answers


def violations(*events: HistoryEvent, budget: Budget | None = None) -> list[Violation]:
    history = History()
    for event in events:
        history.add(event)
    return check(history, budget)


def kinds(*events: HistoryEvent, budget: Budget | None = None) -> list[str]:
    return [violation.kind for violation in violations(*events, budget=budget)]


def received(at: float, request: int, text: str) -> ResponseReceived:
    body = f"read=t-{text}=said_{request},no,voice"
    return ResponseReceived(at, request, body, spoken_answers=spoken_answers(body), awaits_caller=True)


def turn(
    number: int, model_call: str, utterance_id: str, heard: str, *, session: str = ""
) -> list[HistoryEvent]:
    """Return the events of a turn: asked about the utterance, and something is heard."""
    return [
        CallerSpoke(number, "call 1", utterance_id),
        RequestSent(number, number, "call 1", f"said_{number}"),
        ModelAsked(number, model_call, f"אמירה {utterance_id}", utterance_id, session),
        ModelAnswered(number, model_call, "echo-1"),
        received(number, number, heard),
    ]


def test_keys_may_reach_the_model_as_digits_or_not_at_all() -> None:
    typed = CallerSpoke(0, "call 1", "7001", typed=True)
    sent = RequestSent(0, 1, "call 1", "said_1=Digits-7001")
    asked = (ModelAsked(0, "9", "7001", "7001"), ModelAnswered(0, "9", "echo-1"))
    assert kinds(typed, sent, *asked, received(0, 1, answer_text("9", "7001"))) == []
    assert kinds(typed, sent, received(0, 1, "דברו בבקשה")) == []


def test_keys_that_reach_the_model_as_the_line_marks_them_are_a_violation() -> None:
    [violation] = violations(
        CallerSpoke(0, "call 1", "7001", typed=True),
        RequestSent(0, 1, "call 1", "said_1=Digits-7001"),
        ModelAsked(0, "9", "Digits-7001", "7001"),
    )
    assert (violation.kind, violation.call, violation.utterance) == ("asked_unsaid", "call 1", "7001")
    assert violation.message == (
        "the model was asked 'Digits-7001': Digits- is how the line marks keys, and call 1 has pressed 7001"
    )


def test_the_same_utterance_twice_has_two_answers() -> None:
    first = turn(1, "8", "7001", answer_text("8", "אמירה 7001"))
    again = turn(2, "9", "7001", answer_text("9", "אמירה 7001"), session="echo-1")
    assert kinds(*first, *again) == []


def test_the_first_answer_to_the_same_utterance_is_stale_and_the_second_one_is_ignored() -> None:
    first = turn(1, "8", "7001", answer_text("8", "אמירה 7001"))
    cached = (
        CallerSpoke(2, "call 1", "7001"),
        RequestSent(2, 2, "call 1", "said_2"),
        received(2, 2, answer_text("8", "אמירה 7001")),
    )
    found = violations(*first, *cached)
    assert {violation.kind for violation in found} >= {"stale", "ignored"}
    assert "7001 was said again, and the answer to 7001 is heard" in {one.message for one in found}


def test_an_application_may_sum_up_what_was_said() -> None:
    first = turn(1, "8", "7001", answer_text("8", "אמירה 7001"))
    second = turn(
        2, "9", "7002", f"{answer_text('9', 'אמירה 7002')}, שאלתם על 7001 ועל 7002", session="echo-1"
    )
    assert kinds(*first, *second) == []


GREETING = (RequestSent(0, 1, "call 1", "enter"), received(0, 1, "שלום וברכה"))


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ("{answer}", []),
        ("{answer}, שלום וברכה", []),
        ("שלום, {answer}", []),
        ("שלום וברכה, {answer}", ["greeted_twice"]),
    ],
)
def test_a_greeting_is_heard_once_before_the_first_answer(heard: str, expected: list[str]) -> None:
    text = heard.format(answer=answer_text("9", "אמירה 7001"))
    assert kinds(*GREETING, *turn(2, "9", "7001", text)) == expected


def test_the_message_of_a_second_greeting_quotes_it() -> None:
    text = f"שלום וברכה, {answer_text('9', 'אמירה 7001')}"
    [violation] = violations(*GREETING, *turn(2, "9", "7001", text))
    assert violation.message == (
        "call 1 hears 'שלום וברכה' a second time, before the answer to 7001: "
        "'שלום וברכה תשובה 9 על אמירה 7001'"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [("מספרך 0501234568", []), ("0501234567", ["crossed_calls"]), ("050-1234567", ["crossed_calls"])],
)
def test_no_caller_hears_the_number_of_another_one(text: str, expected: list[str]) -> None:
    body = (
        f"read=d-{text}=said_1,no,voice"
        if "-" not in text and text.isdigit()
        else f"read=t-{text}=a,no,voice"
    )
    found = kinds(
        RequestSent(0, 1, "call 1", "enter", phone="0501234567"),
        received(0, 1, "שלום"),
        RequestSent(1, 2, "call 2", "enter", phone="0501234568"),
        ResponseReceived(1, 2, body, awaits_caller=True),
    )
    assert [kind for kind in found if kind != "invalid"] == expected


def asked_after(seconds: float, *events: HistoryEvent) -> list[str]:
    return kinds(
        CallerSpoke(0, "call 1", "7001"),
        RequestSent(1, 1, "call 1", "said_1"),
        *events,
        ModelAsked(1 + seconds, "9", "אמירה 7001", "7001"),
    )


def test_a_caller_who_waits_long_for_the_model_is_a_violation_unless_the_store_was_away() -> None:
    assert "kept_waiting" not in asked_after(10)
    assert "kept_waiting" in asked_after(11)
    assert "kept_waiting" not in asked_after(11, FaultInjected(1, "store away", "call 1"))


@pytest.mark.parametrize(("error", "expected"), [("overloaded", ["gave_up"]), ("unauthorized", [])])
def test_an_apology_without_a_second_try_is_a_violation_if_one_is_due(
    error: str, expected: list[str]
) -> None:
    events = (
        CallerSpoke(0, "call 1", "7001"),
        RequestSent(0, 1, "call 1", "said_1"),
        ModelAsked(0, "9", "אמירה 7001", "7001"),
        ModelAnswered(0, "9", "", error),
        received(0, 1, "סליחה"),
    )
    assert kinds(*events) == []
    assert kinds(*events, budget=Budget(retries=1)) == expected
