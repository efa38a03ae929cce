"""Finds what must not leave a log: numbers of five or more digits, e-mail addresses, given words.

>>> [(match.text, match.digits) for match in find("050-123 4567, a@b.il, 12.5.2026", frozenset())]
[('050-123 4567', '0501234567'), ('a@b.il', ''), ('12.5.2026', '1252026')]
>>> [match.digits for match in find("אפס חמש אפס אחת שתיים", frozenset())]
['05012']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["DIGIT_WORDS", "MIN_DIGITS", "Sensitive", "find"]

MIN_DIGITS: Final = 5
"""A number with fewer digits is no number of a person."""

DIGIT_WORDS: Final = ("אפס", "אחת", "שתיים", "שלוש", "ארבע", "חמש", "שש", "שבע", "שמונה", "תשע")
"""The words for the digits, as they are said in a phone number."""

_OTHER_WORDS: Final = {
    "אחד": 1, "שניים": 2, "שתים": 2, "שנים": 2, "שלושה": 3, "ארבעה": 4, "חמישה": 5, "שישה": 6, "שבעה": 7,
    "תשעה": 9
}  # fmt: skip
_WORD_VALUES: Final = {**{word: value for value, word in enumerate(DIGIT_WORDS)}, **_OTHER_WORDS}
_WORD: Final = "|".join(sorted(_WORD_VALUES, key=len, reverse=True))
_WORDS: Final = rf"(?<!\w)(?:{_WORD})(?:[\s,.-]{{1,2}}(?:{_WORD})(?!\w)){{{MIN_DIGITS - 1},}}"
_EMAIL: Final = r"[^\s@,;:<>()\"'=&]+@[^\s@,;:<>()\"'=&]*[^\s@,;:<>()\"'=&.]"
_NUMBER: Final = (
    r"\+?\d{1,2}(?P<mark>[-./])\d{1,2}(?P=mark)\d{4}(?!\d)"  # a date
    r"|\d{4}(?P<sign>[-./])\d{1,2}(?P=sign)\d{1,2}(?!\d)"
    r"|\d{1,3}(?:,\d{3})+(?!\d)"  # thousands
    r"|\d{3,4}(?:[- ]\d{4}){2,}"  # a card
    r"|\+?(?:972[-. ()/]{0,3})?\(?0?[2-9](?:[-. ()/]{0,2}\d){7,8}(?!\d)"  # a phone number
    r"|\d(?:[-. ]\d){4,}(?!\d)"  # digit by digit
    rf"|\+?\d{{{MIN_DIGITS},}}"
)


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A part of a text.

    Attributes:
        start: where it begins.
        end: where it ends.
        text: what it is.
        digits: its digits; empty if it is no number.
        in_words: whether the digits are words.
    """

    start: int
    end: int
    text: str
    digits: str = ""
    in_words: bool = False


def find(text: str, words: Collection[str]) -> Iterator[Sensitive]:
    """Yield the sensitive parts of a text, in order.

    Args:
        text: any text.
        words: words that are sensitive too; whole words, also after Hebrew letters such as ``ל``.
    """
    for match in _pattern(frozenset(words)).finditer(text):
        found = match[0]
        in_words = found.split()[0].strip(",.-") in _WORD_VALUES if match["words"] else False
        digits = _digits_of(found, in_words=in_words) if match["number"] or in_words else ""
        if match["given"]:
            yield Sensitive(match.start("given"), match.end(), match["given"])
        elif not match["number"] or len(digits) >= MIN_DIGITS:
            yield Sensitive(match.start(), match.end(), found, digits, in_words)


def _digits_of(text: str, *, in_words: bool) -> str:
    if in_words:
        return "".join(str(_WORD_VALUES[word]) for word in re.split(r"[\s,.-]+", text) if word)
    return "".join(str(unicodedata.decimal(one)) for one in text if one.isdecimal())


_patterns: dict[frozenset[str], re.Pattern[str]] = {}


def _pattern(words: frozenset[str]) -> re.Pattern[str]:
    if words not in _patterns:
        given = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        given = rf"|(?<![^\W_])[ובכלמשה]{{0,2}}(?P<given>{given or '(?!)'})(?![^\W_])"
        _patterns[words] = re.compile(
            rf"(?P<email>{_EMAIL})|(?P<number>{_NUMBER})|(?P<words>{_WORDS}){given}"
        )
    return _patterns[words]
