from __future__ import annotations

import pytest

from yemot_ai_testing.history import History, HistoryEvent, RequestSent, ResponseReceived, SessionSaved, check

BEFORE = (
    SessionSaved(1.0, "call 1", 0, 1),
    RequestSent(2.0, 1, "call 1", "hangup", is_hangup=True),
    SessionSaved(3.0, "call 1", 2, 3, call_ended=True),
    ResponseReceived(4.0, 1, "noop=ended"),
)


def kinds_after(*after: HistoryEvent) -> list[str]:
    history = History()
    for event in (*BEFORE, *after):
        history.add(event)
    return [violation.kind for violation in check(history)]


def test_a_save_before_the_end_may_be_recorded_after_it() -> None:
    assert kinds_after(SessionSaved(5.0, "call 1", 1, 2)) == []


@pytest.mark.parametrize(
    "after",
    [
        [SessionSaved(5.0, "call 1", 3, 4)],
        [SessionSaved(5.0, "call 1", 3, 4), SessionSaved(6.0, "call 1", 4, 5, call_ended=True)],
        [SessionSaved(5.0, "call 1", 1, 2), SessionSaved(6.0, "call 1", 3, 4)],
    ],
    ids=["directly", "and ended again", "after one that was recorded late"],
)
def test_a_save_after_the_end_is_a_violation(after: list[HistoryEvent]) -> None:
    assert kinds_after(*after) == ["stored_after_hangup"]


def test_saving_the_tombstone_again_is_allowed() -> None:
    assert kinds_after(SessionSaved(5.0, "call 1", 3, 4, call_ended=True)) == []
