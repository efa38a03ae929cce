"""The cost of the history check, in function calls."""

from __future__ import annotations

from functools import partial

import pytest

from tests.growth.measure import count_calls
from yemot_ai_testing.history import (
    CallerSpoke,
    FaultInjected,
    History,
    HistoryEvent,
    ModelAnswered,
    ModelAsked,
    RequestSent,
    ResponseReceived,
    SessionSaved,
    check,
)
from yemot_ai_testing.history.correlation import answer_text, spoken_answers

pytestmark = pytest.mark.generated


def history_of(calls: int) -> History:
    """Return the history of calls with one turn each; every fifth has a fault."""
    history = History(now=lambda: 0.0)
    for number in range(1, calls + 1):
        call, mark, ask = f"call {number}", str(10_000 + number), str(number)
        body = f"read=t-{answer_text(ask, mark)}=said_2,no,voice"
        events: tuple[HistoryEvent, ...] = (
            CallerSpoke(number, call, mark),
            RequestSent(number, 2 * number, call, f"said_1={mark}"),
            *([FaultInjected(number, "overloaded", call)] if number % 5 == 0 else []),
            ModelAsked(number, ask, mark, mark),
            ModelAnswered(number, ask, f"echo-{number}"),
            SessionSaved(number, call, 0, 1),
            ResponseReceived(
                number, 2 * number, body, spoken_answers=spoken_answers(body), awaits_caller=True
            ),
            RequestSent(number, 2 * number + 1, call, "hangup", is_hangup=True),
            ResponseReceived(number, 2 * number + 1, "noop=bye"),
        )
        for event in events:
            history.add(event)
    return history


def work(calls: int) -> int:
    return count_calls(partial(check, history_of(calls)))


def test_the_check_is_linear_in_the_number_of_calls() -> None:
    assert check(history_of(800)) == []
    assert work(800) < 4.4 * work(200)
