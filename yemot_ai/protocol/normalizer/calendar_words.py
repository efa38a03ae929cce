"""The hyphen and the dash between words: between two names of one kind it is a range, in a formula a minus.

>>> def spoken(text):
...     return re.sub(HYPHEN, lambda match: speak_hyphen(match, HEBREW), text)
>>> spoken("ראשון-חמישי"), spoken("א-ה"), spoken("Jan-Mar"), spoken("תל-אביב"), spoken("ב-ה")
('ראשון עד חמישי', 'א עד ה', 'Jan עד Mar', 'תל אביב', 'ב ה')
>>> spoken("Q1-Q3"), spoken("5 ימים-7 ימים"), spoken("x-5=3")
('Q1 עד Q3', '5 ימים עד 7 ימים', 'x מינוס 5=3')
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.protocol.normalizer.characters import DASH, SUPERSCRIPTS
from yemot_ai.protocol.normalizer.names import HEBREW, SignNames

__all__ = ["HEBREW", "HYPHEN", "speak_hyphen"]

HYPHEN: Final = rf"(?<=[א-תA-Za-z\d'\"%.){SUPERSCRIPTS}])(?: - |- ?| ?{DASH} ?)(?=[א-תA-Za-z\d(√])"
"""A hyphen or a dash between words, or between a word and a number."""

_HEBREW_DAYS: Final = frozenset(("ראשון", "שני", "שלישי", "רביעי", "חמישי", "שישי", "שבת"))
_HEBREW_MONTHS: Final = frozenset((
    "ינואר", "פברואר", "מרץ", "מרס", "אפריל", "מאי", "יוני", "יולי", "אוגוסט", "ספטמבר", "אוקטובר", "נובמבר",
    "דצמבר", "תשרי", "חשוון", "חשון", "מרחשוון", "כסלו", "טבת", "שבט", "אדר", "ניסן", "אייר", "סיוון", "סיון",
    "תמוז", "אב", "אלול",
))  # fmt: skip
_ENGLISH_DAYS: Final = frozenset((
    "sun", "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sunday", "monday", "tuesday",
    "wednesday", "thursday", "friday", "saturday",
))  # fmt: skip
_ENGLISH_MONTHS: Final = frozenset((
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "january",
    "february", "march", "april", "june", "july", "august", "september", "october", "november", "december",
))  # fmt: skip
_SIZES: Final = frozenset(("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"))
_TIMES: Final = frozenset(("noon", "midnight", "am", "pm"))
_KINDS: Final = (_HEBREW_DAYS, _HEBREW_MONTHS, _ENGLISH_DAYS, _ENGLISH_MONTHS, _SIZES, _TIMES)
"""Names of one kind are the ends of a range."""
_DATED: Final = _HEBREW_MONTHS | _ENGLISH_MONTHS
_PARTS_OF_DAY: Final = frozenset(("בבוקר", "הבוקר", "בצהריים", "הצהריים", "בערב", "הערב", "בלילה", *_TIMES))

_LETTERS: Final = "אבגדהוזחטיכלמנסעפצקרשת"
_PREFIXES: Final = "בהולמשכ"
_LAST_CLASSES: Final = frozenset(("יא", "יב"))
_WORD: Final = "[א-ת]{1,9}|[A-Za-z]{1,9}"
_LEFT: Final = re.compile(rf"(?<![א-תA-Za-z])({_WORD})(['.]?)$")
_RIGHT: Final = re.compile(rf"(?:יום |ב(?=[א-ת]{{2}}))?({_WORD})('?)(?![א-תA-Za-z\"])")
_COUNTED: Final = re.compile(r"(?<![\d.,:/])(\d[\d.,:]*) ?([א-ת]{2,12}|[A-Za-z]{1,12})\.?$")
_COUNTED_AFTER: Final = re.compile(r"(\d[\d.,:]*) ?([א-ת]{2,12}|[A-Za-z]{1,12})(?![א-תA-Za-z'\"])")
_ORDINALS: Final = frozenset(("st", "nd", "rd", "th"))
_NUMBERED: Final = re.compile(r"(?<![א-תA-Za-z\d])([א-תA-Za-z])'?(\d{1,4})$")
_NUMBERED_AFTER: Final = re.compile(r"([א-תA-Za-z])'?(\d{1,4})(?![\dA-Za-zא-ת])")
_NAMED_NUMBER: Final = re.compile(
    rf"(?<![א-תA-Za-z])({_WORD})['.]? \d[\d.:,]*(?:st|nd|rd|th)?(?: ?[AaPp]\.?[Mm]\.?)?$"
)
_MONTH_AFTER: Final = re.compile(
    r"\d{1,4}(?:st|nd|rd|th)? (?:of |ב|ל|ה)?([א-ת]{2,9}|[A-Za-z]{3,9})(?![א-תA-Za-z])"
)
_DAY_BEFORE: Final = re.compile(r"\d(?:st|nd|rd|th)? (?:of |[בל])?[א-תA-Za-z]+\.?$")
_NOON_BEFORE: Final = re.compile("(?:אחה|לפנה)(?:\"|'')צ$")

_NUMERAL: Final = re.compile('(?:תש[א-ת]?"[א-ת]|(?:[קרש]{0,2}[יכלמנסעפצ]|[קרש]{1,2})"[א-ט]|ט"[וז])(?![א-ת])')
"""A year or a number of two letters in Hebrew letters."""
_NUMERAL_BEFORE: Final = re.compile(f"(?<![א-ת])[ובהלמשכ]?(?:{_NUMERAL.pattern}|[א-ת]')$")
_NUMERAL_DAY: Final = re.compile(f"(?:{_NUMERAL.pattern}|[א-ת]') ב?([א-ת]{{2,9}})(?![א-ת])")
_DAY_AFTER: Final = re.compile(r"יום [א-ת]{1,6}'?(?![א-ת])")
_NAMED: Final = re.compile(
    "(?:ימים|ימי|כיתות|כיתה|שכבות|שכבה|קבוצות|סעיפים|פרקים|אותיות|כניסות|רמות|רמה|(?i:levels?|grades?)) $"
)
_ONE_LETTER: Final = re.compile("(?<![א-תA-Za-z'\"])[א-ת]")
"""A prefix before a number, or a letter of a name such as ``קבוצות א-5``: most hyphens."""
_WINDOW: Final = 24

_TERM_BEFORE: Final = re.compile(
    rf"(?:(?<![א-תA-Za-z.'])\d*[A-Za-z]|[\d%{SUPERSCRIPTS}]|[\d{SUPERSCRIPTS}]\)|[A-Za-z]\))$"
)
_TERM_AFTER: Final = re.compile(r"\d*[A-Za-z]\d?(?![A-Za-z\d'])|[\d√]|\(")
_GROUP_AFTER: Final = re.compile(r"\( ?-?(?:[\d√(]|\d*[A-Za-z](?![A-Za-z]))[^()א-ת]{0,40}")
_FORMULA: Final = re.compile(rf"[=+^√×÷<>≤≥{SUPERSCRIPTS}]|\)\(")
_VARIABLE_BEFORE: Final = re.compile("(?:(?<![א-תA-Za-z0-9.'])[knmxyz]|\\d[a-z])$")


def speak_hyphen(match: re.Match[str], names: SignNames) -> str:
    """Return "minus", "until" between the ends of a range, else a space for a hyphen, a comma for a dash."""
    text, start, end = match.string, match.start(), match.end()
    before = text[max(start - _WINDOW, 0) : start]
    if match.group() == "-" and text[end].isdecimal() and _ONE_LETTER.match(text, start - 1):
        return f" {names['to']} " if _NAMED.search(before[:-1]) else " "
    if DASH not in match.group() and _is_minus(text, before, end):
        return f" {names['minus']} "
    if _is_range(text, before, end):
        return f" {names['to']} "
    return " " if match.group() in {"-", "- "} else ", "


def _is_minus(text: str, before: str, end: int) -> bool:
    """Return whether terms of a formula are on both sides: one is a variable or in parentheses."""
    if not (_TERM_AFTER.match(text, end) and _TERM_BEFORE.search(before)):
        return False
    if text[end] == "(":
        return bool(_GROUP_AFTER.match(text, end))
    after = text[end : end + _WINDOW]
    return bool(before.endswith(")") or _VARIABLE_BEFORE.search(before) or _FORMULA.search(before + after))


def _is_range(text: str, before: str, end: int) -> bool:
    if text[end] == "(":
        return False
    if text[end].isdecimal():
        return _is_range_to_number(text, before, end)
    if _NUMERAL.match(text, end) and _NUMERAL_BEFORE.search(before):
        return True
    right = _RIGHT.match(text, end)
    left = _LEFT.search(before)
    if left and right:
        return _are_ends(left, right, before) or _is_numeral_day(left, text, end)
    if left:
        return _is_numeral_day(left, text, end)
    return _is_range_from_number(text, before, end, right)


def _is_range_to_number(text: str, before: str, end: int) -> bool:
    """Return whether ``8 בבוקר-5``, ``5 Jan-7 Mar``, ``5GB-10GB`` or ``1st-3rd`` is before the end."""
    if _NOON_BEFORE.search(before):
        return True
    left = _LEFT.search(before)
    if left and _begins_with_word(left, text, before, end):
        return True
    counted, after = _COUNTED.search(before), _COUNTED_AFTER.match(text, end)
    return counted is not None and after is not None and _are_counted(counted, after)


def _begins_with_word(left: re.Match[str], text: str, before: str, end: int) -> bool:
    """Return whether a part of the day, a month or a named letter begins a range that ends with a number."""
    word = left[1].casefold()
    if word in _PARTS_OF_DAY or (len(word) == 1 and _NAMED.search(before[: left.start()])):
        return True
    month = _MONTH_AFTER.match(text, end)
    has_month = month and _strip_prefix(month[1].casefold(), _DATED) in _DATED
    return _strip_prefix(word, _DATED) in _DATED and bool(has_month or _DAY_BEFORE.search(before))


def _are_counted(left: re.Match[str], right: re.Match[str]) -> bool:
    """Return whether both are numbers of one thing, ordinals, or seats such as ``12A``."""
    if left[2] == right[2] or {left[2], right[2]} <= _ORDINALS:
        return True
    return left[1] == right[1] and len(left[2]) == len(right[2]) == 1 and left[2] < right[2]


def _is_range_from_number(text: str, before: str, end: int, right: re.Match[str] | None) -> bool:
    """Return whether ``Q1-Q3``, ``Jan 5-Mar``, ``2024-מרץ 2025`` or ``9:00-יום ה'`` is around the hyphen."""
    numbered, after = _NUMBERED.search(before), _NUMBERED_AFTER.match(text, end)
    if numbered and after and numbered[1] == after[1]:
        return int(numbered[2]) != int(after[2])
    if numbered and after and _NAMED.search(before[: numbered.start()]):
        return True
    if not (right and before[-1:].isdecimal()):
        return False
    named = _NAMED_NUMBER.search(before)
    is_year = re.search(r"(?<!\d)\d{4}$", before) and right[1].casefold() in _DATED
    return bool(is_year or _DAY_AFTER.match(text, end)) or bool(named and _are_one_kind(named[1], right[1]))


