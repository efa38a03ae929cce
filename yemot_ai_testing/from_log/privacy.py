"""Replaces numbers, addresses and names of a log by others, the same one for the same one in all calls.

A number that the caller or the model said is replaced wherever it is heard too, so that an application that
repeats it still meets the expectation. Any other number that is heard belongs to the application or to
another person, and a name may: the expectation is cut there.

>>> substitutes = Substitutes({"דוד": "משה"})
>>> said = CallPrivacy(substitutes)
>>> said.replaced("דוד, 052-700 0000, לדוד יש 4 ילדים")
'משה, 050-123 4567, למשה יש 4 ילדים'
>>> said.heard("תודה דוד, המספר 0527000000 נרשם, לבירורים 0772222770 בשעות היום")
['תודה', 'המספר 0501234567 נרשם, לבירורים', 'בשעות היום']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Final

from yemot_ai.protocol import Text, speakable
from yemot_ai_testing.from_log.sensitive import DIGIT_WORDS, MIN_DIGITS, Sensitive, find
from yemot_ai_testing.line.verbs.typed_numbers import is_identity_number, is_israeli_phone_number

__all__ = ["CallPrivacy", "Substitutes"]

FIRST_PHONE: Final = "1234567"
FIRST_DAY: Final = date(1980, 1, 1)
COUNTRY_CODE: Final = "972"
CARD_DIGITS: Final = range(13, 20)
IDENTITY_DIGITS: Final = 9
PART_DIGITS: Final = 4
"""So many digits of a known number are a part of it: its last digits, for example."""

_RUN: Final = re.compile(rf"\d{{{PART_DIGITS},}}")
_EDGES: Final = " \t\n,.;:!?-–—&=|"


@dataclass(slots=True)
class Substitutes:
    """The substitutes of one log.

    Args:
        words: names and other words, each with its substitute.
        taken: numbers that are no substitutes: those of the log.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    taken: Collection[str] = ()
    _numbers: dict[str, str] = field(default_factory=dict)
    _emails: dict[str, str] = field(default_factory=dict)

    def number(self, digits: str) -> str:
        """Return the substitute of a number: as long, of the same kind, with a valid check digit."""
        if digits.startswith(COUNTRY_CODE) and is_israeli_phone_number(f"0{digits[3:]}"):
            return COUNTRY_CODE + self.number(f"0{digits[3:]}")[1:]
        if digits not in self._numbers:
            used = {*self._numbers.values(), *self.taken}
            self._numbers[digits] = next(one for one in _candidates(digits) if one not in used)
        return self._numbers[digits]

    def email(self, address: str) -> str:
        """Return the substitute of an e-mail address."""
        return self._emails.setdefault(address.casefold(), f"caller{len(self._emails) + 1}@example.com")


def _candidates(digits: str) -> Iterator[str]:
    make = _candidate_maker(digits)
    return (candidate for number in count() if len(candidate := make(number)) == len(digits))


def _candidate_maker(digits: str) -> Callable[[int], str]:
    """Return a function that makes the n-th number of the same kind."""
    length = len(digits)
    if is_israeli_phone_number(digits):
        prefix = digits[: length - len(FIRST_PHONE)]
        prefix = "050" if prefix.startswith("05") else prefix
        return lambda number: f"{prefix}{(int(FIRST_PHONE) + number) % 10**7:07}"
    day = _day(digits)
    if day is not None:
        return lambda number: (FIRST_DAY + timedelta(number)).strftime(day)
    if length == IDENTITY_DIGITS and is_identity_number(digits):
        return lambda number: _with_check_digit(f"{10**7 + number}")
    if length in CARD_DIGITS and _has_check_digit(digits):
        return lambda number: _with_check_digit(f"4{number:0{length - 2}}")
    zero = "0" if digits.startswith("0") else ""
    return lambda number: f"{zero}{10 ** (length - 1 - len(zero)) + number}"


