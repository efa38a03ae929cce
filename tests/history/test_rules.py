"""Histories written by hand: what a rule must find, and what it must let pass."""

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
    WorkerRestarted,
    check,
)
from yemot_ai_testing.history.correlation import answer_text, spoken_answers
from yemot_ai_testing.property import EchoProvider

LISTENING = "read=t-{}=said_{},no,voice"


def judged(*events: HistoryEvent, budget: Budget | None = None) -> list[Violation]:
    history = History()
    for event in events:
        history.add(event)
    return check(history, budget)


def kinds(*events: HistoryEvent) -> list[str]:
    return [violation.kind for violation in judged(*events)]


def got(at: float, request: int, words: str) -> ResponseReceived:
    body = LISTENING.format(words, 2)
    return ResponseReceived(at, request, body, spoken_answers=spoken_answers(body), awaits_caller=True)


def hung_up(fault: str, *before: HistoryEvent) -> list[str]:
    return kinds(
        RequestSent(0, 1, "call 1", "hangup", is_hangup=True), *before, ResponseReceived(0, 1, "", fault)
    )


def test_an_application_that_raises_at_the_hang_up_is_broken() -> None:
    assert hung_up("exception: KeyError") == ["broken"]


def test_an_application_may_raise_at_the_hang_up_when_something_was_done_to_it() -> None:
    assert hung_up("exception: StoreError", FaultInjected(0, "store away", "call 1")) == []
    assert hung_up("exception: ConnectError", WorkerRestarted(0)) == []


def test_nobody_hears_what_a_hang_up_is_answered_with() -> None:
    assert (
        kinds(
            RequestSent(0, 1, "call 1", "hangup", is_hangup=True), ResponseReceived(0, 1, "<html>bye</html>")
        )
        == []
    )


def one_turn(words: str) -> list[str]:
    return kinds(
        CallerSpoke(0, "call 1", "7001"),
        RequestSent(0, 1, "call 1", "said_1"),
        ModelAsked(0, "9", "אמירה 7001", "7001"),
        ModelAnswered(0, "9", "echo-1"),
        got(0, 1, words),
    )


def test_an_answer_that_is_spoken_twice_in_one_breath_was_spoken_twice() -> None:
    whole = answer_text("9", "אמירה 7001")
    assert one_turn(f"{whole} {whole}") == ["answered_twice"]


def test_an_application_may_say_what_it_has_understood() -> None:
    assert one_turn(f"אמרת 7001, {answer_text('9', 'אמירה 7001')}, אמרת 7001") == []


def test_a_request_that_is_never_answered_is_late() -> None:
    waiting = (RequestSent(0, 1, "call 1", "said_1"), RequestSent(0, 2, "call 2", "said_1"))
    assert kinds(*waiting, got(10, 2, "כן")) == []
    [violation] = judged(*waiting, got(9, 2, "כן"), FaultInjected(10.5, "nothing", "nobody"))
    assert (violation.kind, violation.call) == ("late", "call 1")
    assert violation.message == "after 10.5 s there is no answer; the line waits 10 s"


def test_a_request_whose_worker_was_replaced_may_stay_without_an_answer() -> None:
    assert (
        kinds(
            RequestSent(0, 1, "call 1", "said_1"), WorkerRestarted(1), FaultInjected(60, "nothing", "nobody")
        )
        == []
    )


def test_nobody_waits_for_the_answer_of_a_copy_or_after_the_hang_up() -> None:
    gone = (RequestSent(1, 2, "call 1", "hangup", is_hangup=True), ResponseReceived(1, 2, "noop=bye"))
    end = FaultInjected(60, "nothing", "nobody")
    assert kinds(RequestSent(0, 1, "call 1", "said_1", is_repeat=True), end) == []
    assert kinds(RequestSent(0, 1, "call 1", "said_1"), *gone, end) == []


def test_what_nobody_has_said_is_told_with_the_request_that_it_came_of() -> None:
    [violation] = judged(
        RequestSent(0, 1, "call 2", "/ 17 said_1=Digits-0"), ModelAsked(0, "9", "Digits-0"), got(0, 1, "כן")
    )
    assert (violation.kind, violation.call) == ("asked_unsaid", "call 2")
    assert violation.trace == (
        "    0.0 s  request 1 of call 2 goes out: / 17 said_1=Digits-0",
        "    0.0 s  the model is asked 'Digits-0' in a new conversation (ask 9)",
    )


