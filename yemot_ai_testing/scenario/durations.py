"""Lengths of time as a person writes them: ``2s``, ``500ms``, ``1.5s``, ``1m``.

>>> in_seconds("500ms")
0.5
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from yemot_ai_testing.scenario.nodes import MISSING, Mistakes, described

__all__ = ["duration", "in_seconds", "within"]

PATTERN = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s|m)")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def in_seconds(text: str) -> float | None:
    """Return the seconds that ``text`` means, or None."""
    found = PATTERN.fullmatch(text)
    return float(found[1]) * UNITS[found[2]] if found else None


def duration(mistakes: Mistakes, node: yaml.Node, *, of: str) -> Any:  # noqa: ANN401 - a float or MISSING
    """Read a duration; the result is in seconds."""
    seconds = in_seconds(node.value) if isinstance(node, yaml.ScalarNode) else None
    if seconds is None:
        mistakes.add(node, f"{of} must be a time with its unit, such as 2s or 500ms, not {described(node)}")
        return MISSING
    return seconds


def within(mistakes: Mistakes, node: yaml.Node) -> Any:  # noqa: ANN401 - two floats or MISSING
    """Read ``4s`` (fail) or ``[2s, 4s]`` (warn, fail)."""
    if isinstance(node, yaml.ScalarNode):
        limit = duration(mistakes, node, of="within")
        return MISSING if limit is MISSING else (limit, limit)
    items = node.value if isinstance(node, yaml.SequenceNode) else []
    limits = [duration(mistakes, item, of="within") for item in items]
    if MISSING in limits:
        return MISSING
    if len(limits) != 2 or limits[0] > limits[1]:  # noqa: PLR2004 - warn and fail
        mistakes.add(node, "within is a time, or [warn, fail] with warn not above fail, such as [2s, 4s]")
        return MISSING
    return tuple(limits)
