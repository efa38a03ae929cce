from __future__ import annotations

import pytest

from yemot_ai.protocol import Tap
from yemot_ai_testing.line.verbs.keypad import Empty, Outcome, Refused, TooMany, Typed, is_poll, type_keys


@pytest.mark.parametrize(
    ("tap", "keys", "outcome"),
    [
        (Tap(), "123", Typed("123")),
        (Tap(), "12#", Typed("12")),
        (Tap(), "#", Empty()),
        (Tap(max_digits=1), "1#", Typed("1")),
        (Tap(max_digits=1), "12", TooMany("1", "2")),
        (Tap(), "1#2", TooMany("1", "2")),
        (Tap(min_digits=4), "12", Refused("M1035")),
        (Tap(allowed=("1", "2")), "3", Refused("M1224")),
        (Tap(allowed=("1", "2", "*")), "*", Typed("*")),
        (Tap(allowed=("11", "12")), "11", Typed("11")),
        (Tap(allowed=("11", "12")), "1", Refused("M1224")),
        (Tap(allowed=("from_folder",), keyboard="File"), "9", Typed("9")),
        (Tap(block_star=True), "1*", Refused("M1368")),
        (Tap(block_zero=True), "00", Refused("M1625")),
        (Tap(block_zero=True), "10", Typed("10")),
        (Tap(replace="*/"), "1*2", Typed("1/2")),
        (Tap(keyboard="Price"), "12*50", Typed("12.50")),
        (Tap(keyboard="Time"), "1030", Typed("10-30")),
        (Tap(keyboard="Time"), "103", Refused("M1035")),
        (Tap(keyboard="Date"), "01012026", Typed("01-01-2026")),
        (Tap(keyboard="HebrewKeyboard"), "דוד#", Typed("דוד")),
    ],
)
def test_keys_come_to_what_the_fields_of_the_read_say(tap: Tap, keys: str, outcome: Outcome) -> None:
    assert type_keys(tap, keys) == outcome


@pytest.mark.parametrize(
    ("tap", "polls"),
    [
        (Tap(max_digits=1, seconds=1, accept_empty=True), True),
        (Tap(max_digits=1, seconds=4, accept_empty=True), True),
        (Tap(max_digits=1, seconds=5, accept_empty=True), False),
        (Tap(max_digits=2, seconds=1, accept_empty=True), False),
        (Tap(max_digits=1, seconds=1), False),
    ],
)
def test_a_poll_is_a_short_read_that_needs_nobody(tap: Tap, polls: bool) -> None:  # noqa: FBT001 - parametrized
    assert is_poll(tap) is polls
