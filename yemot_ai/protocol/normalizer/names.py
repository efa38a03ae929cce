"""The spoken names of signs, in Hebrew and in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

__all__ = ["ENGLISH", "HEBREW", "SignNames", "detect_language"]

SignNames: TypeAlias = Mapping[str, str]
"""The spoken name of each sign."""

HEBREW: Final[SignNames] = {
    ".": "נקודה", "/": "סלאש", "@": "שטרודל", "-": "מקף", "_": "קו תחתון", ":": "נקודתיים",
    "?": "סימן שאלה", "#": "סולמית", "~": "בערך", "%": "אחוז", "&": "ו", "=": "שווה", "+": "פלוס",
    "*": "כוכבית", "^": "בחזקת", "<": "קטן מ", ">": "גדול מ", "₪": "שקלים", "$": "דולר", "€": "אירו",
    "£": "לירות", "¥": "ין", "×": "כפול", "÷": "חלקי", "±": "פלוס מינוס", "≈": "בערך",
    "≤": "קטן או שווה", "≥": "גדול או שווה", "≠": "שונה מ", "∞": "אינסוף", "√": "שורש", "°": "מעלות",
    "‰": "פרומיל", "\u2044": "חלקי", "minus": "מינוס", "to": "עד", "squared": "בריבוע", "and": "ו",
    "out of": "מתוך", "ratio": "ל", "seconds": "שניות", "second": "שנייה", "number": "מספר",
    "over": "על", "§": "סעיף", "₹": "רופי", "₽": "רובל", "₺": "לירות טורקיות", "₩": "וון", "₴": "הריבניה",
    "₿": "ביטקוין", "₫": "דונג", "₱": "פסו", "₦": "נאירה", "฿": "באט", "₾": "לארי", "₸": "טנגה",
    "₼": "מנאט", "﷼": "ריאל", "¢": "סנט", "∠": "זווית", "△": "משולש", "⊥": "מאונך ל", "∥": "מקביל ל",
    "π": "פאי", "α": "אלפא", "β": "בטא", "γ": "גמא", "δ": "דלתא", "Δ": "דלתא", "θ": "תטא", "λ": "למדא",
    "μ": "מיו", "σ": "סיגמא", "Σ": "סיגמא", "φ": "פי", "ω": "אומגה", "∑": "סכום",
    "∫": "אינטגרל", "∈": "שייך ל", "∪": "איחוד", "∩": "חיתוך", "∅": "קבוצה ריקה",
}  # fmt: skip
ENGLISH: Final[SignNames] = {
    ".": "dot", "/": "slash", "@": "at", "-": "hyphen", "_": "underscore", ":": "colon",
    "?": "question mark", "#": "hash", "~": "about", "%": "percent", "&": "and", "=": "equals", "+": "plus",
    "*": "star", "^": "to the power of", "<": "less than", ">": "more than", "₪": "shekels", "$": "dollars",
    "€": "euros", "£": "pounds", "¥": "yen", "×": "times", "÷": "divided by", "±": "plus or minus",
    "≈": "about", "≤": "at most", "≥": "at least", "≠": "is not", "∞": "infinity", "√": "root of",
    "°": "degrees", "‰": "per mille", "\u2044": "over", "minus": "minus", "to": "to", "squared": "squared",
    "and": "and", "out of": "out of", "ratio": "to", "seconds": "seconds", "second": "second",
    "number": "number", "over": "over", "§": "section", "₹": "rupees", "₽": "rubles", "₺": "Turkish lira",
    "₩": "won", "₴": "hryvnia", "₿": "bitcoin", "₫": "dong", "₱": "pesos", "₦": "naira", "฿": "baht",
    "₾": "lari", "₸": "tenge", "₼": "manat", "﷼": "rials", "¢": "cents", "∠": "angle", "△": "triangle",
    "⊥": "perpendicular to", "∥": "parallel to", "π": "pi",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "delta", "θ": "theta", "λ": "lambda",
    "μ": "mu", "σ": "sigma", "Σ": "sigma", "φ": "phi", "ω": "omega", "∑": "the sum of",
    "∫": "the integral of", "∈": "in",
    "∪": "union", "∩": "intersection", "∅": "the empty set",
}  # fmt: skip

_ENGLISH: Final = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,}+ [A-Za-z]{2}")
_HEBREW: Final = re.compile("[\u05d0-\u05ea]")


def detect_language(sentence: str) -> SignNames:
    """Return English names for an English sentence without Hebrew letters, else Hebrew names."""
    return HEBREW if _HEBREW.search(sentence) or not _ENGLISH.search(sentence) else ENGLISH
