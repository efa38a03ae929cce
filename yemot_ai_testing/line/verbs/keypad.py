"""Typed keys: the rules of ``read`` in tap mode.

    >>> type_keys(Tap(max_digits=1), "1#")
    Accepted(value='1')
    >>> type_keys(Tap(min_digits=4), "12")
    Rejected(code='M1035')

Source: [OFF] the positional fields of ``read``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from yemot_ai.protocol import Mode, Tap

__all__ = [
    "DEFAULT_SECONDS",
    "Accepted",
    "Empty",
    "KeypadResult",
    "Rejected",
    "TooMany",
    "ends_input",
    "is_poll",
    "needs_confirmation",
    "plays_nothing_back",
    "type_keys",
]

DEFAULT_SECONDS = 7.0
"""[OFF] field 5; it is also how long the line waits after a key (F:karlin, from a live line)."""

POLL_SECONDS = 4
KEYBOARD_LENGTHS = {
    "Time": (4, 4),
    "Date": (8, 8),
    "HebrewDate": (8, 8),
    "TeudatZehut": (8, 9),
    "Phone": (9, 10),
}
LETTER_KEYBOARDS = frozenset({"Alpha", "HebrewKeyboard", "EnglishKeyboard", "EmailKeyboard", "GetMail"})


@dataclass(frozen=True, slots=True)
class Accepted:
    """The line accepts the value."""

    value: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The line plays a system message, ``code``, and asks again."""

    code: str


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing was typed before the end of the input."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """The line had its value before the last key; ``rest`` are the unused keys."""

    value: str
    rest: str


KeypadResult: TypeAlias = Accepted | Rejected | Empty | TooMany


def is_poll(mode: Mode) -> bool:
    """Whether a read of this mode is a poll: a short wait that accepts an empty value."""
    if not isinstance(mode, Tap):
        return False
    return mode.max_digits == 1 and mode.accept_empty and (mode.seconds or DEFAULT_SECONDS) <= POLL_SECONDS


def ends_input(tap: Tap, keys: str) -> bool:
    """Whether the last key ends the input, so that the line does not wait."""
    return "#" in keys or len(keys) == _length_limits(tap)[1]


def needs_confirmation(tap: Tap, rule: str) -> bool:
    """Whether M1353 follows; only with a keyboard, because no report has it with ``No`` [?].

    Args:
        tap: the read.
        rule: ``keyboard``, or ``always`` as [OFF] says.
    """
    return tap.confirm and (rule == "always" or not plays_nothing_back(tap))


def type_keys(tap: Tap, keys: str, *, file_names: frozenset[str] | None = None) -> KeypadResult:
    """Return the result of pressing ``keys`` and then waiting.

    Args:
        tap: the read.
        keys: digits and ``*``; ``#`` ends the input.
        file_names: the names of the folder's files, for ``from_folder``; None if unknown.
    """
    if tap.keyboard in LETTER_KEYBOARDS:
        return Accepted(keys.rstrip("#")) if keys.rstrip("#") else Empty()
    typed, ended, rest = keys.partition("#")
    least, most = _length_limits(tap)
    if most is not None and len(typed) > most:
        return TooMany(typed[:most], typed[most:] + ended + rest)
    if rest:
        return TooMany(typed, rest)
    if not typed:
        return Empty()
    return _validated(tap, typed, least, file_names)


def _validated(tap: Tap, typed: str, least: int, file_names: frozenset[str] | None) -> KeypadResult:
    if "*" in typed and tap.block_star:
        return Rejected("M1368")
    if not _is_allowed(tap, typed, file_names):
        return Rejected("M1224")
    if len(typed) < least:
        return Rejected("M1035")
    if tap.block_zero and typed.isdigit() and int(typed) == 0:
        return Rejected("M1625")
    return Accepted(_format(tap, typed))


def _is_allowed(tap: Tap, typed: str, file_names: frozenset[str] | None) -> bool:
    """Whether field 10 allows it: single keys (``*#123``), numbers (``11.12``) [OFF]; R2 sends ``1.2``."""
    allowed = tuple(tap.allowed)
    if allowed == ("from_folder",):
        return file_names is None or typed in {name.partition(".")[0] for name in file_names}
    if not allowed:
        return True
    if all(len(key) == 1 for key in allowed):
        return all(key in allowed for key in typed)
    return typed in allowed


def _format(tap: Tap, typed: str) -> str:
    if tap.replace:
        old, new = tap.replace[0], tap.replace[1]
        typed = typed.replace(old, new)
    if tap.keyboard == "Price":
        return typed.replace("*", ".")
    if tap.keyboard == "Time":
        return f"{typed[:2]}-{typed[2:]}"
    if tap.keyboard == "Date":
        return f"{typed[:2]}-{typed[2:4]}-{typed[4:]}"
    return typed


def _length_limits(tap: Tap) -> tuple[int, int | None]:
    if tap.keyboard in KEYBOARD_LENGTHS:
        return KEYBOARD_LENGTHS[tap.keyboard]
    return tap.min_digits or 1, tap.max_digits


def plays_nothing_back(tap: Tap) -> bool:
    """Whether the line does not play the typed value back."""
    return tap.keyboard == "No"