def _is_numeral_day(left: re.Match[str], text: str, end: int) -> bool:
    """Return whether a month is before the hyphen and a day in Hebrew letters after it: ``כסלו-ב' טבת``."""
    day = _NUMERAL_DAY.match(text, end)
    return day is not None and _strip_prefix(left[1], _DATED) in _DATED and day[1] in _DATED


def _are_ends(left: re.Match[str], right: re.Match[str], before: str) -> bool:
    """Return whether two words are letters, days, months or sizes, and so the ends of a range."""
    word, mark, other = left[1], left[2], right[1]
    if mark == "'" and word[0] in _PREFIXES:
        word = word[1:] or word
    if len(word) == len(other) == 1:
        is_named = bool(_NAMED.search(before[: left.start()]))
        return _are_letters_of_range(word, mark, right, is_named=is_named)
    if len(word) == 1 and mark:
        return other in _HEBREW_DAYS
    if len(word) == 1 and other in _LAST_CLASSES:
        return bool(_NAMED.search(before[: left.start()]))
    named = _NAMED_NUMBER.search(before)
    return _are_one_kind(word, other) or bool(named and _are_one_kind(named[1], other))


def _are_one_kind(word: str, other: str) -> bool:
    first, last = word.casefold(), other.casefold()
    return any({_strip_prefix(first, names), _strip_prefix(last, names)} <= names for names in _KINDS)


def _are_letters_of_range(first: str, mark: str, right: re.Match[str], *, is_named: bool) -> bool:
    """Return whether two letters are a range, and not a letter with a prefix such as ``ב-ה'``."""
    last = right[1]
    rises = first < last
    if not (first in _LETTERS and last in _LETTERS):
        are_sizes = first.isupper() and last.isupper() and _are_one_kind(first, last)
        return are_sizes or (rises and first.isascii() and last.isascii())
    if is_named or mark:
        return True
    has_hours = right.string[right.end() : right.end() + 2].strip().isdecimal()
    return rises and (first not in _PREFIXES or (has_hours and not right[2]))


def _strip_prefix(word: str, names: frozenset[str]) -> str:
    return word if word in names or word[:1] not in _PREFIXES else word[1:]
