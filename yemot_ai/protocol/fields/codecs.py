"""Codecs: how one positional field is read, rendered and doubted.

``encode`` renders a value and refuses an invalid one, ``decode`` reads a text (an empty one is the
documented default), ``doubt`` names the warning that a readable text deserves.

>>> Count(default=7).decode(""), Choice({"": False, "yes": True}).encode(True)
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
"""What no answer may contain anywhere: control characters, line ends, halves of characters."""

FieldWarning: TypeAlias = tuple[str, int]
"""The code of a warning, and the index of the character that deserves it."""

_NO_DIGIT: Final = re.compile("[^0-9]")
_NO_KEY: Final = re.compile("[^0-9*#.]")
_NO_NUMBER: Final = re.compile("[^0-9.]")
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_KEYS: Final = re.compile(r"[0-9*#]+")
_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_DAY: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")


class Codec(Protocol):
    """What reads and renders one field."""

    def decode(self, text: str) -> Any:  # noqa: ANN401 - each field has its own type; the dataclass declares it
        """The value that ``text`` stands for.

        Raises:
            InvalidValueError: ``text`` has no meaning here.
        """
        ...

    def encode(self, value: Any) -> str:  # noqa: ANN401 - as above
        """The canonical text of ``value``.

        Raises:
            InvalidValueError: ``value`` cannot be sent.
        """
        ...

    def find_warning(self, text: str) -> FieldWarning | None:
        """The code of the warning that a readable ``text`` deserves, and where in it."""
        ...


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number; an empty field is ``default``.

    Attributes:
        default: what an empty field means; None is "not limited" or "not set".
        minimum: the smallest number allowed.
        allow_star: whether the undocumented ``*`` is understood as None.
        required: whether an empty field is an error.
        none_label: what None is called.
    """

    default: int | None = None
    minimum: int = 0
    allow_star: bool = False
    required: bool = False
    none_label: str = "not set"

    def decode(self, text: str) -> int | None:
        """Read ASCII digits."""
        if not text and not self.required:
            return self.default
        if self.allow_star and text == "*":
            return None
        if not _COUNT.fullmatch(text) or int(text) < self.minimum:
            reason = f"{text[:40]!r} is no whole number from {self.minimum}"
            raise InvalidValueError("number", reason, position=first_index(_NO_DIGIT, text))
        return int(text)

    def encode(self, value: object) -> str:
        """Render the number."""
        if value is None and self.default is None and not self.required:
            return ""
        if type(value) is not int or not self.minimum <= value < 10**9:
            raise InvalidValueError("number", f"{value!r} is no whole number from {self.minimum}")
        return str(value)

    def find_warning(self, text: str) -> FieldWarning | None:
        """``*`` is used, and documented nowhere."""
        return ("star-for-unlimited", 0) if text == "*" else None


@dataclass(frozen=True, slots=True)
class Choice:
    """A closed set of words; the first word listed for a value is its canonical one.

    Attributes:
        values: what each word means.
        undocumented: words that are only seen in use.
    """

    values: Mapping[str, object]
    undocumented: frozenset[str] = frozenset()
    _folded: dict[str, str] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for word in self.values:
            self._folded.setdefault(word.casefold(), word)

    def decode(self, text: str) -> object:
        """Look the word up; whether case matters on the line is not confirmed, so it does not here."""
        if text in self.values:
            return self.values[text]
        if text.casefold() in self._folded:
            return self.values[self._folded[text.casefold()]]
        allowed = ", ".join(repr(word) for word in self.values)
        raise InvalidValueError("choice", f"{text[:40]!r} is none of {allowed}")

    def encode(self, value: object) -> str:
        """Render the canonical word."""
        for word, meaning in self.values.items():
            if meaning == value:
                return word
        allowed = ", ".join(sorted({repr(meaning) for meaning in self.values.values()}))
        raise InvalidValueError("choice", f"{value!r} is none of {allowed}")

    def find_warning(self, text: str) -> FieldWarning | None:
        """Words in use that the official text does not have."""
        if text in self.undocumented:
            return "undocumented-value", 0
        return None if text in self.values else ("letter-case", 0)


