"""The page shows the messages of failures in Hebrew."""

from __future__ import annotations

import re

import pytest

from yemot_ai.protocol import Read
from yemot_ai_testing.line.exchange import LineExchange, final_read
from yemot_ai_testing.scenario.format.model import Expectation, SilenceLimits
from yemot_ai_testing.scenario.play.checks.turn_checks import ObservedTurn, expectation_mismatches
from yemot_ai_testing.scenario.play.ending import Ender
from yemot_ai_testing.scenario.report.call_record import UPDATE_HINTS
from yemot_ai_testing.scenario.report.html.messages import in_hebrew

RAW = "read=t-שלום=q,no,1,1,7,No,,,,12"


def observed(ender: Ender | None = None, question: Read | None = None, raw: str = RAW) -> ObservedTurn:
    exchange = LineExchange(0.0, 0.0, "", (), raw, None)
    return ObservedTurn("שלום", (exchange,), RAW, ender, 5.0, question)


@pytest.mark.parametrize(
    ("expected", "turn"),
    [
        (Expectation(contains=("ביי",)), observed()),
        (Expectation(excludes=("שלום",)), observed()),
        (Expectation(equals="ביי"), observed()),
        (Expectation(matches="ביי"), observed()),
        (Expectation(read=False), observed(question=final_read(RAW))),
        (Expectation(read={}), observed()),
        (Expectation(read={"allowed": "34"}), observed(question=final_read(RAW))),
        (Expectation(read={"language": "en"}), observed(question=final_read(RAW))),
        (Expectation(play=("t-ביי",)), observed()),
        (Expectation(goto="/1"), observed()),
        (Expectation(same=False), observed()),
        (Expectation(same=True), observed(raw="noop=x")),
        (Expectation(ends=True), observed()),
        (Expectation(ends=False), observed("agent")),
        (Expectation(ends="agent"), observed("caller")),
        (Expectation(ends="caller"), observed("agent")),
        (Expectation(ends="agent"), observed("line")),
        (Expectation(within=SilenceLimits(2, 4)), observed()),
    ],
)
def test_each_difference_from_what_is_expected_is_in_hebrew(
    expected: Expectation, turn: ObservedTurn
) -> None:
    (mismatch,) = expectation_mismatches(expected, turn)
    hebrew = in_hebrew(mismatch.message)
    assert re.match("[א-ת]", hebrew)
    assert "none at all" not in hebrew
    assert "not there" not in hebrew


@pytest.mark.parametrize(
    ("message", "hebrew"),
    [
        ("agent_turns: 2, not 1", "תורות שהמודל נשאל: 2, ולא 1"),
        ("sessions_open: cannot be counted here, not 0", "שיחות פתוחות: לא ידוע, ולא 0"),
        ("5.0 s of silence, more than 4 s", "שקט של \u20685.0\u2069 ש׳, יותר מ־\u20684\u2069 ש׳"),
        (UPDATE_HINTS["heard"], "אם הנוסח החדש נכון: \u2068--yemot-update\u2069 כותב אותו בקובץ"),
        (UPDATE_HINTS["response"], "אם התשובה החדשה נכונה: \u2068--yemot-update\u2069 כותב אותה בקובץ"),
        ("KeyError: 'price'", "KeyError: 'price'"),
    ],
)
def test_counts_and_hints_are_in_hebrew_and_unknown_messages_stay(message: str, hebrew: str) -> None:
    assert in_hebrew(message) == hebrew
