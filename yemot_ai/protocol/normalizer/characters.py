r"""Replaces the characters of a text by those that the grammar knows.

What is left are letters, marks, ASCII digits and punctuation, line ends and a few symbols with a name.

>>> reduce_characters("５０％ של 25℃ 😀 CO₂ ½")
'50% של 25°C   CO2 1⁄2 '
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

__all__ = ["DASH", "FRACTION_SLASH", "MARKS", "NAMED_SYMBOLS", "SUPERSCRIPTS", "reduce_characters"]

MARKS: Final = "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
"""Niqqud, cantillation and accents: parts of words, the inside of a character class."""
DASH: Final = "—"
"""Replaces every dash that is not a hyphen."""
FRACTION_SLASH: Final = "\u2044"
"""Separates the two numbers of a fraction such as ½, which is written as both."""
SUPERSCRIPTS: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺"
"""Raised digits and signs: exponents and footnotes."""
NAMED_SYMBOLS: Final = "₪€£¥₹₽₺₩₴₿₫₱₦฿₾₸₼﷼¢§×÷±≈≤≥≠∞√°→‰∠△⊥∥∑∫∈∪∩∅" + FRACTION_SLASH
"""Other non-ASCII symbols that are spoken by name."""

_UNCOMMON: Final = re.compile(f"[^\n -~\u05d0-\u05ea{MARKS}{DASH}{NAMED_SYMBOLS}{SUPERSCRIPTS}]")
_REPLACEMENTS: Final = {
    **dict.fromkeys("\r\x0b\x0c\x85\u2028\u2029", "\n"),
    **dict.fromkeys("“”„‟«»״″〃", '"'),
    **dict.fromkeys("‘’‚‛‹›׳´′ʹʼ", "'"),
    **dict.fromkeys("־‐‑−﹣－", "-"),
    **dict.fromkeys("–―‒﹘", DASH),
    **dict.fromkeys("•‣◦▪●○■□∙·", " • "),
    **dict.fromkeys("…。．׃", ". "),
    **dict.fromkeys("、，،", ", "),
    **dict.fromkeys("？؟", "? "),
    **dict.fromkeys("；؛", "; "),
    **dict.fromkeys("～〜∼", "~"),
    **dict.fromkeys("º˚", "°"),
    **dict.fromkeys("≅≃", "≈"),
    **dict.fromkeys("≦⩽", "≤"),
    **dict.fromkeys("≧⩾", "≥"),
    **dict.fromkeys("⇒⟹⟶➔➜➡←⇐⟵⬅↔⇔⟷", "→"),
    **dict.fromkeys("™℠", ""),
    "！": "! ",
    "：": ": ",
    "∶": ":",
    "∕": "/",
    "⋅": "×",
    "∗": "*",
    "ⁿ": "^n",
    "٪": "%",
    "٫": ".",
    "㎡": "m²",
    "㎥": "m³",
    "№": "#",
    "∆": "△",
    "∣": "|",
    "🔟": " 10 ",
    "⃣": "",  # the keycap around a digit
}
_BETWEEN_NUMBERS: Final = {
    "：": (":", ""),
    "．": (".", ""),
    "，": (",", ""),
    "٬": (",", ""),
    **dict.fromkeys("·∙", ("×", "")),
    **dict.fromkeys("✕✖⨯╳", ("×", " ")),
    "➕": ("+", " "),
    "➖": ("-", " "),
    "➗": ("÷", " "),
}
"""What a character is between two numbers, and the space that may be beside it there."""
_FIXED: Final = "\u00a0\u2007\u2009\u202f"
_GROUP_SPACES: Final = frozenset(_FIXED)
_GROUP_SPACE: Final = re.compile(f"[{_FIXED}]")
_SPACED_GROUPS: Final = re.compile(
    rf"(?<![\d+*(-])(?<!\d[ .,{_FIXED}])[1-9]\d{{0,2}}(?:[{_FIXED}]\d{{3}})+(?![ .{_FIXED}]?\d)"
)
"""A number whose groups of three digits are apart by a space that no line breaks."""
_FACTOR: Final = re.compile(r"\d|\(-?\d")
_KEPT_CATEGORIES: Final = "LMN"
_VARIATION_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_COMPATIBLE: Final = re.compile(
    "[\u207c\u208a-\u208c\u2100-\u2188\u2460-\u24ff\u3300-\u33ff\ufb1d-\ufb4f\ufe5f-\ufe6b\uff00-\uffef]"
)
"""Symbols made of letters, Roman and enclosed numbers, units, Hebrew, small and full-width forms."""


def reduce_characters(text: str) -> str:
    """Return the text in the characters of the grammar: symbols become letters and digits, others a space."""
    if not _GROUP_SPACES.isdisjoint(text):
        text = _SPACED_GROUPS.sub(lambda match: _GROUP_SPACE.sub("'", match.group()), text)
    return _UNCOMMON.sub(_replace_match, text.replace("\r\n", "\n"))


def _replace_match(match: re.Match[str]) -> str:
    char = match.group()
    if char in _BETWEEN_NUMBERS and (sign := _sign_between_numbers(match)):
        return sign
    is_after_digit = match.string[match.start() - 1 : match.start()].isdigit()
    replacement = _replace_char(char)
    return replacement if is_after_digit or FRACTION_SLASH not in replacement else replacement.lstrip()


def _sign_between_numbers(match: re.Match[str]) -> str:
    """Return the sign for a character between two numbers; empty if it stands elsewhere."""
    sign, space = _BETWEEN_NUMBERS[match.group()]
    text, start, end = match.string, match.start(), match.end()
    start -= len(space) * text.endswith(space, 0, start)
    end += len(space) * text.startswith(space, end)
    return sign if text[start - 1 : start].isdigit() and _FACTOR.match(text, end) else ""


@lru_cache(maxsize=4096)
def _replace_char(char: str) -> str:
    if char in _REPLACEMENTS:
        return _REPLACEMENTS[char]
    category = unicodedata.category(char)
    if category == "Cf" or _VARIATION_SELECTORS.match(char):
        return ""  # invisible, possibly inside a word
    if category == "Nd":
        return str(unicodedata.decimal(char))
    plain = unicodedata.normalize("NFKC", char)
    if plain != char and (category == "No" or _COMPATIBLE.match(char)):
        space = " " if FRACTION_SLASH in plain else ""  # 1½ is not 11 halves
        return space + _UNCOMMON.sub(_replace_match, plain) + space
    return char if category[0] in _KEPT_CATEGORIES else " "
