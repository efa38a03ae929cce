from __future__ import annotations

import pytest

from yemot_ai.protocol import Tap
from yemot_ai_testing.line.verbs.keypad import (
    Accepted,
    Empty,
    KeypadResult,
    Rejected,
    TooMany,
    is_poll,
    type_keys,
)


@pytest.mark.parametrize(
    ("tap", "keys", "result"),
    [
        (Tap(), "123", Accepted("123")),
        (Tap(), "12#", Accepted("12")),
        (Tap(), "#", Empty()),
        (Tap(max_digits=1), "1#", Accepted("1")),
        (Tap(max_digits=1), "12", TooMany("1", "2")),
        (Tap(), "1#2", TooMany("1", "2")),
        (Tap(min_digits=4), "12", Rejected("M1035")),
        (Tap(allowed=("1", "2")), "3", Rejected("M1224")),
        (Tap(allowed=("1", "2", "*")), "*", Accepted("*")),
        (Tap(allowed=("11", "12")), "11", Accepted("11")),
        (Tap(allowed=("11", "12")), "1", Rejected("M1224")),
        (Tap(allowed=("from_folder",), keyboard="File"), "9", Accepted("9")),
        (Tap(block_star=True), "1*", Rejected("M1368")),
        (Tap(block_zero=True), "00", Rejected("M1625")),
        (Tap(block_zero=True), "10", Accepted("10")),
        (Tap(block_zero=True), "0*0", Accepted("0*0")),
        (Tap(block_zero=True, keyboard="Price"), "0*00", Rejected("M1625")),
        (Tap(block_zero=True, keyboard="Price"), "0*01", Accepted("0.01")),
        (Tap(block_zero=True, keyboard="Price"), "*", Accepted(".")),
        (Tap(replace="*/"), "1*2", Accepted("1/2")),
        (Tap(keyboard="Price"), "12*50", Accepted("12.50")),
        (Tap(keyboard="Time"), "1030", Accepted("10-30")),
        (Tap(keyboard="Time", min_digits=4), "103", Rejected("M1035")),
        (Tap(keyboard="Date"), "01012026", Accepted("01-01-2026")),
        (Tap(keyboard="HebrewKeyboard"), "דוד#", Accepted("דוד")),
    ],
)
def test_the_fields_of_the_read_decide_the_result_of_keys(tap: Tap, keys: str, result: KeypadResult) -> None:
    assert type_keys(tap, keys) == result


@pytest.mark.parametrize(
    ("tap", "expected"),
    [
        (Tap(max_digits=1, seconds=1, accept_empty=True), True),
        (Tap(max_digits=1, seconds=4, accept_empty=True), True),
        (Tap(max_digits=1, seconds=5, accept_empty=True), False),
        (Tap(max_digits=2, seconds=1, accept_empty=True), False),
        (Tap(max_digits=1, seconds=1), False),
    ],
)
def test_a_poll_is_a_short_read_that_accepts_empty_input(tap: Tap, expected: bool) -> None:  # noqa: FBT001 - parametrized
    assert is_poll(tap) is expected
