"""Right-to-left text in terminals that show characters in the order in which they are stored.

>>> to_visual("שלום abc")
'abc םולש'
>>> to_visual("שלום", enabled=False)
'שלום'
"""

from __future__ import annotations

import re
from typing import Final

from bidi import get_display

__all__ = ["EXPLICIT_ORDER", "IMPLICIT_ORDER", "to_visual"]

EXPLICIT_ORDER: Final = "\x1b[8l"
"""Asks a terminal that reorders text (VTE, mintty) to leave that to the program: ECMA-48 BDSM [OFF].

Such a terminal takes a whole row for one paragraph, so that the columns of a full screen would be mixed.
"""

IMPLICIT_ORDER: Final = "\x1b[8h"
"""Undoes ``EXPLICIT_ORDER``."""

_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")


def to_visual(text: str, *, enabled: bool = True) -> str:
    """Return ``text`` as it has to be written from left to right; unchanged without right-to-left letters."""
    if not enabled or not _RIGHT_TO_LEFT.search(text):
        return text
    return str(get_display(text))
