"""What the caller did, from the value that the line sent and the question that asked for it.

>>> from yemot_ai_testing.line.exchange import final_read
>>> action_at(final_read("read=t-מה=x,no,voice"), "Digits-12")
CallerAction(verb='presses', text='12')
>>> action_at(final_read("read=t-מתי=x,no,4,4,7,Time"), "10-30")
CallerAction(verb='presses', text='1030')
>>> guess_action("x", "/1/000.wav"), guess_action("ai_1w1", "None")
(CallerAction(verb='records', text='/1/000.wav'), None)
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.protocol import Read, Record, Tap, Voice, pressed_keys
from yemot_ai_testing.line.verbs.keypad import LETTER_KEYBOARDS
from yemot_ai_testing.scenario.format.model import CallerAction

__all__ = ["HANGS_UP", "REPEATS", "action_at", "guess_action"]

HANGS_UP: Final = CallerAction("hangs_up")
REPEATS: Final = CallerAction("repeats")
SILENT: Final = CallerAction("silent")
NOTHING_TYPED: Final = "None"
"""What a line sends where nothing was typed, unless field 13 has another word [OFF]."""

_KEYS: Final = re.compile(r"[0-9*#]+")
_RECORDING: Final = re.compile(r"(?:ivr2:)?/?(?:[^/\s]+/)*[^/\s]+\.(?:wav|mp3|ogg)")
_FORMATTED: Final = frozenset({"Time", "Date", "HebrewDate"})


def action_at(read: Read, value: str) -> CallerAction | None:
    """Return what the caller did at a question; None if a caller cannot have sent this value.

    Args:
        read: the question.
        value: the value, as the line sent it.
    """
    mode = read.mode
    if isinstance(mode, Record):
        return CallerAction("records", value) if value else None
    if isinstance(mode, Voice):
        keys = pressed_keys(value)
        if keys is not None:
            return CallerAction("presses", keys) if keys else None
        return CallerAction("says", value) if value.strip() else SILENT
    if not value or (mode.accept_empty and value == mode.empty_value):
        return SILENT if mode.accept_empty else None
    return CallerAction("presses", _typed(mode, value))


def _typed(tap: Tap, value: str) -> str:
    """Return the keys of a value: the line replaces a key, and writes times, dates and prices with signs."""
    if tap.keyboard in _FORMATTED:
        value = re.sub(r"\D", "", value) or value
    if tap.keyboard == "Price":
        value = value.replace(".", "*")
    if tap.replace:
        value = value.replace(tap.replace[1], tap.replace[0])
    needs_end = tap.keyboard in LETTER_KEYBOARDS and _KEYS.fullmatch(value) is None
    return f"{value}#" if needs_end and not value.endswith("#") else value


def guess_action(name: str, value: str) -> CallerAction | None:
    """Return what the caller probably did, where the question is not known; None for a poll.

    Args:
        name: the name of the value.
        value: the value, as the line sent it.
    """
    keys = pressed_keys(value)
    if keys or _KEYS.fullmatch(value):
        return CallerAction("presses", keys or value)
    if value == NOTHING_TYPED:
        return None if _is_poll_name(name) else SILENT
    if _RECORDING.fullmatch(value):
        return CallerAction("records", value)
    return CallerAction("says", value) if value.strip() else SILENT


def _is_poll_name(name: str) -> bool:
    """Return whether a value of this name is one of a poll: of this package, or as others name them."""
    return re.search(r"(?:^ai_[0-9]+w|^ai_x|^(?:w|wait|poll|hold)_?)[0-9]+$", name) is not None
