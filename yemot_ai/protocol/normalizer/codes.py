"""Telephone numbers and codes, which are spoken digit by digit.

>>> import re
>>> [re.fullmatch(CODE, text) is not None for text in ("03-1234567", "+972-50-123-4567", "0485", "2026")]
[True, True, True, False]
>>> [re.fullmatch(SERIAL, text) is not None for text in ("AB-123-45", "IL62 0108 0000 0009", "0x1F", "Wi-Fi")]
[True, True, True, False]
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.protocol.messages import MAX_WORDS
from yemot_ai.protocol.normalizer.links import WORD
from yemot_ai.protocol.normalizer.names import SignNames

__all__ = [
    "CODE", "DIGITS_MARK", "SERIAL", "mark_digits", "named_code", "names_a_code", "speak_code",
    "speak_serial",
]  # fmt: skip

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
_SERVICE: Final = (
    r"1[- —]?[5-9]\d\d[- —](?:\d{6}|\d{3}[- —]\d{3,4}|\d{2}[- —]\d{2}[- —]\d{2}|\d{2}[- —]\d{4})"
)
_OTHER_AREA: Final = r"\(0\d{1,3}\) ?-? ?(?:\d{3,4}-\d{3,4}|\d{6,})|\([2-9]\d\d\) ?\d{3}-\d{4}"
_STAR: Final = rf"(?<!{WORD})(?<!\*)\*\d(?:-?\d){{2,5}}(?![*])"
_GROUPS: Final = (
    r"(?=0(?:-?\d){6})\d+(?:-\d+)+|\d+-\d{6,}|\d{7,8}-\d{1,2}"
    r"|\d{4}(?:[ -]\d{4}){3}|(?!(?:(?:19|20)\d\d-)+(?:19|20)\d\d)(?=(?:-?\d){9})\d+(?:-\d+){2,}"
    r"|\d{2}-\d{3}-\d{2}|\d{3}-\d{2}-\d{3}"
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

_BEGIN: Final = "(?<![A-Za-z0-9])(?<![A-Za-z0-9]-)"
_HEX: Final = "[0-9A-Fa-f]"
_ACCOUNT: Final = r"[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?"
_NUMERAL: Final = rf"#(?=\d*[A-Fa-f]){_HEX}{{6}}(?:{_HEX}{{2}})?"
_NETWORK: Final = (
    rf"(?=[:\d]{{0,40}}[A-Fa-f]|[^ ]{{0,20}}::)(?=[:A-Fa-f]{{0,40}}\d)"
    rf"(?:{_HEX}{{1,4}}(?:::?{_HEX}{{1,4}}){{2,7}}|{_HEX}{{1,4}}::{_HEX}{{1,4}})(?!:)"
)
_PARTS: Final = (
    r"(?=[A-Z0-9-]*[A-Z])(?=[A-Za-z0-9-]*\d)(?:\d+-\d+-[A-Z]+|(?!\d+-\d)[A-Z0-9]+(?:-[A-Z0-9]+){2,})"
    rf"|{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}|{_HEX}{{2}}(?:-{_HEX}{{2}}){{5}}"
)
_LETTERED: Final = r"[A-Z]{1,4}\d{6,}(?:[A-Z]{1,3})?"
SERIAL: Final = (
    rf"(?=[#A-Za-z0-9])(?:{_BEGIN}(?:{_ACCOUNT}|{_NUMERAL}|{_NETWORK}|{_PARTS}|{_LETTERED})(?!-[A-Za-z0-9])"
    rf"|(?<![A-Za-z0-9])0[xX]{_HEX}+)(?![A-Za-z0-9])"
)
"""Letters and digits that are no quantity: an account, a hexadecimal number, a network address, a part."""

_NAMED: Final = re.compile(
    "(?<![א-ת])[ובהלמש]{0,2}(?:קוד|סיסמ[הא]|כוכבית|טלפון|נייד|פלאפון|פקס|ווטסאפ|הזמנה|הזמנת|הזמנתך|לקוח|אישור"
    "|מעקב|משלוח|פנייה|פניה|קריאה|אסמכתא|אסמכתה|זהות|חשבון|חשבונית|כרטיס|פוליסה|רישיון|דרכון|מיקוד|שלוחה"
    "|קידומת|חיוג|זיהוי|אימות|חבילה|מנוי|עסקה|עוסק|שובר|קופון|ח-ן)"
    "(?: (?:שלך|שלכם|שלי|הוא|היא|האישי|אישי|מספר|מס'|החדש|הסודי|סודי|זמני|הזמני|מורשה|לקוח|אימות|זיהוי|כניסה)"
    "){0,3}"
    "[ :#-]*$|(?ai:pin|code|password|order(?: number)?|id|tel|phone|fax)[ :#.-]*$"
)
_CODE_LIKE: Final = re.compile(r"[\d -]+")
_NAMED_DIGITS: Final = re.compile(r"\d{4,}|0\d+")
_NAMED_GROUPS: Final = re.compile(r"\d{3}(?:[- ]\d{3})+|\d\d(?:-\d\d){2,}")
_ZEROS: Final = re.compile(r"(?!(?:19|20)\d\d-\d\d$)(?=(?:-?\d){6}|.*-0\d\d)\d+(?:-\d+)*-0\d+(?:-\d+)*")
"""Groups of which one has a leading zero, as in the number of an invoice; not a year and a month."""
_LOCAL: Final = re.compile(r"(?!\d\d0|(?:128|256|512)-|\d{3}-\d{3}0)[1-9]\d\d-\d{4}")
"""A telephone number without an area; the ends of a range of that size are mostly round."""
_COUNTED: Final = re.compile("(?:עמ|שנ|פרק|סעי|שור|מאות|page|year)[א-תa-z']* [א-ת]?-?$", re.IGNORECASE)
_SECRET: Final = re.compile("(?:קוד|סיסמ|אימות|code|password|pin)", re.IGNORECASE)
_NAMED_REACH: Final = 60
_SHORTEST_CODE: Final = 4
_COUNTED_REACH: Final = 16
_SPACES: Final = str.maketrans("-:", "  ")
_DIGIT_GROUPS: Final = re.compile(r"(?<![^ ])\d+(?: \d+)*(?![^ ])")


def speak_code(match: re.Match[str], names: SignNames) -> str:
    """Return the digits marked, after the name of a leading plus or star."""
    written = match.group()
    written = written.replace("(0)", "")  # not dialed from abroad
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
    """Return a number marked if its form or the text before it says that it is a code; else ""."""
    written = match.group()
    if len(written) < _SHORTEST_CODE and written[0] != "0":
        return ""
    return mark_digits(re.sub("[- ]", "", written)) if _is_code(written, match) else ""


def _is_code(written: str, match: re.Match[str]) -> bool:
    if not _CODE_LIKE.fullmatch(written):
        return False
    is_named = _NAMED_DIGITS.fullmatch(written)
    is_secret = not is_named and _NAMED_GROUPS.fullmatch(written)
    text, start = match.string, match.start()
    if is_named or is_secret:
        named = _NAMED.search(text, max(start - _NAMED_REACH, 0), start)
        return bool(named and (is_named or _SECRET.search(named.group())))
    if "-" not in written:
        return False
    before = text[max(start - _COUNTED_REACH, 0) : start]
    return bool(_ZEROS.fullmatch(written) or (_LOCAL.fullmatch(written) and not _COUNTED.search(before)))


def speak_serial(match: re.Match[str], names: SignNames) -> str:
    """Return the letters as they are written, and three digits or more between them marked."""
    written = match.group()
    if re.fullmatch(_LETTERED, written):
        written = re.sub(r"\d+", r" \g<0> ", written).strip()
    elif re.fullmatch(_ACCOUNT, written):
        written = f"{written[:2]} {written[2:]}"
    spaced = written.replace("#", f"{names['#']} ").replace("::", f" {names[':']} ").translate(_SPACES)
    return f" {_DIGIT_GROUPS.sub(_mark, spaced)} "


def _mark(match: re.Match[str]) -> str:
    digits = match.group().replace(" ", "")
    return mark_digits(digits) if len(digits) > 2 else match.group()  # noqa: PLR2004