@dataclass(frozen=True, slots=True)
class KeyList:
    """What may be typed: single keys ``*#123``, or whole values ``11.12.13``; empty: anything.

    One value of several digits has no spelling of its own, for ``10`` is the keys 1 and 0.
    """

    word: str = "from_folder"

    def decode(self, text: str) -> tuple[str, ...]:
        """Read keys or values."""
        if not text or text == self.word:
            return (text,) if text else ()
        strange = _NO_KEY.search(text)
        if strange:
            reason = f"{text[:40]!r} are no keys 0-9*#, nor whole values with a . between"
            raise InvalidValueError("format", reason, position=strange.start())
        allowed = tuple(text.split(".")) if "." in text else tuple(text)
        self.encode(allowed)
        return allowed

    def encode(self, value: object) -> str:
        """Render without dots when every value is one key."""
        if value == (self.word,):
            return self.word
        if not isinstance(value, tuple) or not all(isinstance(v, str) and _KEYS.fullmatch(v) for v in value):
            raise InvalidValueError("format", f"{value!r} is no tuple of keys 0-9*# such as ('1', '2', '#')")
        if len(value) == 1 and len(value[0]) > 1:
            raise InvalidValueError(
                "format", f"{value!r} would be read as single keys; give a second value too"
            )
        single = all(len(one) == 1 for one in value)
        return ("" if single else ".").join(value)

    def find_warning(self, text: str) -> FieldWarning | None:
        """Nothing to doubt."""
        del text
        return None


@dataclass(frozen=True, slots=True)
class PhoneNumbers:
    """Phone numbers joined by dots.

    Attributes:
        required: whether there must be at least one.
    """

    required: bool = False

    def decode(self, text: str) -> tuple[str, ...]:
        """Split at the dots."""
        strange = _NO_NUMBER.search(text)
        if strange:
            reason = f"{text[:40]!r} are no numbers with a . between"
            raise InvalidValueError("format", reason, position=strange.start())
        numbers = tuple(text.split(".")) if text else ()
        self.encode(numbers)
        return numbers

    def encode(self, value: object) -> str:
        """Join with dots."""
        if not isinstance(value, tuple) or not all(
            isinstance(v, str) and _NUMBER.fullmatch(v) for v in value
        ):
            raise InvalidValueError("format", f"{value!r} is no tuple of numbers of 1 to 20 digits")
        if self.required and not value:
            raise InvalidValueError("empty-value", "there is no number")
        return ".".join(value)

    def find_warning(self, text: str) -> FieldWarning | None:
        """Nothing to doubt."""
        del text
        return None


@dataclass(frozen=True, slots=True)
class DateText:
    """A day as ``DD/MM/YYYY``."""

    def decode(self, text: str) -> dt.date:
        """Read a day of the calendar."""
        match = _DAY.fullmatch(text)
        try:
            day, month, year = map(int, match.groups()) if match else (0, 0, 0)
            return dt.date(year, month, day)
        except ValueError:
            raise InvalidValueError("format", f"{text[:40]!r} is no day DD/MM/YYYY") from None

    def encode(self, value: object) -> str:
        """Render the day."""
        if type(value) is not dt.date:
            raise InvalidValueError("format", f"{value!r} is no datetime.date")
        return f"{value.day:02d}/{value.month:02d}/{value.year:04d}"

    def find_warning(self, text: str) -> FieldWarning | None:
        """Nothing to doubt."""
        del text
        return None


@dataclass(frozen=True, slots=True)
class Constant:
    """A position that holds the same word always; no attribute stands for it.

    Attributes:
        word: the word; empty where the official text tells to leave the position empty.
    """

    word: str = ""

    def decode(self, text: str) -> None:
        """Nothing else may be here."""
        if text != self.word:
            raise InvalidValueError("choice", f"{text[:40]!r} stands where only {self.word!r} may")

    def encode(self, value: object) -> str:
        """The word."""
        del value
        return self.word

    def find_warning(self, text: str) -> FieldWarning | None:
        """Nothing to doubt."""
        del text
        return None


def first_index(pattern: re.Pattern[str], text: str) -> int:
    """Where the first strange character stands, else 0."""
    found = pattern.search(text)
    return found.start() if found else 0
