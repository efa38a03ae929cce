"""The names under which the line sends values back to us.

The line re-sends every value it has collected, so a name is used once in a call: the first use
of ``menu`` goes out as ``menu``, the next ones as ``menu_2``, ``menu_3``. The agent loop's own
names say where the conversation stands: ``ai_3`` is what the caller said in turn 3, ``ai_3w2``
the second poll for its answer.

>>> cursor_of("ai_3w2")
Cursor(turn=3, poll=2)
>>> numbered("menu", 2)
'menu_2'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = [
    "Cursor",
    "cursor_of",
    "newest_cursor",
    "numbered",
    "poll_name",
    "turn_name",
    "visible",
    "without_polls",
]

_RESERVED = re.compile(r"ai_([0-9]{1,6})(?:w([0-9]{1,4}))?")
_NUMBERED = re.compile(r"(.+)_([0-9]{1,4})")

Pairs = tuple[tuple[str, str], ...]


class Cursor(NamedTuple):
    """Where the line stands: which turn, and how often it has polled for the answer."""

    turn: int
    poll: int


def turn_name(turn: int) -> str:
    """Name the value that holds what the caller says in ``turn``."""
    return f"ai_{turn}"


def poll_name(turn: int, poll: int) -> str:
    """Name the value of the ``poll``-th poll for the answer of ``turn``."""
    return f"ai_{turn}w{poll}"


def cursor_of(name: str) -> Cursor | None:
    """Read one of our own names; None for everybody else's."""
    match = _RESERVED.fullmatch(name)
    return Cursor(int(match[1]), int(match[2] or 0)) if match else None


def newest_cursor(values: Pairs, first_turn: int) -> Cursor | None:
    """Find the greatest cursor that is not older than ``first_turn``.

    By number, not by order: nothing is documented about the order of parameters.
    """
    cursors = [cursor for name, _ in values if (cursor := cursor_of(name)) and cursor.turn >= first_turn]
    return max(cursors, default=None)


def without_polls(values: Pairs) -> Pairs:
    """Drop the values of polls: they say nothing that a handler could have been told."""
    return tuple((name, value) for name, value in values if not ((c := cursor_of(name)) and c.poll))


def numbered(name: str, use: int) -> str:
    """Name the ``use``-th use of ``name`` in a call."""
    return name if use == 1 else f"{name}_{use}"


def visible(values: Pairs, used: Mapping[str, int], used_before: Mapping[str, int]) -> dict[str, str]:
    """Return what a handler may see: the newest value of each name, under the name it was asked for.

    Args:
        values: all that the line sent.
        used: how often each name was used in the call so far.
        used_before: the same before this visit; those values are another visit's.

    >>> visible((("menu", "1"), ("menu_2", "3"), ("ai_1", "שלום")), {"menu": 2}, {})
    {'menu': '3'}
    """
    newest: dict[str, tuple[int, str]] = {}
    for name, value in values:
        if cursor_of(name):
            continue
        base, use = _base(name, used)
        if use > used_before.get(base, 0) and use >= newest.get(base, (0, ""))[0]:
            newest[base] = (use, value)
    return {name: value for name, (_, value) in newest.items()}


def _base(name: str, used: Mapping[str, int]) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2])) if match and match[1] in used else (name, 1)


def uses_in(names: Iterable[str]) -> dict[str, int]:
    """Count how often each name occurs."""
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return counted
