"""One number, date, time, fraction or ratio: the atoms of a quantity.

>>> def spoken(text, before="", after=""):
...     found = re.match(ATOM, text)
...     return speak_atom(found.lastgroup, found.group(), Context(before, after), HEBREW)
>>> spoken("1 3⁄4"), spoken("18:30:15"), spoken("1/12"), spoken("9/10", before="ציון ")
('1 ו 3 רבעים', '18:30 ו 15 שניות', '1 12', '9 מתוך 10')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from yemot_ai.protocol.normalizer.characters import FRACTION_SLASH, SUPERSCRIPTS
from yemot_ai.protocol.normalizer.codes import names_a_code
from yemot_ai.protocol.normalizer.links import WORD
from yemot_ai.protocol.normalizer.names import HEBREW, SignNames

__all__ = ["ATOM", "HEBREW", "KINDS", "POWER", "Context", "is_date", "regroup", "speak_atom", "speak_power"]

_DATE: Final = (
    r"\d{1,2}(?:\.\d{1,2}\.|/\d{1,2}/)(?:\d{4}|\d{2})(?!\d|[./]\d)"
    r"|\d{1,2}-\d{1,2}-(?:\d{4}|\d{2})(?!\d|-\d| ?=)"
    r"|\d{4}(?:\.\d{1,2}\.|/\d{1,2}/|-\d{1,2}-)\d{1,2}(?!\d|[./-]\d| ?=)"
)
_CLOCK: Final = r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?!\d|:\d)"
_RATIO: Final = r"\d+(?::\d+)+"
_MIXED: Final = rf"(?:\d+ )?\d+ ?{FRACTION_SLASH} ?\d+|\d+ [1-9]/(?:[2-9]|10)(?![\d/])"
_SLASHED: Final = r"\d+(?:\.\d+)?(?:/\d+)+"
_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_NETWORK: Final = rf"{_OCTET}(?:\.{_OCTET}){{3}}(?:/\d{{1,2}}|:\d{{2,5}})?(?![\d.])"
_THOUSANDS: Final = r"(?:(?:'\d{3})+|(?:_\d{3})+|(?: \d{3})+)(?:[.,]\d+)?|(?:\.\d{3})+,\d\d?|(?:\.\d{3}){2,}"
_GROUPED: Final = (
    rf"[1-9]\d{{0,2}}(?:{_THOUSANDS})(?!['_. ]?\d|,\d)|[1-9]\d?(?:,\d\d)+,\d{{3}}(?!\d|,\d)(?:\.\d+)?"
)
_DOTTED: Final = r"\d+(?:\.\d+){2,}"
_NUMBER: Final = rf"\d+(?:,\d+)*(?:\.\d+)?|(?<!{WORD})(?<!\.)\.\d+"
POWER: Final = f"[{SUPERSCRIPTS}]+"
"""An exponent in raised digits."""
_ATOMS: Final = {
    "date": _DATE,
    "clock": _CLOCK,
    "ratio": _RATIO,
    "mixed": _MIXED,
    "slashed": _SLASHED,
    "network": _NETWORK,
    "grouped": _GROUPED,
    "dotted": _DOTTED,
    "number": _NUMBER,
}
KINDS: Final = tuple(_ATOMS)
ATOM: Final = "(?>" + "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _ATOMS.items()) + ")"
"""A number without its sign and its unit; the first kind that matches. Each kind is a group."""

_NON_DIGITS: Final = re.compile(r"\D+")
_RAISED: Final = str.maketrans(SUPERSCRIPTS, "0123456789-+")
_PARTS: Final = {
    2: ("חצי", "חצאים"), 3: ("שליש", "שליש"), 4: ("רבע", "רבעים"), 5: ("חמישית", "חמישיות"),
    6: ("שישית", "שישיות"), 7: ("שביעית", "שביעיות"), 8: ("שמינית", "שמיניות"), 9: ("תשיעית", "תשיעיות"),
    10: ("עשירית", "עשיריות"),
}  # fmt: skip
_BEFORE: Final = "(?<![א-ת])[ובהלמשכ]{0,2}"
_DAY: Final = re.compile(
    f"{_BEFORE}(?:תאריך|יום(?: [א-ת]+'?)?|בין|עד|החל מ)[ ,:(]*(?:[הבלמ]-?)?$"
    "|(?<![א-ת])[ובלמה]{1,2}[- ]?$|(?<![א-ת])עד ה-?$"
)
_DATE_NAMED: Final = re.compile(f"{_BEFORE}(?:תאריך|יום(?: [א-ת]+'?)?)[ ,:(]*(?:[הבלמ]-?)?$|(?<![א-ת])ה-$")
_UNTIL_DAY: Final = re.compile(r" ?(?:(?:ו?עד|ל)(?: ה)?-? ?|[-—] ?)\d{1,2}/\d{1,2}(?![\d/])| בשעה")
_GRADE: Final = re.compile(
    f"{_BEFORE}(?:ציון|ציוני|ציונים|דירוג|דורג|דירוגו|קיבל|קיבלת|קיבלה|קיבלתי|נתן|נתנו|הצליח|הצלחת|נקודות|תוצאה|תוצאת|עמוד|עמ'|שאלה|שקופית|שלב|קומה|חלק|צעד|שיעור)"
    r"(?: [א-ת]+)?(?: של)?[ :]*$"
)
_PRESSURE: Final = re.compile("לחץ(?: ה?דם)?(?: [א-ת]+)?[ :]*$|blood pressure[a-z :]*$")
_GRADED: Final = re.compile(r" (?:כוכב|נקוד|תשוב|שאל)")
_MEASURED: Final = re.compile(
    r" (?:כדור|טבלי|מ\"ל|מיליון|אחוז|כוס|כפית|כף|כפ|ליטר|קילו|ק\"ג"
    "|ה?שעה|מטר|דקה|דונם|בקבוק|חביל|לימון|בצל|מנה|מנת|תפוח|קמח"
    "|מה|מכל|מן )"
)
_WHOLE_AND: Final = re.compile(
    r"(?:(?<![\d/.,:-])\d+|(?<![א-ת])(?:שעה|קילו|ליטר|כוס|כף|כפית|מטר|דונם|שנה|חודש|דקה|מיליון)) ו-? ?$"
)
_AND: Final = len(" ו- ")
"""The end of ``_WHOLE_AND``: a text without it is not searched."""
_ADDRESS: Final = re.compile(
    f"{_BEFORE}(?:רחוב|רח'|שדרות|שד'|סמטת|שכונת|דירה|בית|כביש|חלקה|גוש)(?: [א-ת\"']+){{0,3}} ?$"
)
_RATIO_NAMED: Final = re.compile(
    f"{_BEFORE}(?:יחס|יחסי|קנה מידה|סיכוי|פרופורציה|מפה)(?: [א-ת]+)?[ :]*$|ratio[a-z ]*$"
)
_HOUR: Final = re.compile(f"{_BEFORE}שעה[ :]*$")
_VERSION: Final = re.compile(f"[A-Za-z] ?$|{_BEFORE}(?:גרסה|גירסה|סעיף|פרק|ממוצע|סעיפים)[ :]*$")
_DECIMAL_DAY: Final = re.compile(r"([1-9]|[12]\d|3[01])\.(1[0-2])|(0[1-9]|[12]\d|3[01])\.(0[1-9])")
_YEAR: Final = re.compile(r"(?:0?[1-9]|1[0-2])/(?:19|20)\d\d|(?:19|20)\d\d/(?:(?:19|20)?\d\d)")
"""A month or a year before the year."""
_EXPIRY: Final = re.compile(r"0[1-9]/\d\d")
"""A month before a year of two digits; no division has a leading zero."""
_EXPIRES: Final = re.compile(
    f"{_BEFORE}(?:תוקף|תוקפו|תוקפה|פג|פוקע|פוקעת)(?: [א-ת]+)?[ :]*(?:[בל]-)?$"
    "|(?ai:exp[a-z]*|valid [a-z]+)[ :.]*$"
)
_FRACTIONS: Final = {"2", "3", "4", "8"}
_MONTHS, _DAYS = 12, 31
_LONG: Final = 999


@dataclass(frozen=True, slots=True)
class Context:
    """The text around a quantity, which tells a date from a fraction.

    Attributes:
        before: the end of the text before it.
        after: the beginning of the text after it.
        in_formula: whether it is a part of a calculation.
        among_dates: whether it is in a range with a date.
    """

    before: str = ""
    after: str = ""
    in_formula: bool = False
    among_dates: bool = False


def is_date(written: str) -> bool:
    """Return whether ``1/12`` can only be a day and a month, and not a usual fraction."""
    day, _, month = written.partition("/")
    return (
        day.isdecimal() and month.isdecimal() and 0 < int(day) <= _DAYS and 0 < int(month) <= _MONTHS
    ) and not (month in _FRACTIONS and int(day) < int(month))


def speak_atom(kind: str, written: str, context: Context, names: SignNames) -> str:
    """Return the words and numbers of an atom of one of ``KINDS``."""
    return _SPEAK[kind](written, context, names)


def _date(written: str, _context: Context, _names: SignNames) -> str:
    return _NON_DIGITS.sub(" ", written)


def _clock(written: str, _context: Context, names: SignNames) -> str:
    if written.count(":") == 1:
        return written
    time, _, seconds = written.rpartition(":")
    return f"{time} {names['and']} {int(seconds)} {names['second' if int(seconds) == 1 else 'seconds']}"


def _dotted(written: str, _context: Context, names: SignNames) -> str:
    return written.replace(".", f" {names['.']} ")


def _network(written: str, _context: Context, names: SignNames) -> str:
    return re.sub("[.:/]", lambda sign: f" {names[sign.group()]} ", written)


def _grouped(written: str, context: Context, names: SignNames) -> str:
    """A number in groups; "." may separate the parts of a version as well."""
    is_version = written.count(".") > 1 and _VERSION.search(context.before)
    return _dotted(written, context, names) if is_version else _number(regroup(written), context, names)


def regroup(written: str) -> str:
    """Return a number with commas between its groups of three digits, and a decimal point.

    >>> [regroup(written) for written in ("1'000", "1.234,50", "1_000_000", "12,34,567")]
    ['1,000', '1,234.50', '1,000,000', '1,234,567']
    """
    mark = _NON_DIGITS.search(written)
    whole, point, rest = written, "", ""
    if mark and (decimal := re.search("[.,]", written.replace(mark[0], " "))):
        whole, point, rest = written[: decimal.start()], ".", written[decimal.end() :]
    return f"{int(_NON_DIGITS.sub('', whole)):,}{point}{rest}"


def _ratio(written: str, context: Context, names: SignNames) -> str:
    if context.in_formula:
        return written.replace(":", f" {names['÷']} ")
    is_ratio = _RATIO_NAMED.search(context.before) or len(written.rpartition(":")[2]) > 2  # noqa: PLR2004
    return written.replace(":", f" {names['ratio']} " if is_ratio else " ")


def _mixed(written: str, context: Context, names: SignNames) -> str:
    numbers = _NON_DIGITS.sub(" ", written).split()
    *whole, upper, lower = numbers
    if "/" in written and _ADDRESS.search(context.before):
        return " ".join(numbers)
    part = _fraction(int(upper), int(lower), names) or f"{upper} {names[FRACTION_SLASH]} {lower}"
    if not whole:
        return part
    space = " " if names is not HEBREW or part[0].isdecimal() else ""
    return f"{whole[0]} {names['and']}{space}{part}"


def _fraction(upper: int, lower: int, names: SignNames) -> str:
    """Return the name of a usual fraction in Hebrew, such as חצי; else ""."""
    if names is not HEBREW or lower not in _PARTS or not 0 < upper < lower:
        return ""
    one, many = _PARTS[lower]
    return one if upper == 1 else f"{upper} {many}"


def _slashed(written: str, context: Context, names: SignNames) -> str:
    parts = written.split("/")
    if context.in_formula:
        return f" {names['÷']} ".join(parts)
    if len(parts) > 2:  # noqa: PLR2004
        return " ".join(parts)
    if "." in written:
        return _dotted(f" {names['out of']} ".join(parts), context, names)
    upper, lower = (int(part) for part in parts)
    before = context.before
    if _MEASURED.match(context.after) or (" ו" in before[-_AND:] and _WHOLE_AND.search(before)):
        return _fraction(upper, lower, names) or f" {names['÷']} ".join(parts)
    return f" {_slash_word(written, upper, lower, context, names)} ".replace("  ", " ").join(parts)


def _slash_word(written: str, upper: int, lower: int, context: Context, names: SignNames) -> str:
    """Return the word between two numbers; "" for a date, an address or a school year."""
    before = context.before
    if upper > _LONG and names_a_code(before, len(before)):
        return names["/"]
    if _PRESSURE.search(before):
        return names["over"]
    if upper <= lower and (_GRADE.search(before) or _GRADED.match(context.after)):
        return names["out of"]
    as_they_stand = (
        written in {"24/7", "50/50"}
        or _YEAR.fullmatch(written)
        or _EXPIRY.fullmatch(written)
        or is_date(written)
        or (0 < upper <= _DAYS and 0 < lower <= _MONTHS and _is_day(context))
        or _ADDRESS.search(before)
        or (0 < upper <= _MONTHS and _EXPIRES.search(before))
    )
    return "" if as_they_stand else names["÷"]


def _is_day(context: Context) -> bool:
    return bool(context.among_dates or _DAY.search(context.before) or _UNTIL_DAY.match(context.after))


def _number(written: str, context: Context, names: SignNames) -> str:
    whole, point, rest = written.partition(".")
    if not point:
        return written
    if _HOUR.search(context.before) and whole.isdecimal() and re.fullmatch("[0-5][0-9]", rest):
        return f"{whole}:{rest}" if int(whole) < 25 else f"{whole} {rest}"  # noqa: PLR2004
    named = _DATE_NAMED.search(context.before) and re.fullmatch(r"\d{1,2}\.(?:0?[1-9]|1[0-2])", written)
    if named or (
        _DECIMAL_DAY.fullmatch(written) and not context.in_formula and not _VERSION.search(context.before)
    ):
        return f"{whole} {rest}"
    return f"{whole} {names['.']} {rest}"


def speak_power(raised: str, names: SignNames) -> str:
    """Return the words for an exponent in raised digits."""
    exponent = raised.translate(_RAISED)
    if exponent == "2":
        return names["squared"]
    sign = names["minus"] if exponent.startswith("-") else ""
    return f"{names['^']} {sign} {exponent.strip('+-')}".replace("  ", " ")


_SPEAK: Final[Mapping[str, Callable[[str, Context, SignNames], str]]] = {
    "date": _date,
    "clock": _clock,
    "ratio": _ratio,
    "mixed": _mixed,
    "slashed": _slashed,
    "network": _network,
    "grouped": _grouped,
    "dotted": _dotted,
    "number": _number,
}
