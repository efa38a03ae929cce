"""The hyphen and the dash between words: of days, months and letters it is a range.

>>> def spoken(text):
...     return re.sub(HYPHEN, lambda match: speak_hyphen(match, HEBREW), text)
>>> spoken("ראשון-חמישי"), spoken("א-ה"), spoken("ינואר — מרץ"), spoken("תל-אביב"), spoken("ב-ה")
('ראשון עד חמישי', 'א עד ה', 'ינואר עד מרץ', 'תל אביב', 'ב ה')
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.protocol.normalizer.characters import DASH
from yemot_ai.protocol.normalizer.names import HEBREW, SignNames

__all__ = ["HEBREW", "HYPHEN", "speak_hyphen"]

HYPHEN: Final = rf"(?<=[א-תA-Za-z\d'%])(?: - |- ?| ?{DASH} ?)(?=[א-תA-Za-z\d])"
"""A hyphen or a dash between words, or between a word and a number."""

_DAYS: Final = frozenset(("ראשון", "שני", "שלישי", "רביעי", "חמישי", "שישי", "שבת"))
_MONTHS: Final = frozenset((
    "ינואר", "פברואר", "מרץ", "מרס", "אפריל", "מאי", "יוני", "יולי", "אוגוסט", "ספטמבר", "אוקטובר", "נובמבר",
    "דצמבר", "תשרי", "חשוון", "חשון", "מרחשוון", "כסלו", "טבת", "שבט", "אדר", "ניסן", "אייר", "סיוון", "סיון",
    "תמוז", "אב", "אלול",
))  # fmt: skip
_ENGLISH_DAY: Final = re.compile("(?:Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day")
_PARTS_OF_DAY: Final = frozenset(("בבוקר", "בצהריים", "בערב", "בלילה"))
_LETTERS: Final = "אבגדהוזחטיכלמנסעפצקרשת"
_PREFIXES: Final = "בהולמשכ"
_LEFT: Final = re.compile(r"(?:(?<![א-ת])([א-ת]{1,9})|(?<![A-Z])([A-Z]))('?)$")
_RIGHT: Final = re.compile(r"(?:(?:יום |ב)?([א-ת]{1,9})|([A-Z])(?![A-Za-z]))('?)(?![א-ת\"])")
_NUMERAL: Final = re.compile('(?:תש[א-ת]?"[א-ת]|[יכל]"[א-ט]|ט"[וז])(?![א-ת])')
"""A year or a number of two letters in Hebrew letters."""
_NUMERAL_BEFORE: Final = re.compile(f"(?<![א-ת])[ובהלמשכ]?(?:{_NUMERAL.pattern}|[א-ת]')$")
_DAY_AFTER: Final = re.compile(r"יום [א-ת]{1,6}'?(?![א-ת])")
_WINDOW: Final = 12
_NAMED: Final = re.compile("(?:ימים|ימי|כיתות|כיתה|שכבות|שכבה|קבוצות|סעיפים|פרקים|אותיות|כניסות) $")
_NAMED_WINDOW: Final = 24


def speak_hyphen(match: re.Match[str], names: SignNames) -> str:
    """Return "until" between the ends of a range, else a space for a hyphen and a comma for a dash."""
    text, start, end = match.string, match.start(), match.end()
    if _is_range(text, start, end):
        return f" {names['to']} "
    return " " if match.group() in {"-", "- "} else ", "


def _is_range(text: str, start: int, end: int) -> bool:
    before = text[max(start - _WINDOW, 0) : start]
    left, right = _LEFT.search(before), _RIGHT.match(text, end, end + 2 * _WINDOW)
    are_days = before.endswith("day") and _ENGLISH_DAY.match(text, end)
    if are_days or (_NUMERAL_BEFORE.search(before) and _NUMERAL.match(text, end)):
        return True
    if not left:
        return before[-1:].isdecimal() and bool(
            _DAY_AFTER.match(text, end) or _is_month_day(text, start, right)
        )
    word = left[1] or left[2]
    if text[end].isdecimal():
        return word in _PARTS_OF_DAY or _strip_prefix(word) in _MONTHS
    is_named = bool(_NAMED.search(text[max(start - _NAMED_WINDOW, 0) : start - len(left.group())]))
    return right is not None and _are_ends(word, left[3], right, is_named=is_named)


def _are_ends(word: str, mark: str, right: re.Match[str], *, is_named: bool) -> bool:
    """Return whether two words are letters, days or months, and so the ends of a range."""
    other = right[1] or right[2]
    if mark and word[0] in _PREFIXES:
        word = word[1:] or word
    if len(word) == len(other) == 1:
        return _are_letters_of_range(word, mark, right, is_named=is_named)
    if len(word) == 1 and mark:
        return other in _DAYS
    return any(
        {_strip_prefix(word, names), _strip_prefix(other, names)} <= names for names in (_DAYS, _MONTHS)
    )


def _is_month_day(text: str, start: int, right: re.Match[str] | None) -> bool:
    """Return whether a year stands before the hyphen and a month after it: ``2024-מרץ 2025``."""
    return bool(right and right[1] in _MONTHS and text[max(start - 4, 0) : start].isdecimal())


def _are_letters_of_range(first: str, mark: str, right: re.Match[str], *, is_named: bool) -> bool:
    """Return whether two letters are a range, and not a letter with a prefix such as ``ב-ה'``."""
    last = right[1] or right[2]
    rises = first < last
    if not (first in _LETTERS and last in _LETTERS):
        return rises and first.isascii() and last.isascii()
    if is_named or mark:
        return True
    has_hours = right.string[right.end() : right.end() + 2].strip().isdecimal()
    return rises and (first not in _PREFIXES or (has_hours and not right[3]))


def _strip_prefix(word: str, names: frozenset[str] = _MONTHS) -> str:
    return word if word in names or word[:1] not in _PREFIXES else word[1:]
