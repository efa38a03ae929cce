"""Sentences in which nothing needs to be converted, and what fits into one message."""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.protocol.messages import MAX_CHARACTERS, MAX_WORD_CHARACTERS, MAX_WORDS

__all__ = ["PLAIN", "fits"]

_WORD: Final = f"[א-ת]{{1,{MAX_WORD_CHARACTERS}}}+"
PLAIN: Final = re.compile(rf"({_WORD}(?:,? {_WORD})*+[?!]?)\.?")
"""One sentence of Hebrew words: nothing in it needs to be converted, as a test compares."""


def fits(part: str) -> bool:
    """Return whether a text is short enough for one message."""
    return len(part) <= MAX_CHARACTERS and part.count(" ") < MAX_WORDS
