"""Codecs: parse, render and check one positional field.

``encode`` renders a value or raises, ``decode`` parses a text (empty: the documented default),
``find_warning`` returns the warning for a valid text.

>>> Integer(default=7).decode(""), Choice({"": False, "yes": True}).encode(True)
(7, 'yes')
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from yemot_ai.errors import InvalidValueError

__all__ = [
    "CONTROL",
    "Choice",
    "Codec",
    "Constant",
    "DateText",
    "FieldWarning",
    "Integer",
    "KeyList",
    "PhoneNumbers",
    "first_index",
]

CONTROL: Final = "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff"
"""Characters that no response may contain: control characters, line ends, lone surrogates."""

FieldWarning: TypeAlias = tuple[str, int]
"""The code of a warning, and the index of its character."""

_NO_DIGIT: Final = re.compile("[^0-9]")
_NO_KEY: Final = re.compile("[^0-9*#.]")
_NO_NUMBER: Final = re.compile("[^0-9.]")
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_KEYS: Final = re.compile(r"[0-9*#]+")
_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_DAY: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")


class Codec(Protocol):
    """Parses and renders one field."""

    __slots__ = ()

    def decode(self, text: str) -> Any:  # noqa: ANN401 - each field has its own type; the dataclass declares it
        """Return the value of ``text``.

        Raises:
            InvalidValueError: ``text`` is invalid here.
        """
        ...

    def encode(self, value: Any) -> str:  # noqa: ANN401 - as above
        """Return the canonical text of ``value``.

        Raises:
            InvalidValueError: ``value`` cannot be sent.
        """
        ...

    def find_warning(self, text: str, /) -> FieldWarning | None:
        """Return the warning for a valid ``text``, or None."""
        del text
        return None


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number; an empty field is ``default``.

    Attributes:
        default: value of an empty field; None is "not limited" or "not set".
        minimum: smallest number allowed.
        allow_star: parse the undocumented ``*`` as None.
        required: whether an empty field is an error.
        none_label: the words for None in explanations.
    """

    default: int | None = None
    minimum: int = 0
    allow_star: bool = False
    required: bool = False
    none_label: str = "not set"

    def decode(self, text: str) -> int | None:
        """Parse ASCII digits."""
        if not text and not self.required:
            return self.default
        if self.allow_star and text == "*":
            return None
        if not _COUNT.fullmatch(text) or int(text) < self.minimum:
            reason = f"{text[:40]!r} is not a whole number from {self.minimum}"
            raise InvalidValueError("number", reason, position=first_index(_NO_DIGIT, text))
        return int(text)

    def encode(self, value: object) -> str:
        """Render the number."""
        if value is None and self.default is None and not self.required:
            return ""
        if type(value) is not int or not self.minimum <= value < 10**9:
            raise InvalidValueError("number", f"{value!r} is not a whole number from {self.minimum}")
        return str(value)

    def find_warning(self, text: str) -> FieldWarning | None:
        """Warn of ``*``, which is used but not documented."""
        return ("star-for-unlimited", 0) if text == "*" else None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a closed set of words; the first word for a value is the canonical one.

    Attributes:
        values: the value of each word.
        undocumented: words that are in use but not in the official text.
    """

    values: Mapping[str, object]
    undocumented: frozenset[str] = frozenset()
    _folded: dict[str, str] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for word in self.values:
            self._folded.setdefault(word.casefold(), word)

    def decode(self, text: str) -> object:
        """Look up the word, ignoring case: whether case matters on the line is not confirmed."""
        if text in self.values:
            return self.values[text]
        if text.casefold() in self._folded:
            return self.values[self._folded[text.casefold()]]
        allowed = ", ".join(repr(word) for word in self.values)
        raise InvalidValueError("choice", f"{text[:40]!r} is not one of {allowed}")

    def encode(self, value: object) -> str:
        """Render the canonical word."""
        for word, meaning in self.values.items():
            if meaning == value:
                return word
        allowed = ", ".join(sorted({repr(meaning) for meaning in self.values.values()}))
        raise InvalidValueError("choice", f"{value!r} is not one of {allowed}")

    def find_warning(self, text: str) -> FieldWarning | None:
        """Warn of words that the official text does not have, and of other letter case."""
        if text in self.undocumented:
            return "undocumented-value", 0
        return None if text in self.values else ("letter-case", 0)


@dataclass(frozen=True, slots=True)
class KeyList(Codec):
    """Accepted input: single keys ``*#123``, or whole values ``11.12.13``; empty: any.

    A single value of several digits cannot be written: ``10`` means the keys 1 and 0.
    """

    word: str = "from_folder"

    def decode(self, text: str) -> tuple[str, ...]:
        """Parse keys or values."""
        if not text or text == self.word:
            return (text,) if text else ()
        invalid = _NO_KEY.search(text)
        if invalid:
            reason = f"{text[:40]!r} is neither keys 0-9*# nor whole values with a . between"
            raise InvalidValueError("format", reason, position=invalid.start())
        allowed = tuple(text.split(".")) if "." in text else tuple(text)
        self.encode(allowed)
        return allowed

    def encode(self, value: object) -> str:
        """Render without dots when every value is one key."""
        if value == (self.word,):
            return self.word
        if not isinstance(value, tuple) or not all(isinstance(v, str) and _KEYS.fullmatch(v) for v in value):
            raise InvalidValueError(
                "format", f"{value!r} is not a tuple of keys 0-9*# such as ('1', '2', '#')"
            )
        if len(value) == 1 and len(value[0]) > 1:
            raise InvalidValueError(
                "format", f"{value!r} would be parsed as single keys; give a second value too"
            )
        is_keys = all(len(key) == 1 for key in value)
        return ("" if is_keys else ".").join(value)


@dataclass(frozen=True, slots=True)
class PhoneNumbers(Codec):
    """Phone numbers joined by dots.

    Attributes:
        required: whether there must be at least one.
    """

    required: bool = False

    def decode(self, text: str) -> tuple[str, ...]:
        """Split at the dots."""
        invalid = _NO_NUMBER.search(text)
        if invalid:
            reason = f"{text[:40]!r} is not a list of numbers with a . between"
            raise InvalidValueError("format", reason, position=invalid.start())
        numbers = tuple(text.split(".")) if text else ()
        self.encode(numbers)
        return numbers

    def encode(self, value: object) -> str:
        """Join with dots."""
        if not isinstance(value, tuple) or not all(
            isinstance(v, str) and _NUMBER.fullmatch(v) for v in value
        ):
            raise InvalidValueError("format", f"{value!r} is not a tuple of numbers of 1 to 20 digits")
        if self.required and not value:
            raise InvalidValueError("empty-value", "there is no number")
        return ".".join(value)


@dataclass(frozen=True, slots=True)
class DateText(Codec):
    """A day as ``DD/MM/YYYY``."""

    def decode(self, text: str) -> dt.date:
        """Parse a day of the calendar."""
        match = _DAY.fullmatch(text)
        try:
            day, month, year = map(int, match.groups()) if match else (0, 0, 0)
            return dt.date(year, month, day)
        except ValueError:
            raise InvalidValueError("format", f"{text[:40]!r} is not a day DD/MM/YYYY") from None

    def encode(self, value: object) -> str:
        """Render the day."""
        if type(value) is not dt.date:
            raise InvalidValueError("format", f"{value!r} is not a datetime.date")
        return f"{value.day:02d}/{value.month:02d}/{value.year:04d}"


@dataclass(frozen=True, slots=True)
class Constant(Codec):
    """A field that always has the same word; it has no attribute.

    Attributes:
        word: the word; empty if the official text says to leave the field empty.
    """

    word: str = ""

    def decode(self, text: str) -> None:
        """Raise if ``text`` is not the word."""
        if text != self.word:
            raise InvalidValueError(
                "choice", f"{text[:40]!r} is not {self.word!r}, the only value allowed here"
            )

    def encode(self, value: object) -> str:
        """Return the word."""
        del value
        return self.word


def first_index(pattern: re.Pattern[str], text: str) -> int:
    """Return the index of the first match of ``pattern``, or 0."""
    match = pattern.search(text)
    return match.start() if match else 0