def _day(digits: str) -> str | None:
    """Return the format of a date of eight digits, or None."""
    if len(digits) != 8:  # noqa: PLR2004 - two of the day, two of the month, four of the year
        return None
    for text, form in ((digits[4:] + digits[2:4] + digits[:2], "%d%m%Y"), (digits, "%Y%m%d")):
        try:
            if date.fromisoformat(text).year in range(1900, 2101):
                return form
        except ValueError:
            continue
    return None


def _with_check_digit(body: str) -> str:
    return next(f"{body}{digit}" for digit in range(10) if _has_check_digit(f"{body}{digit}"))


def _has_check_digit(digits: str) -> bool:
    """Return whether the last digit fits the others, as in cards and Israeli identity numbers (Luhn)."""
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


@dataclass(slots=True)
class CallPrivacy:
    """The substitutes in one call, and which numbers its caller and its model have said.

    Args:
        substitutes: those of the log.
    """

    substitutes: Substitutes
    _known: set[str] = field(default_factory=set)
    _spoken_addresses: set[str] = field(default_factory=set)

    def replaced(self, text: str) -> str:
        """Return what the caller or the model said, with substitutes."""
        parts, end = [], 0
        for found in find(text, self.substitutes.words):
            if found.digits:
                self._known.add(found.digits)
            elif "@" in found.text:
                self._spoken_addresses |= {_spoken(found.text), found.text.replace(".", " ")}
            parts += [text[end : found.start], self._substitute(found)]
            end = found.end
        return "".join([*parts, text[end:]])

    def heard(self, text: str) -> list[str]:
        """Return the parts of a text that the caller heard, without names and unknown numbers."""
        known = self._known_parts()
        return [
            piece
            for whole in self._without_addresses(text)
            for part in self._parts(whole)
            for piece in _split_at(part, known)
        ]

    def _parts(self, text: str) -> list[str]:
        parts, end = [""], 0
        for found in find(text, self.substitutes.words):
            parts[-1] += text[end : found.start]
            if found.digits in self._known:
                parts[-1] += self._substitute(found)
            else:
                parts.append("")
            end = found.end
        parts[-1] += text[end:]
        return parts

    def _without_addresses(self, text: str) -> list[str]:
        """Return the parts of a text between the addresses of this call, as they are spoken."""
        spoken = sorted(filter(None, self._spoken_addresses), key=len, reverse=True)
        return re.split("|".join(map(re.escape, spoken)), text) if spoken else [text]

    @staticmethod
    def unchanged(text: str) -> list[str]:
        """Return what ``heard`` returns for a text that has nothing to replace."""
        return list(_piece(text))

    def is_sensitive(self, text: str) -> bool:
        """Return whether a text has something that is replaced."""
        return next(find(text, self.substitutes.words), None) is not None

    def _known_parts(self) -> frozenset[str]:
        """Return the parts of the numbers of this call that would give it away."""
        return frozenset(
            digits[start : start + PART_DIGITS]
            for digits in self._known
            for start in range(len(digits) - PART_DIGITS + 1)
        )

    def _substitute(self, found: Sensitive) -> str:
        if not found.digits:
            words = self.substitutes.words
            return words[found.text] if found.text in words else self.substitutes.email(found.text)
        digits = self.substitutes.number(found.digits)
        if found.in_words:
            return " ".join(DIGIT_WORDS[int(digit)] for digit in digits)
        new = iter(digits)
        return "".join(next(new) if one.isdecimal() else one for one in found.text)


def _spoken(address: str) -> str:
    """Return an e-mail address as ``speakable`` writes it."""
    return " ".join(message.text for message in speakable(address) if isinstance(message, Text))


def _split_at(text: str, known: frozenset[str]) -> Iterator[str]:
    """Yield the parts of a text between runs of digits that are a part of a known number."""
    end = 0
    for run in _RUN.finditer(text):
        is_short = len(run[0]) < MIN_DIGITS  # a longer one is a substitute
        if is_short and run[0] in known:
            yield from _piece(text[end : run.start()])
            end = run.end()
    yield from _piece(text[end:])


def _piece(text: str) -> Iterator[str]:
    piece = text.strip(_EDGES)
    if any(character.isalnum() for character in piece):
        yield piece
