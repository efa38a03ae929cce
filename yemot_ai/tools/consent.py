"""Whether a caller agrees to a question of a tool with ``confirm``.

>>> is_consent("כן, בבקשה"), is_consent("1"), is_consent("לא"), is_consent("כן אבל לא היום")
(True, True, False, False)
"""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["is_consent"]

_YES: Final = frozenset({
    "1", "אחת", "כן", "מאשר", "מאשרת", "אישור", "מאושר", "בטח", "בוודאי", "ודאי", "כמובן", "בהחלט", "נכון",
    "מסכים", "מסכימה", "אוקיי", "אוקי", "בסדר", "סבבה", "yes", "yeah", "yep", "ok",
    "okay", "sure", "confirm", "confirmed",
})  # fmt: skip

_POLITE: Final = frozenset({
    "אני", "תודה", "בבקשה", "רבה", "גמור", "חד", "משמעית", "please", "thanks", "thank", "you",
})  # fmt: skip
"""Words that may stand beside a yes without changing it."""


def is_consent(utterance: str) -> bool:
    """Return whether an utterance is nothing but a yes, or the key 1.

    A sentence that says more ("כן, אבל…") is no consent: the model gets it and asks again.
    """
    kinds = [(char, unicodedata.category(char)[0]) for char in utterance.lower()]
    spoken = "".join(char if kind in "LN" else " " for char, kind in kinds if kind != "M")  # M: niqqud
    words = spoken.split()
    return any(word in _YES for word in words) and all(word in _YES | _POLITE for word in words)
