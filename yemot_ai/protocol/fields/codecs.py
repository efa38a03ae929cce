"""Codecs: parse, render and check one positional field.

``encode`` renders a value or raises, ``decode`` parses a text (empty: the documented default),
``find_warnings`` returns the warnings for a valid text.

>>> Integer(default=7).decode(""), Choice({"": False, "yes": True}).encode(True)
(7, 'yes')
>>> Choice({"": True, "no": False}).decode("yes")
True
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.fields.white_space import strip_blanks

__all__ = [
    "CONTROL",
    "Choice",
    "Codec",
    "DateText",
    "FieldWarning",
    "FindWarnings",
    "Integer",
    "KeyList",
    "PaddedInteger",
    "PhoneNumbers",
    "first_index",
    "phone_warnings",
]

CONTROL: Final = "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff"
"""Characters that no response may contain: control characters, line ends, lone surrogates."""

FieldWarning: TypeAlias = tuple[str, int]
"""The code of a warning, and the index of its character."""

FindWarnings: TypeAlias = Callable[[str], Iterable[FieldWarning]]
"""Returns the warnings for a valid text."""

_NO_DIGIT: Final = re.compile("[^0-9]")
_NO_KEY: Final = re.compile("[^0-9*#.]")
_DIGITS: Final = re.compile("[0-9]+")
_KEYS: Final = re.compile(r"[0-9*#]+")
_SURPLUS_DOT: Final = re.compile(r"^\.|(?<=\.)\.|\.$")
_NO_PHONE: Final = re.compile(f"[.,&={CONTROL}]")
_COMMON_DIGITS: Final = 20
_MAX_DIGITS: Final = 100
_DAY: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")


class Codec(Protocol):
    """Parses and renders one field."""

    __slots__ = ()

    @property
    def keeps_spaces(self) -> bool:
        """Whether white space at the edges is an ordinary part of the text."""
        return False

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

    def find_warnings(self, text: str, /) -> Iterable[FieldWarning]:
        """Return the warnings for a valid ``text``."""
        del text
        return ()


@dataclass(frozen=True, slots=True)
class Integer(Codec):
    """A whole number of up to 100 digits; ``default`` if the field is empty, or is 0 and must not be [?].

    Attributes:
        default: value of an empty field; None is "not limited" or "not set".
        minimum: the least; 0 or 1.
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
        if _DIGITS.fullmatch(text) and len(text) > _MAX_DIGITS:
            reason = f"{text[:40]!r}… has {len(text)} digits"
            raise InvalidValueError("number", reason, position=_MAX_DIGITS)
        if not _DIGITS.fullmatch(text):
            reason = f"{text[:40]!r} is not a whole number"
            raise InvalidValueError("number", reason, position=first_index(_NO_DIGIT, text))
        number = int(text)
        return self.default if number < self.minimum else number

    def encode(self, value: object) -> str:
        """Render the number."""
        if value is None and self.default is None and not self.required:
            return ""
        if type(value) is not int or value < self.minimum:
            raise InvalidValueError("number", f"{value!r} is not a whole number from {self.minimum}")
        if value >= 10**_MAX_DIGITS:
            raise InvalidValueError("number", f"a number has more than {_MAX_DIGITS} digits")
        return str(value)

    def find_warnings(self, text: str) -> Iterator[FieldWarning]:
        """Warn of ``*`` and 0 where they are not documented, of leading zeros, and of very long numbers."""
        if text == "*":
            yield "star-for-unlimited", 0
        if self.minimum and text and not text.strip("0"):
            yield "undocumented-value", 0
        if len(text) > 1 and text.startswith("0"):
            yield "padded-number", 0
        if len(text) > _COMMON_DIGITS:
            yield "long-number", _COMMON_DIGITS


@dataclass(frozen=True, slots=True)
class PaddedInteger(Codec):
    """A required whole number whose leading zeros are kept: with them its value is the text."""

    def decode(self, text: str) -> int | str:
        """Parse ASCII digits."""
        _REQUIRED.decode(text)
        return text if text != str(int(text)) else int(text)

    def encode(self, value: object) -> str:
        """Render the number."""
        return str(self.decode(value)) if isinstance(value, str) else _REQUIRED.encode(value)

    def find_warnings(self, text: str) -> Iterator[FieldWarning]:
        """Warn of leading zeros, which a spoken number does not have."""
        for code, index in _REQUIRED.find_warnings(text):
            yield "leading-zero" if code == "padded-number" else code, index


_REQUIRED: Final = Integer(required=True)


