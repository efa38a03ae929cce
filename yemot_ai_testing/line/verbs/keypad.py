"""Typed keys: the rules of ``read`` in tap mode.

    >>> type_keys(Tap(max_digits=1), "1#")
    Accepted(value='1')
    >>> type_keys(Tap(min_digits=4), "12")
    Rejected(code='M1035')

Source: [OFF] the positional fields of ``read``. A keyboard sets no limits of its own: fields 3 and 4 count,
and for some keyboards they "must be set".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from yemot_ai.protocol import Mode, Tap
from yemot_ai.protocol.read_modes import KEYBOARD_LENGTHS
from yemot_ai_testing.line.verbs.typed_numbers import is_identity_number, is_israeli_phone_number

__all__ = [
    "DEFAULT_SECONDS",
    "FROM_FOLDER",
    "LETTER_KEYBOARDS",
    "Accepted",
    "Empty",
    "KeySound",
    "KeypadResult",
    "Rejected",
    "TooMany",
    "can_change_keyboard",
    "ends_input",
    "is_poll",
    "needs_confirmation",
    "plays_nothing_back",
    "type_keys",
]

DEFAULT_SECONDS = 7.0
"""[OFF] field 5; it is also how long the line waits after a key (F:karlin, from a live line)."""

POLL_SECONDS = 4
LETTER_KEYBOARDS: Final = frozenset({"HebrewKeyboard", "EnglishKeyboard", "EmailKeyboard", "GetMail"})
"""The keyboards with which keys write letters; ``Alpha`` is a way of playing digits back."""
FROM_FOLDER: Final = ("from_folder",)
"""Field 10 that allows the names of files in a folder [OFF]."""
DIGITS_KEYBOARD: Final = "DigitsKeyboard"
"""A keyboard that writes digits until the caller changes it; it has no minimum and no maximum [OFF]."""
VALID_NUMBERS: Final[dict[str, Callable[[str], bool]]] = {
    "TeudatZehut": is_identity_number,
    "Phone": is_israeli_phone_number,
}
"""The keyboards with which only a valid number can be typed [OFF]; dates and times are not checked [?]."""


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


@dataclass(frozen=True, slots=True)
class KeySound:
    """The key plays a file (``api_000_key_2_say``), and the question follows again."""

    file: str


KeypadResult: TypeAlias = Accepted | Rejected | Empty | TooMany | KeySound


def is_poll(mode: Mode) -> bool:
    """Whether a read of this mode is a poll: a short wait that accepts an empty value."""
    if not isinstance(mode, Tap):
        return False
    return mode.max_digits == 1 and mode.accept_empty and (mode.seconds or DEFAULT_SECONDS) <= POLL_SECONDS


def can_change_keyboard(tap: Tap) -> bool:
    """Whether the caller may ask for another language of the keyboard, unless field 14 locks it [OFF]."""
    return tap.keyboard == DIGITS_KEYBOARD or tap.keyboard in LETTER_KEYBOARDS


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


def is_unknown(name: str) -> None:
    """Return None: whether there is a file of that name is not known."""
    del name


def type_keys(tap: Tap, keys: str, *, is_file: Callable[[str], bool | None] = is_unknown) -> KeypadResult:
    """Return the result of pressing ``keys`` and then waiting.

    Args:
        tap: the read.
        keys: digits and ``*``; ``#`` ends the input.
        is_file: whether there is a file of that name, for ``from_folder``; None if unknown.
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
    return _validated(tap, typed, least, is_file)


def _validated(tap: Tap, typed: str, least: int, is_file: Callable[[str], bool | None]) -> KeypadResult:
    if "*" in typed and tap.block_star:
        return Rejected("M1368")
    if not _is_allowed(tap, typed, is_file):
        return Rejected("M1224")
    if len(typed) < least:
        return Rejected("M1035")
    if tap.block_zero and _is_zero(tap, typed):
        return Rejected("M1625")
    if tap.keyboard in VALID_NUMBERS and not VALID_NUMBERS[tap.keyboard](typed):
        return Rejected("M1224")  # that it is not taken is [OFF], what is said then is [?]
    return Accepted(_format(tap, typed))


def _is_zero(tap: Tap, typed: str) -> bool:
    """Whether the amount is 0; with ``Price`` a ``*`` is its point."""
    digits = typed.replace("*", "") if tap.keyboard == "Price" else typed
    return digits.isdigit() and int(digits) == 0


def _is_allowed(tap: Tap, typed: str, is_file: Callable[[str], bool | None]) -> bool:
    """Whether field 10 allows it: single keys (``*#123``), numbers (``11.12``) [OFF]; R2 sends ``1.2``."""
    allowed = tuple(tap.allowed)
    if allowed == FROM_FOLDER:
        return is_file(typed) is not False
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
    lengths = KEYBOARD_LENGTHS[tap.keyboard] if tap.keyboard in {"Time", "Date"} else ()
    if typed.isdigit() and len(typed) in lengths:
        # Seen on a real line [LIVE]; of another length no source says anything [?].
        return "-".join(part for part in (typed[:2], typed[2:4], typed[4:]) if part)
    return typed


def _length_limits(tap: Tap) -> tuple[int, int | None]:
    if tap.keyboard == DIGITS_KEYBOARD:
        return 1, None
    return tap.min_digits or 1, tap.max_digits


def plays_nothing_back(tap: Tap) -> bool:
    """Whether the line does not play the typed value back."""
    return tap.keyboard == "No"
