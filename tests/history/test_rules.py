"""Histories written by hand: what the rules must report, and what they must not."""

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


def violations(*events: HistoryEvent, budget: Budget | None = None) -> list[Violation]:
    history = History()
    for event in events:
        history.add(event)
    return check(history, budget)


def kinds(*events: HistoryEvent) -> list[str]:
    return [violation.kind for violation in violations(*events)]


def received(at: float, request: int, text: str) -> ResponseReceived:
    body = LISTENING.format(text, 2)
    return ResponseReceived(at, request, body, spoken_answers=spoken_answers(body), awaits_caller=True)


def kinds_of_hangup(fault: str, *before: HistoryEvent) -> list[str]:
    return kinds(
        RequestSent(0, 1, "call 1", "hangup", is_hangup=True), *before, ResponseReceived(0, 1, "", fault)
    )


def test_an_application_that_raises_at_the_hang_up_is_broken() -> None:
    assert kinds_of_hangup("exception: KeyError") == ["broken"]


def test_an_application_may_raise_at_the_hang_up_after_an_injected_fault() -> None:
    assert kinds_of_hangup("exception: StoreError", FaultInjected(0, "store away", "call 1")) == []
    assert kinds_of_hangup("exception: ConnectError", WorkerRestarted(0)) == []


def test_the_response_to_a_hang_up_is_not_checked() -> None:
    assert (
        kinds(
            RequestSent(0, 1, "call 1", "hangup", is_hangup=True), ResponseReceived(0, 1, "<html>bye</html>")
        )
        == []
    )


def kinds_of_turn(text: str) -> list[str]:
    return kinds(
        CallerSpoke(0, "call 1", "7001"),
        RequestSent(0, 1, "call 1", "said_1"),
        ModelAsked(0, "9", "אמירה 7001", "7001"),
        ModelAnswered(0, "9", "echo-1"),
        received(0, 1, text),
    )


def test_an_answer_twice_in_one_response_is_a_violation() -> None:
    whole = answer_text("9", "אמירה 7001")
    assert kinds_of_turn(f"{whole} {whole}") == ["answered_twice"]


def test_an_application_may_repeat_the_utterance() -> None:
    assert kinds_of_turn(f"אמרת 7001, {answer_text('9', 'אמירה 7001')}, אמרת 7001") == []


def test_a_request_without_a_response_is_late() -> None:
    waiting = (RequestSent(0, 1, "call 1", "said_1"), RequestSent(0, 2, "call 2", "said_1"))
    assert kinds(*waiting, received(10, 2, "כן")) == []
    [violation] = violations(*waiting, received(9, 2, "כן"), FaultInjected(10.5, "nothing", "no call"))
    assert (violation.kind, violation.call) == ("late", "call 1")
    assert violation.message == "after 10.5 s there is no response; the line waits 10 s"


def test_a_request_whose_worker_was_replaced_may_have_no_response() -> None:
    assert (
        kinds(
            RequestSent(0, 1, "call 1", "said_1"), WorkerRestarted(1), FaultInjected(60, "nothing", "no call")
        )
        == []
    )


def test_a_repeated_request_and_one_before_the_hang_up_may_have_no_response() -> None:
    hangup = (RequestSent(1, 2, "call 1", "hangup", is_hangup=True), ResponseReceived(1, 2, "noop=bye"))
    end = FaultInjected(60, "nothing", "no call")
    assert kinds(RequestSent(0, 1, "call 1", "said_1", is_repeat=True), end) == []
    assert kinds(RequestSent(0, 1, "call 1", "said_1"), *hangup, end) == []


def test_the_trace_of_an_unspoken_prompt_has_its_request() -> None:
    [violation] = violations(
        RequestSent(0, 1, "call 2", "/ 17 said_1=Digits-0"),
        ModelAsked(0, "9", "Digits-0"),
        received(0, 1, "כן"),
    )
    assert (violation.kind, violation.call) == ("asked_unsaid", "call 2")
    assert violation.trace == (
        "    0.0 s  request 1 of call 2 is sent: / 17 said_1=Digits-0",
        "    0.0 s  the model is asked 'Digits-0' in a new conversation (model call 9)",
    )


