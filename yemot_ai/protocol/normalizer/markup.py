r"""First half of the normalizer: removes markup and unspeakable characters.

Characters are reduced to letters, marks, numbers, ASCII punctuation and a few named symbols; then the
block marks of Markdown are removed. Every pass is linear in the length of the text.

>>> strip_markup("## כותרת\n- **פריט** אחד 😀\n1. ראשון")
'כותרת\n**פריט** אחד\n1, ראשון'
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

__all__ = ["DASH", "MARKS", "NAMED_SYMBOLS", "strip_markup"]

MARKS: Final = "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
"""Niqqud, cantillation and accents: parts of words, the inside of a character class."""
DASH: Final = "—"
"""Replaces every dash that is not a hyphen."""
NAMED_SYMBOLS: Final = "₪€£¥×÷±≈≤≥≠∞√°→"
"""Non-ASCII symbols that are spoken by name."""

_UNCOMMON: Final = re.compile(f"[^\n -~\u05d0-\u05ea{MARKS}{DASH}{NAMED_SYMBOLS}]")
_REPLACEMENTS: Final = {
    **dict.fromkeys("\r\x0b\x0c\x85\u2028\u2029", "\n"),
    **dict.fromkeys("“”„‟«»״", '"'),
    **dict.fromkeys("‘’‚‛‹›׳´", "'"),
    **dict.fromkeys("־‐‑−﹣－", "-"),
    **dict.fromkeys("–―‒", DASH),
    **dict.fromkeys("•‣◦▪●○■□∙·", " • "),
    **dict.fromkeys("…。．׃", ". "),
    **dict.fromkeys("、，،", ", "),
    **dict.fromkeys("？؟", "? "),
    **dict.fromkeys("；؛", "; "),
    "！": "! ",
    "：": ": ",
    "⇒": "→",
    "➡": "→",
    "⃣": "",  # the keycap around a digit
}
_KEPT_CATEGORIES: Final = "LMN"
_VARIATION_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")

_RULE: Final = re.compile(r"[-|:=*_+~ ]*")
_QUOTE: Final = re.compile(r"(?:> ?)+")
_HEADING: Final = re.compile(r"#{1,6} ")
_BULLET: Final = re.compile(r"[-*+•] (?:\[[ xX]\] )?")
_ORDINAL: Final = re.compile(r"(\d{1,9})[.)] ")


def strip_markup(text: str) -> str:
    """Return the text without markup: one line for each paragraph, list item or table row."""
    plain = _UNCOMMON.sub(_replace_match, text.replace("\r\n", "\n"))
    lines = (_strip_line(" ".join(line.split())) for line in plain.split("\n"))
    return "\n".join(line for line in lines if line)


def _replace_match(match: re.Match[str]) -> str:
    return _replace_char(match.group())


@lru_cache(maxsize=4096)
def _replace_char(char: str) -> str:
    if char in _REPLACEMENTS:
        return _REPLACEMENTS[char]
    category = unicodedata.category(char)
    if category == "Cf" or _VARIATION_SELECTORS.match(char):
        return ""  # invisible, possibly inside a word
    return char if category[0] in _KEPT_CATEGORIES else " "


def _strip_line(line: str) -> str:
    if _RULE.fullmatch(line):
        return ""
    for mark in (_QUOTE, _HEADING, _BULLET):
        match = mark.match(line)
        line = line[match.end() :] if match else line
    return _ORDINAL.sub(r"\1, ", line, count=1) if _ORDINAL.match(line) else line
