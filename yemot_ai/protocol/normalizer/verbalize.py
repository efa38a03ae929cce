"""Second half of the normalizer: replaces signs by words.

>>> verbalize("3.5% מתוך 10-12", HEBREW).split()
['3', 'נקודה', '5', 'אחוז', 'מתוך', '10', 'עד', '12']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from yemot_ai.protocol.messages import STRAY_COLON
from yemot_ai.protocol.normalizer.markup import DASH, NAMED_SYMBOLS

__all__ = ["ENGLISH", "HEBREW", "SignNames", "detect_language", "verbalize"]

SignNames: TypeAlias = Mapping[str, str]
"""The spoken name of each sign."""

HEBREW: Final[SignNames] = {
    ".": "נקודה", "/": "סלאש", "@": "שטרודל", "-": "מקף", "_": "קו תחתון", ":": "נקודתיים",
    "?": "סימן שאלה", "#": "סולמית", "~": "בערך", "%": "אחוז", "&": "ו", "=": "שווה", "+": "פלוס",
    "*": "כוכבית", "^": "בחזקת", "<": "קטן מ", ">": "גדול מ", "₪": "שקלים", "$": "דולר", "€": "אירו",
    "£": "לירות", "¥": "ין", "×": "כפול", "÷": "חלקי", "±": "פלוס מינוס", "≈": "בערך",
    "≤": "קטן או שווה", "≥": "גדול או שווה", "≠": "שונה מ", "∞": "אינסוף", "√": "שורש", "°": "מעלות",
    "minus": "מינוס", "to": "עד",
}  # fmt: skip
ENGLISH: Final[SignNames] = {
    ".": "dot", "/": "slash", "@": "at", "-": "hyphen", "_": "underscore", ":": "colon",
    "?": "question mark", "#": "hash", "~": "about", "%": "percent", "&": "and", "=": "equals", "+": "plus",
    "*": "star", "^": "to the power of", "<": "less than", ">": "more than", "₪": "shekels", "$": "dollars",
    "€": "euros", "£": "pounds", "¥": "yen", "×": "times", "÷": "divided by", "±": "plus or minus",
    "≈": "about", "≤": "at most", "≥": "at least", "≠": "is not", "∞": "infinity", "√": "root of",
    "°": "degrees", "minus": "minus", "to": "to",
}  # fmt: skip

_ENGLISH: Final = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,}+ [A-Za-z]{2}")
_HEBREW: Final = re.compile("[\u05d0-\u05ea]")
# After strip_markup() only letters, marks, numbers, ASCII and named symbols are left: a word character is
# one that is not in these classes. (``\w`` would miss the marks, which are vowels in many scripts.)
_WORD: Final = f"[^\\s!-/:-@\\[-`{{-~{DASH}{NAMED_SYMBOLS}•]"
_LETTER: Final = rf"(?!\d){_WORD}"
_SIGN: Final = re.compile(r"[!-/:-@\[-`{-~]")
_WEB: Final = re.compile(r"(?ai:^https?://)")
_PHONE_DIGITS: Final = 9
_LONG_GROUP: Final = 6
_RANGE: Final = 2

_Replacement: TypeAlias = Callable[["re.Match[str]", SignNames], str]
_Rule: TypeAlias = tuple[re.Pattern[str], str | _Replacement]


def detect_language(text: str) -> SignNames:
    """Return English names for English sentences without Hebrew letters, else Hebrew names."""
    return ENGLISH if _ENGLISH.search(text) and not _HEBREW.search(text) else HEBREW


def verbalize(text: str, words: SignNames) -> str:
    """Return the text as words, commas, sentence ends and times; white space is not normalized."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement if isinstance(replacement, str) else _bind(words, replacement), text)
    return text


def _bind(words: SignNames, replacement: _Replacement) -> Callable[[re.Match[str]], str]:
    return lambda match: replacement(match, words)


def _sign_name(sign: str) -> _Replacement:
    return lambda _match, words: f" {words[sign]} "


def _matched_sign_name(match: re.Match[str], words: SignNames) -> str:
    return f" {words[match.group().strip()]} "


def _address(match: re.Match[str], words: SignNames) -> str:
    """Spell a URL or e-mail address so that a listener can write it down, without ``https://``.

    Another scheme is spelled, and so is ``https://`` inside a longer address.
    """
    whole = match.group()
    body = whole.rstrip(".,;:!?*_~'")
    inside = match.string[max(match.start() - 1, 0) : match.start()] in set("/=&?#%@")
    address = body if inside else _WEB.sub("", body) or body
    spelled = _SIGN.sub(lambda sign: f" {words.get(sign.group(), '')} ", address.rstrip("/"))
    return f" {spelled} {whole[len(body) :]}"