def test_the_trace_of_a_crossed_session_has_the_start_of_the_conversation() -> None:
    [violation] = violations(
        CallerSpoke(0, "call 1", "7001"),
        ModelAsked(0, "8", "אמירה 7001", "7001"),
        ModelAnswered(0, "8", "echo-1"),
        CallerSpoke(0, "call 2", "7002"),
        ModelAsked(0, "9", "אמירה 7002", "7002", "echo-1"),
    )
    assert violation.kind == "crossed_sessions"
    assert [line[11:] for line in violation.trace] == [
        "the model is asked 7001 in a new conversation (model call 8)",
        "model call 8 is answered in echo-1",
        "call 2 says 7002",
        "the model is asked 7002 in echo-1 (model call 9)",
    ]


def test_earlier_utterances_in_the_prompt_count_as_remembered() -> None:
    history = History(now=lambda: 0.0)
    echo = EchoProvider(history=history)
    for number, prompt in enumerate(("אמירה 7001", "קודם: אמירה 7001, עכשיו: אמירה 7002"), 1):
        history.add(CallerSpoke(0, "call 1", str(7000 + number)))
        history.add(RequestSent(0, number, "call 1", f"said_{number}"))
        text, _ = echo.ask_blocking(prompt)
        history.add(received(0, number, text))

    assert [violation.kind for violation in check(history)] == []


def test_an_echo_answers_the_last_utterance_of_a_long_prompt() -> None:
    text, _ = EchoProvider().ask_blocking(f"{'ענה בקצרה ובעברית. ' * 9} אמירה 7001")
    assert spoken_answers(text) == (("7001", "1"),)


def same_utterance_in_two_calls(*, asked: bool, heard: str) -> list[Violation]:
    """Check two calls that say 7001; the second hears the answer of the model call ``heard``."""
    first = answer_text("8", "אמירה 7001")
    second: list[HistoryEvent] = (
        [ModelAsked(2, "9", "אמירה 7001", "7001"), ModelAnswered(2, "9", "echo-2")] if asked else []
    )
    return violations(
        CallerSpoke(0, "call 1", "7001"),
        RequestSent(0, 1, "call 1", "said_1"),
        ModelAsked(0, "8", "אמירה 7001", "7001"),
        ModelAnswered(0, "8", "echo-1"),
        received(0, 1, first),
        CallerSpoke(2, "call 2", "7001"),
        RequestSent(2, 2, "call 2", "said_1"),
        *second,
        received(2, 2, answer_text(heard, "אמירה 7001")),
        RequestSent(3, 3, "call 1", "said_1", is_repeat=True),
        received(3, 3, first),
    )


def test_two_calls_may_have_the_same_utterance() -> None:
    assert same_utterance_in_two_calls(asked=True, heard="9") == []


def test_the_answer_to_the_same_utterance_of_another_call_is_a_violation() -> None:
    for asked in (True, False):
        violation = same_utterance_in_two_calls(asked=asked, heard="8")[0]
        assert violation.kind == "crossed_calls"
        assert violation.message == "call 2 hears the answer to call 1, which has said 7001, too"
        assert violation.trace[0].endswith("call 1 says 7001")


def test_a_retry_of_an_utterance_of_two_calls_belongs_to_the_waiting_call() -> None:
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
            received(0, 1, "סליחה"),
            CallerSpoke(2, "call 2", "7001"),
            RequestSent(2, 2, "call 2", "said_1"),
            ModelAsked(2, "9", "אמירה 7001", "7001"),
            ModelAnswered(2, "9", "echo-2"),
            received(2, 2, answer_text("9", "אמירה 7001")),
            *again,
        )
        == []
    )


@pytest.mark.parametrize(
    "line", ["[1]", '{"event": "CallerSpoke", "at": 1}', '{"event": "Sung", "at": 1}', "{"]
)
def test_loading_a_line_that_is_no_event_raises(line: str) -> None:
    with pytest.raises(ValueError, match=r"is no |Expecting"):
        History.loads(line)
