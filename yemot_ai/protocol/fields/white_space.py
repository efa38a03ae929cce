"""White space and invisible marks at the edges of a text, which editors and templates leave behind.

>>> strip_blanks(" /1 ")
('/1', 1)
>>> blank_edge("/1 /2").start(), blank_edge("my folder")
(2, None)
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["BLANK", "blank_edge", "is_blank", "strip_blanks"]

_MARK: Final = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
BLANK: Final = f"\\s{_MARK}"
"""White space and invisible marks, the inside of a character class."""

_START: Final = re.compile(f"[{BLANK}]*")
_END: Final = re.compile(f"(?<![{BLANK}])[{BLANK}]++\\Z")

is_blank: Final = re.compile(f"[{BLANK}]*").fullmatch
"""Matches a text that has nothing but blanks."""
blank_edge: Final = re.compile(f"(?<![^/])[{BLANK}]+|(?<![{BLANK}])[{BLANK}]++(?=/|\\Z)|[{_MARK}]").search
"""Finds the first blank at an edge of a text or of a name in a path, or the first invisible mark."""


def strip_blanks(text: str) -> tuple[str, int]:
    """Return ``text`` without blank edges, and the index at which it starts."""
    start = len(_START.match(text)[0])  # type: ignore[index]  # it matches any text
    return _END.sub("", text[start:]), start
