"""Telephone numbers and codes, which are spoken digit by digit.

>>> import re
>>> [re.fullmatch(CODE, text) is not None for text in ("03-1234567", "+972-50-123-4567", "0485", "2026")]
[True, True, True, False]
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.protocol.messages import MAX_WORDS
from yemot_ai.protocol.normalizer.links import WORD
from yemot_ai.protocol.normalizer.names import SignNames

__all__ = ["CODE", "DIGITS_MARK", "mark_digits", "named_code", "names_a_code", "speak_code"]

DIGITS_MARK: Final = "\ue000"
"""Stands before digits that become a ``Digits`` message; a private character, which no text contains here."""

_JOINT: Final = r"(?: ?[-—~] ?|[ ./])"
_SEVEN: Final = "(?:" + "|".join(
    _JOINT.join(rf"\d{{{size}}}" for size in sizes)
    for sizes in ((7,), (3, 4), (4, 3), (3, 2, 2), (2, 2, 3), (2, 3, 2))
) + ")"  # fmt: skip
_AREA: Final = "(?:[23489]|[57]\\d)"
_NATIONAL: Final = rf"\(?0{_AREA}\)?{_JOINT}?{_SEVEN}"
_ISRAEL: Final = rf"(?:\+ ?|00)?\(?(?:\+ ?)?972\)?{_JOINT}?(?:\(0\)|0)?{_JOINT}?{_AREA}{_JOINT}?{_SEVEN}"
_ABROAD: Final = (
    rf"\+ ?\d{{1,3}}(?:{_JOINT}?\(\d{{1,4}}\)|{_JOINT}\d{{2,5}})?(?:{_JOINT}?\d{{2,8}}){{2,4}}|\+ ?\d{{8,15}}"
)
_SERVICE: Final = r"1[- —]?[5-9]\d\d[- —](?:\d{6}|\d{3}[- —]\d{3}|\d{2}[- —]\d{2}[- —]\d{2}|\d{2}[- —]\d{4})"
_OTHER_AREA: Final = r"\(0\d{1,3}\) ?-? ?(?:\d{3,4}-\d{3,4}|\d{6,})|\([2-9]\d\d\) ?\d{3}-\d{4}"
_STAR: Final = rf"(?<!{WORD})(?<!\*)\*\d{{3,6}}(?![*])"
_GROUPS: Final = (
    r"(?=0(?:-?\d){6})\d+(?:-\d+)+|\d+-\d{6,}|\d{7,8}-\d{1,2}"
    r"|\d{4}(?:[ -]\d{4}){3}|(?!(?:(?:19|20)\d\d-)+(?:19|20)\d\d)(?=(?:-?\d){9})\d{2,}(?:-\d{2,}){2,}"
)
_ZERO: Final = r"(?<![A-Za-z])0\d{2,}"
_NOT_AN_AMOUNT: Final = r"(?! ?[%‰₪$€£¥°])(?! ?(?:שקל|ש\"ח))"
_LONG: Final = rf"(?!\d*000000(?!\d))\d{{9,}}{_NOT_AN_AMOUNT}"
_END: Final = r"(?!\d)(?!-\d)(?![.,:]\d)(?! ?=)"

_CODES: Final = (
    _ISRAEL, _NATIONAL, _SERVICE, _ABROAD, _OTHER_AREA, _STAR, _GROUPS, _ZERO, _LONG,
)  # fmt: skip
CODE: Final = rf"(?=[\d+(*])(?<!\d)(?<!\d[.,:/-])(?:{'|'.join(_CODES)}){_END}"
"""A telephone number in any usual spelling, or a number in groups, with a leading zero, or of 9 digits."""

_NAMED: Final = re.compile(
    "(?<![א-ת])[ובהלמש]{0,2}(?:קוד|סיסמ[הא]|כוכבית|טלפון|נייד|פלאפון|פקס|ווטסאפ|הזמנה|הזמנת|הזמנתך|לקוח|אישור"
    "|מעקב|משלוח|פנייה|פניה|קריאה|אסמכתא|אסמכתה|זהות|חשבון|חשבונית|כרטיס|פוליסה|רישיון|דרכון|מיקוד|שלוחה"
    "|קידומת|חיוג|זיהוי|אימות|חבילה|מנוי|עסקה|עוסק|שובר|קופון)"
    "(?: (?:שלך|שלכם|שלי|הוא|היא|האישי|אישי|מספר|מס'|החדש|הסודי|סודי|זמני|הזמני|מורשה|לקוח|אימות|זיהוי|כניסה)"
    "){0,3}"
    "[ :#-]*$|(?ai:pin|code|password|order(?: number)?|id|tel|phone|fax)[ :#.-]*$"
)
_NAMED_DIGITS: Final = re.compile(r"\d{4,}|0\d+")
_NAMED_GROUPS: Final = re.compile(r"\d{3}-\d{3}|\d\d(?:-\d\d){2,}")
_SECRET: Final = re.compile("(?:קוד|סיסמ|אימות|code|password|pin)", re.IGNORECASE)
_NAMED_REACH: Final = 60


def speak_code(match: re.Match[str], names: SignNames) -> str:
    """Return the digits marked, after the name of a leading plus or star."""
    written = match.group()
    sign = names[written[0]] if written[0] in "+*" else names["+"] if "+" in written else ""
    return f" {sign} {mark_digits(re.sub(r'[^0-9]', '', written))}"


def mark_digits(digits: str) -> str:
    """Return digits marked, in parts of at most as many digits as a message has words."""
    parts = (digits[start : start + MAX_WORDS] for start in range(0, len(digits), MAX_WORDS))
    return "".join(f" {DIGITS_MARK}{part} " for part in parts)


def names_a_code(text: str, start: int) -> bool:
    """Return whether the text before ``start`` names a code, such as the number of an order."""
    return bool(_NAMED.search(text[max(start - _NAMED_REACH, 0) : start]))


def named_code(match: re.Match[str]) -> str:
    """Return a number marked if the text before it names it as a code; else ""."""
    written, text, start = match.group(), match.string, match.start()
    named = _NAMED.search(text[max(start - _NAMED_REACH, 0) : start])
    is_code = named and (
        _NAMED_DIGITS.fullmatch(written)
        or (_NAMED_GROUPS.fullmatch(written) and _SECRET.search(named.group()))
    )
    return mark_digits(written.replace("-", "")) if is_code else ""
