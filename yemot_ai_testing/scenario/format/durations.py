"""Lengths of time as a person writes them: ``2s``, ``500ms``, ``1.5s``, ``1m``.

>>> parse_duration("500ms")
0.5
"""

from __future__ import annotations

import re

__all__ = ["parse_duration"]

PATTERN = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s|m)")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def parse_duration(text: str) -> float | None:
    """Return the seconds that ``text`` means, or None."""
    found = PATTERN.fullmatch(text)
    return float(found[1]) * UNITS[found[2]] if found else None
