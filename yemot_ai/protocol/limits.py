"""How much a message may hold."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_CHARACTERS", "MAX_WORDS", "MAX_WORD_CHARACTERS"]

MAX_WORDS: Final = 150
"""About how many words a message may have [OFF]."""
MAX_WORD_CHARACTERS: Final = 300
"""About how long a word may be [OFF]."""
MAX_CHARACTERS: Final = 900
"""Where projects cut a message [LIVE]."""