@dataclass(frozen=True, slots=True)
class Choice(Codec):
    """One of a closed set of words; the first word for a value is the canonical one.

    If the empty field has a value, so has the word that spells it out: ``yes`` if ``no`` means something
    else, else ``no``. The official text does not have it, unless it is in ``values``; nor does any text
    call it wrong.

    Attributes:
        values: the value of each documented word.
        ignores_others: every other word counts as ``no``.
    """

    values: Mapping[str, object]
    ignores_others: bool = False
    _words: dict[str, str] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for word in self.values:
            self._words.setdefault(word.casefold(), word)
        if "" in self.values and not self.ignores_others:
            default = self.values[""]
            self._words.setdefault("no" if self.values.get("no", default) == default else "yes", "")

    def decode(self, text: str) -> object:
        """Look up the word, ignoring case: whether case matters on the line is not confirmed."""
        if text in self.values:
            return self.values[text]
        word = self._words.get(text.casefold(), "no" if self.ignores_others else None)
        if word is not None:
            return self.values[word]
        allowed = ", ".join(repr(word) for word in self.values)
        raise InvalidValueError("choice", f"{text[:40]!r} is not one of {allowed}")

    def encode(self, value: object) -> str:
        """Render the canonical word."""
        for word, meaning in self.values.items():
            if meaning == value:
                return word
        allowed = ", ".join(sorted({repr(meaning) for meaning in self.values.values()}))
        raise InvalidValueError("choice", f"{value!r} is not one of {allowed}")

    def find_warnings(self, text: str) -> Iterator[FieldWarning]:
        """Warn of words that the official text does not have, and of other letter case."""
        if text not in self.values:
            documented = self._words.get(text.casefold(), "") != ""
            yield "letter-case" if documented else "undocumented-value", 0


@dataclass(frozen=True, slots=True)
class KeyList(Codec):
    """Accepted input: single keys ``*#123``, or whole values ``11.12.13``; empty: any.

    A single value of several digits cannot be written: ``10`` means the keys 1 and 0.
    """

    word: str = "from_folder"

    def decode(self, text: str) -> tuple[str, ...]:
        """Parse keys or values."""
        if not text or text.casefold() == self.word:
            return (self.word,) if text else ()
        invalid = _NO_KEY.search(text)
        if invalid:
            reason = f"{text[:40]!r} is neither keys 0-9*# nor whole values with a . between"
            raise InvalidValueError("format", reason, position=invalid.start())
        allowed = tuple(filter(None, text.split("."))) if "." in text else tuple(text)
        if not allowed or (len(allowed) == 1 and len(allowed[0]) > 1):
            raise InvalidValueError("format", f"{text[:40]!r} is not at least two values with a . between")
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

    def find_warnings(self, text: str) -> Iterator[FieldWarning]:
        """Warn of other letter case, and of a dot with nothing before or after it."""
        if text != self.word and text.casefold() == self.word:
            yield "letter-case", 0
        surplus = "." in text and _SURPLUS_DOT.search(text)
        if surplus:
            yield "empty-key", surplus.start()


@dataclass(frozen=True, slots=True)
class PhoneNumbers(Codec):
    """Phone numbers joined by dots; whether the line dials anything but digits is not confirmed.

    Attributes:
        required: whether there must be at least one.
    """

    required: bool = False

    def decode(self, text: str) -> tuple[str, ...]:
        """Split at the dots."""
        numbers = tuple(text.split(".")) if text else ()
        if not all(map(_is_phone, numbers)):
            raise InvalidValueError("format", f"{text[:40]!r} is not phone numbers with a . between")
        self.encode(numbers)
        return numbers

    def encode(self, value: object) -> str:
        """Join with dots."""
        if not isinstance(value, tuple) or not all(isinstance(v, str) and _is_phone(v) for v in value):
            raise InvalidValueError("format", f"{str(value)[:40]} are not phone numbers")
        if self.required and not value:
            raise InvalidValueError("empty-value", "there is no number")
        return ".".join(value)

    def find_warnings(self, text: str) -> Iterator[FieldWarning]:
        """Warn of numbers that have more than digits."""
        return phone_warnings(text, separator=".")


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


def _is_phone(text: str) -> bool:
    return bool(text.strip()) and not _NO_PHONE.search(text)


def phone_warnings(text: str, separator: str = "") -> Iterator[FieldWarning]:
    """Warn of phone numbers, with ``separator`` between, that have more than digits [?]."""
    bare, start = strip_blanks(text)
    other = re.search(f"[^0-9{separator}]", bare)
    if other:
        yield "phone-number", start + other.start()


def first_index(pattern: re.Pattern[str], text: str) -> int:
    """Return the index of the first match of ``pattern``, or 0."""
    match = pattern.search(text)
    return match.start() if match else 0