def test_a_crossed_conversation_is_told_from_its_beginning() -> None:
    [violation] = judged(
        CallerSpoke(0, "call 1", "7001"),
        ModelAsked(0, "8", "אמירה 7001", "7001"),
        ModelAnswered(0, "8", "echo-1"),
        CallerSpoke(0, "call 2", "7002"),
        ModelAsked(0, "9", "אמירה 7002", "7002", "echo-1"),
    )
    assert violation.kind == "crossed_sessions"
    assert [line[11:] for line in violation.trace] == [
        "the model is asked 7001 in a new conversation (ask 8)",
        "ask 8 is answered in echo-1",
        "call 2 says 7002",
        "the model is asked 7002 in echo-1 (ask 9)",
    ]


def test_who_tells_what_was_said_before_in_the_question_itself_has_forgotten_nothing() -> None:
    history = History(now=lambda: 0.0)
    echo = EchoProvider(history=history)
    for number, prompt in enumerate(("אמירה 7001", "קודם: אמירה 7001, עכשיו: אמירה 7002"), 1):
        mark = str(7000 + number)
        history.add(CallerSpoke(0, "call 1", mark))
        history.add(RequestSent(0, number, "call 1", f"said_{number}"))
        words, _ = echo.ask(prompt)
        history.add(got(0, number, words))

    assert [violation.kind for violation in check(history)] == []


def test_an_echo_answers_what_stands_last_in_a_long_question() -> None:
    words, _ = EchoProvider().ask(f"{'ענה בקצרה ובעברית. ' * 9} אמירה 7001")
    assert spoken_answers(words) == (("7001", "1"),)


def said_alike(*, asked: bool, heard: str) -> list[Violation]:
    """Two calls say 7001, one after the other; the second is answered with ask ``heard``."""
    first = answer_text("8", "אמירה 7001")
    second: list[HistoryEvent] = (
        [ModelAsked(2, "9", "אמירה 7001", "7001"), ModelAnswered(2, "9", "echo-2")] if asked else []
    )
    return judged(
        CallerSpoke(0, "call 1", "7001"),
        RequestSent(0, 1, "call 1", "said_1"),
        ModelAsked(0, "8", "אמירה 7001", "7001"),
        ModelAnswered(0, "8", "echo-1"),
        got(0, 1, first),
        CallerSpoke(2, "call 2", "7001"),
        RequestSent(2, 2, "call 2", "said_1"),
        *second,
        got(2, 2, answer_text(heard, "אמירה 7001")),
        RequestSent(3, 3, "call 1", "said_1", is_repeat=True),
        got(3, 3, first),
    )


def test_two_callers_may_say_the_same() -> None:
    assert said_alike(asked=True, heard="9") == []


def test_who_says_the_same_as_another_hears_an_answer_of_its_own() -> None:
    for asked in (True, False):
        violation = said_alike(asked=asked, heard="8")[0]
        assert violation.kind == "crossed_calls"
        assert violation.message == "call 2 hears what call 1 was answered, who has said 7001, too"
        assert violation.trace[0].endswith("call 1 says 7001")


def test_what_is_asked_again_for_one_of_two_who_say_the_same_is_asked_for_whoever_waits() -> None:
    overloaded = ModelAnswered(0, "8", "", "overloaded")
    asked = (
        CallerSpoke(0, "call 1", "7001"),
        RequestSent(0, 1, "call 1", "said_1"),
        ModelAsked(0, "8", "אמירה 7001", "7001"),
    )
    again = (RequestSent(3, 3, "call 1", "said_1", is_repeat=True), ModelAsked(3, "10", "אמירה 7001", "7001"))
    assert (
        kinds(
            *asked,
            overloaded,
            got(0, 1, "סליחה"),
            CallerSpoke(2, "call 2", "7001"),
            RequestSent(2, 2, "call 2", "said_1"),
            ModelAsked(2, "9", "אמירה 7001", "7001"),
            ModelAnswered(2, "9", "echo-2"),
            got(2, 2, answer_text("9", "אמירה 7001")),
            *again,
        )
        == []
    )


@pytest.mark.parametrize(
    "line", ["[1]", '{"event": "CallerSpoke", "at": 1}', '{"event": "Sung", "at": 1}', "{"]
)
def test_a_line_that_is_no_event_is_told(line: str) -> None:
    with pytest.raises(ValueError, match=r"is no |Expecting"):
        History.loads(line)
