"""Units and currencies after or before a number.

>>> amounts = ("12.90", "₪"), ("5", 'ק"ג'), ("5", "kg")
>>> [speak_amount(number, unit, "", HEBREW) for number, unit in amounts]
['12 שקלים ו 90 אגורות', '5 קילוגרם', '5 קילוגרם']
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.protocol.normalizer.abbreviations import UNIT_ABBREVIATIONS
from yemot_ai.protocol.normalizer.names import HEBREW, SignNames

__all__ = [
    "CURRENCY", "HALF_DAY", "HEBREW", "MULTIPLIER", "UNIT", "is_currency", "signs_for_codes", "speak_amount",
]  # fmt: skip

_LATIN: Final = {
    "km/h": "קילומטר לשעה", "kmh": "קילומטר לשעה", "kph": "קילומטר לשעה", "m/s": "מטר לשנייה",
    "km²": "קילומטר רבוע", "m²": "מטר רבוע", "cm²": "סנטימטר רבוע", "m³": "מטר מעוקב", "cm³": "סנטימטר מעוקב",
    "km": "קילומטר", "cm": "סנטימטר", "mm": "מילימטר", "kg": "קילוגרם", "mg": "מיליגרם", "ml": "מיליליטר",
    "kWh": "קילוואט שעה", "NIS": "שקלים", "ILS": "שקלים", "USD": "דולר", "EUR": "אירו",
    "GBP": "לירות", "mL": "מיליליטר", "μg": "מיקרוגרם", "µg": "מיקרוגרם", "mcg": "מיקרוגרם",
    "mph": "מייל לשעה", "Ω": "אוהם", "kΩ": "קילואוהם",
}  # fmt: skip
_HEBREW: Final = {
    **UNIT_ABBREVIATIONS, "שח": "שקלים", "שקלים": "שקלים", "שקל": "שקל", "דולר": "דולר", "דולרים": "דולרים",
    "אירו": "אירו", "יורו": "יורו",
    "מ²": "מטר רבוע", "מ'²": "מטר רבוע", "סמ²": "סנטימטר רבוע", "קמ²": "קילומטר רבוע", "מטר²": "מטר רבוע",
    "מ³": "מטר מעוקב", "סמ³": "סנטימטר מעוקב", "מטר³": "מטר מעוקב",
}  # fmt: skip
_PARTS: Final = {"₪": ("אגורה", "אגורות"), "$": ("סנט", "סנט"), "€": ("סנט", "סנט"), "£": ("פני", "פני")}
_ENGLISH_PARTS: Final = {
    "₪": ("agora", "agorot"), "$": ("cent", "cents"), "€": ("cent", "cents"), "£": ("penny", "pence"),
}  # fmt: skip
"""The hundredth part of a currency: one of it, and several."""
_SYMBOL_OF: Final = {
    "שח": "₪", "שקלים": "₪", "שקל": "₪", "NIS": "₪", "ILS": "₪", "דולר": "$", "דולרים": "$", "USD": "$",
    "אירו": "€", "יורו": "€", "EUR": "€", "GBP": "£",
}  # fmt: skip
_SINGULAR: Final = {
    "₪": "שקל", "שח": "שקל", "שקלים": "שקל", "NIS": "שקל", "ILS": "שקל", "£": "לירה", "אג'": "אגורה",
    "°": "מעלה", "דק'": "דקה", "שנ'": "שנייה", "שע'": "שעה", "ש'": "שעה", "נק'": "נקודה", "יח'": "יחידה",
    "חד'": "חדר", "מע'": "מעלה",
}  # fmt: skip
"""What is said of one only."""


def _spellings(unit: str) -> str:
    """Return a pattern for a unit; a mark is inside an acronym of a unit."""
    letters = unit.rstrip("²³'")
    if (unit in UNIT_ABBREVIATIONS and letters == unit) or letters in {"שח", "סמ", "קמ"}:
        return re.escape(letters[:-1]) + "(?:\"|'')" + re.escape(unit[len(letters) - 1 :])
    return re.escape(unit)


_LONGEST_FIRST: Final = sorted(_HEBREW, key=len, reverse=True)
CURRENCY: Final = "[$€£₪¥₹₽₺₩₴₿₫₱₦฿₾₸₼﷼]"
"""A currency before or after a number."""
HALF_DAY: Final = r" ?(?:[AaPp]\.[Mm](?:\.(?! [A-Z]))?|[AaPp][Mm])(?![A-Za-z])"
"""Before or after noon, in English."""
UNIT: Final = (
    rf"(?:{HALF_DAY}| ?(?:{CURRENCY}|[%‰¢])| ?°(?: ?[CF](?![A-Za-z]))?"
    rf"| ?(?:{'|'.join(map(_spellings, _LONGEST_FIRST))})(?![א-ת'\"²³]| חדש)"
    rf"| ?(?:{'|'.join(map(re.escape, sorted(_LATIN, key=len, reverse=True)))})(?![A-Za-z0-9²³/]))"
)
"""A unit after a number, with the space before it."""

MULTIPLIER: Final = (
    r"(?<=\d)(?:[KMB]|bn)(?![A-Za-z0-9])"
    r"| (?:אלף|אלפי|מיליון|מיליוני|מיליארד|thousand|million|billion)(?![א-תA-Za-z'\"])"
)
"""A word or a letter after a number that multiplies it."""
_MULTIPLIERS: Final = {"K": "אלף", "M": "מיליון", "B": "מיליארד", "bn": "מיליארד"}

_CODE_BEFORE: Final = re.compile(
    r"(NIS|ILS|USD|EUR|GBP)(?<![A-Za-z0-9/]...)(?<!\d ...) ?(?=\d)|US(?<![A-Za-z]..)(?=\$\d)"
)
"""The code of a currency before an amount."""

_CENTS: Final = re.compile(r"([\d,]+)\.(\d\d)")


def signs_for_codes(sentence: str) -> str:
    """Return the sentence with a sign for the code of a currency before an amount: ``USD 5`` as ``$5``."""
    return _CODE_BEFORE.sub(lambda match: _SYMBOL_OF.get(match[1] or "", ""), sentence)


def is_currency(unit: str) -> bool:
    """Return whether a unit is money."""
    return _SYMBOL_OF.get(_key(unit), unit) in _PARTS


def _key(unit: str) -> str:
    return unit.replace('"', "").replace("''", "")


def speak_amount(number: str, unit: str, multiplier: str, names: SignNames) -> str:
    """Return a number with its unit: an amount of money with two decimals as two amounts.

    Args:
        number: the digits, or words for them.
        unit: as it is written, or "".
        multiplier: the word or letter for thousands, millions and so on, or "".
        names: the names of signs.
    """
    key = _key(unit)
    symbol = _SYMBOL_OF.get(key, key)
    money = _CENTS.fullmatch(number) if symbol in _PARTS and not multiplier else None
    if not money:
        spoken = number.replace(".", f" {names['.']} ").strip() + _speak_multiplier(multiplier, symbol, names)
        return f"{spoken} {_speak_unit(key, number, names)}" if unit else spoken
    parts = (_PARTS if names is HEBREW else _ENGLISH_PARTS)[symbol]
    whole, small = money.groups()
    amounts = (
        [f"{whole} {_speak_unit(key, whole, names)}"] if whole.strip("0") or not small.strip("0") else []
    )
    amounts += [f"{int(small)} {parts[int(small) > 1]}"] if small.strip("0") else []
    return f" {names['and']} ".join(amounts)


def _speak_multiplier(multiplier: str, symbol: str, names: SignNames) -> str:
    if symbol in _PARTS and names is HEBREW and multiplier in _MULTIPLIERS:
        return f" {_MULTIPLIERS[multiplier]}"
    return multiplier


def _speak_unit(key: str, number: str, names: SignNames) -> str:
    if number == "1" and names is HEBREW and key in _SINGULAR:
        return _SINGULAR[key]
    if key in names:
        return names[key].removesuffix("s") if number == "1" else names[key]
    if key.startswith("°"):
        return f"{_speak_unit('°', number, names)} {key[1:].strip()}"
    if key in _LATIN:
        return _LATIN[key] if names is HEBREW else key.replace("/", " per ").replace("²", " squared")
    return _HEBREW.get(key, key)
