"""Durations with a unit: ``2s``, ``500ms``, ``1.5s``, ``1m``.

>>> parse_duration("500ms")
0.5
"""

from __future__ import annotations

import re

__all__ = ["parse_duration"]

PATTERN = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s|m)")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def parse_duration(text: str) -> float | None:
    """Return ``text`` in seconds, or None if it is not a duration."""
    match = PATTERN.fullmatch(text)
    return float(match[1]) * UNITS[match[2]] if match else None