def _entity(match: re.Match[str], _words: SignNames) -> str:
    return {"amp": "&", "lt": "<", "gt": ">"}.get(match.group(1), " ")


def _join_or_part(match: re.Match[str], _words: SignNames) -> str:
    """Remove quotes and emphasis inside a word; elsewhere replace them by a space."""
    before = match.string[max(match.start() - 1, 0) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    inside = re.fullmatch(_LETTER, before) and re.fullmatch(_LETTER, after)
    return "" if inside else " "


def _hyphenated_numbers(match: re.Match[str], words: SignNames) -> str:
    """Numbers joined by hyphens: two are a range, unless they are a phone number."""
    parts = match.group().split("-")
    phone = _is_phone(parts) or len(_digits(parts[1])) >= _LONG_GROUP
    is_range = len(parts) == _RANGE and not phone
    return (f" {words['to']} " if is_range else " ").join(parts)


def _is_phone(parts: list[str]) -> bool:
    return parts[0].startswith("0") and len(_digits("".join(parts))) >= _PHONE_DIGITS


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def _spaced_numbers(match: re.Match[str], words: SignNames) -> str:
    """Numbers with a spaced hyphen between: a range if they increase or are times, else a subtraction."""
    left, right = match.groups()
    if _is_phone([left, right]):
        return f"{left} "
    is_range = ":" in left + right or _value(left) < _value(right)
    return f"{left} {words['to' if is_range else 'minus']} "


def _value(number: str) -> float:
    match = re.match(r"\d+(?:\.\d+)?", number.replace(",", ""))
    return float(match.group()) if match else 0.0


def _amounts(match: re.Match[str], words: SignNames) -> str:
    """Amounts with a sign: a hyphen without spaces is a range, one with spaces if they increase."""
    left, dash, right = match.groups()
    if re.fullmatch(r"[\d.,]+", left + right):
        return match.group()
    low, high = (_value(re.sub(r"^\D+", "", side)) for side in (left, right))
    is_range = dash != " - " or low < high
    return f"{left} {words['to' if is_range else 'minus']} "


def _range_end(match: re.Match[str], words: SignNames) -> str:
    return f"{match.group(1)} {words['to']} "


def _money(match: re.Match[str], words: SignNames) -> str:
    return f" {match.group(2)} {words[match.group(1)]} "


def _rule(pattern: str, replacement: str | _Replacement) -> _Rule:
    return re.compile(pattern), replacement


_END_OF_ADDRESS: Final = r"[^\s<>\"'`()\[\]{}|\\" + DASH + "]*"
_NUMBER: Final = r"\d[\d.,:]*+"
_AMOUNT: Final = r"(?:[$€£₪¥] ?)?(?<![\d.,])\d(?:[\d.,]*\d)?+(?: ?[%$€£₪¥]| ?°(?:[CF](?![A-Za-z]))?)?"
_DAY: Final = r"(?:\d{1,2}([./])\d{1,2}\2|\d{4}([./-])\d{1,2}\3)\d{1,4}(?!\d|[./]\d)"
_DAY_BEFORE: Final = r"\d{1,4}(?:[./]\d{1,4}){0,2}|\d{1,4}-\d{1,2}-\d{1,4}"

_LINK: Final = rf"(?<![A-Za-z0-9])(?:[A-Za-z][A-Za-z0-9]{{1,19}}://|(?ai:www)\.){_END_OF_ADDRESS}"
_EMAIL: Final = rf"(?<!{_WORD})(?<![.%+_-])[A-Za-z0-9._%+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++(?!{_WORD})"
_DOMAIN: Final = (
    rf"(?<!{_WORD})(?<![.@/_-])(?:[A-Za-z0-9-]++\.)+[A-Za-z]{{2,}}+(?!{_WORD})"
    rf"(?:(?::\d{{2,5}}(?=/))?(?:/|\?(?=[A-Za-z0-9_.-]++=)){_END_OF_ADDRESS})?"
)

_ADDRESSES: Final = (
    _rule(r"</?(?:b|i|u|em|strong|br|p|li|ul|ol|code|span|div|sub|sup) ?/?>", " "),
    _rule(r"&(amp|lt|gt|quot|apos|nbsp|#39);", _entity),
    # One rule, because an address may contain what looks like another address.
    _rule(r"(?<=[א-ת])[\"'`](?=[א-ת])", ""),  # an abbreviation such as צה״ל, which can follow an address
    _rule(f"{_LINK}|{_EMAIL}|{_DOMAIN}", _address),
)
_EMPHASIS: Final = (
    _rule(r"(?<=\d)\*\*(?=\d)", _sign_name("^")),
    _rule(r"\\(?=[*#])", " "),
    _rule(r"!?\[(?=[^\]])|\]\(", ","),
    _rule(r"(?:[\"'`]|\*{2,}+|~{2,}+)++", _join_or_part),
    _rule(rf"(?<!{_WORD})(?<!\*)\*(?=[^\s*])([^*\n]*+)(?<!\s)\*(?!{_WORD}|\*)", r"\1"),
)
_NUMBERS: Final = (
    _rule(rf"({_AMOUNT})(- ?| - | ?{DASH} ?)(?=({_AMOUNT}))", _amounts),
    _rule(rf"(?<={_WORD})-(?={_LETTER})|(?<={_WORD})(?<!\d)-(?=\d)", " "),
    _rule(r"\(([0+]\d{1,3})\) ?-? ?(?=(?:\d{3,4}-\d{3,4}|\d{6,})(?![\d-]))", r" \1-"),
    _rule(r"(?<![\d.,:/-])(0\d{1,2}) (?=\d{3}-\d{4}(?![\d-]))", r"\1-"),
    _rule(rf"(?<![\d./-])({_DAY_BEFORE})(?: - | ?{DASH} ?|-)(?={_DAY})", _range_end),
    _rule(r"(?<![\d./-])(\d{1,2}-\d{1,2}-\d{4}) - (?=\d{1,2}-\d{1,2}-\d{4}(?!\d|-\d))", _range_end),
    _rule(rf"(?<!{_WORD})(?<![)-])-(?=[$€£₪¥] ?\d)", _sign_name("minus")),
    _rule(rf"([$€£₪¥]) ?(\d{_WORD}*+(?:[.,]\d{_WORD}*+)*+)", _money),
    _rule(r"(?<![\d:])(\d{1,2}:\d{2}):(\d{2})(?![\d:])", r"\1, \2"),
    _rule(r"(?<![\d./-])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d|[./-]\d)", r"\1 \3 \4"),
    _rule(r"(?<![\d./-])(\d{4})([./-])(\d{1,2})\2(\d{1,2})(?!\d|[./-]\d)", r"\1 \3 \4"),
    _rule(rf"(?<![\d.,:-]){_NUMBER}(?:-{_NUMBER})+", _hyphenated_numbers),
    _rule(rf"(?<![\d.,:])({_NUMBER}) - (?=({_NUMBER}))", _spaced_numbers),
    _rule(rf"(?<=\d) ?{DASH} ?(?=\d)|(?<=\d)-(?=\d)", _sign_name("to")),
    _rule(rf"(?<!{_WORD})(?<![)-])-(?=\d)", _sign_name("minus")),
    _rule(rf"(?<=\d)\.(?=\d)|(?<!{_WORD})(?<!\.)\.(?=\d)", _sign_name(".")),
    _rule(r"(?<=\d)/(?=\d)", _sign_name("÷")),
    _rule(r"(?<=\d) ?\* ?(?=\d)", _sign_name("×")),
    _rule(rf"(?<={_WORD})\^(?={_WORD})", _sign_name("^")),
    _rule(r"~(?= ?\d)", _sign_name("~")),
)
_SIGNS: Final = (
    _rule(r"(?<![-=])[-=]++>|→", ","),
    _rule(r"!=", _sign_name("≠")),
    _rule(r"<=", _sign_name("≤")),
    _rule(r">=", _sign_name("≥")),
    _rule(r"[<>](?=[ \d])", _matched_sign_name),
    _rule(r"(?<=[A-Za-z]) ?& ?(?=[A-Za-z])", " and "),
    _rule(r"={3,}", " "),
    _rule(r"=+", _sign_name("=")),
    _rule(r"(?<=\d) ?\$", _sign_name("$")),
    _rule(rf"#(?={_LETTER})|#{{2,}}", " "),
    _rule(rf"(?:(?<!{_WORD})|(?<=\d))\*(?!{_LETTER})", _sign_name("*")),
    _rule(r"[&+%@#₪€£¥×÷±≈≤≥≠∞√°]", _matched_sign_name),
)
_DOTS: Final = (
    _rule(r"(?<![\u05d0-\u05ea])([\u05d0-\u05ea])\.(?=[\u05d0-\u05ea](?![\u05d0-\u05ea]))", r"\1 "),
    _rule(r"(?<=[A-Za-z0-9])\.(?=[A-Za-z])", _sign_name(".")),
    _rule(r"(?<=[A-Za-z])\.(?=\d)", " "),
)
_PAUSES: Final = (
    (STRAY_COLON, ", "),
    _rule(rf"(?<={_WORD})[(\[{{](?={_WORD})", " "),
    _rule(rf"[;|•{DASH}(){{}}\[\]]|(?<= )-+(?= )", ","),
    _rule(r"[\"#$%&'*+/<=>@\\^_`~-]", " "),
)
_RULES: Final = (*_ADDRESSES, *_EMPHASIS, *_NUMBERS, *_SIGNS, *_DOTS, *_PAUSES)
