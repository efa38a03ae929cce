"""The names under which the line sends values back to us.

The line re-sends every value it has collected, so a name is used once in a call: the first use
of ``menu`` goes out as ``menu``, the next ones as ``menu_2``, ``menu_3``. The agent loop's own
names say where the conversation stands: ``ai_3`` is what the caller said in turn 3, ``ai_3w2``
the second poll for its answer; ``ai_x2`` is the second time the line asked while the store was away.

>>> cursor_of("ai_3w2")
Cursor(turn=3, poll=2)
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Container, Mapping
from typing import NamedTuple

from yemot_ai.sessions import TRANSCRIPT_SUFFIX

__all__ = [
    "Cursor",
    "OutagePolls",
    "count_outage_polls",
    "is_reserved",
    "newest_cursor",
    "outage_poll_name",
    "parse_cursor",
    "poll_name",
    "transcript_turn_id",
    "turn_name",
    "unused_name",
    "visible_values",
    "without_polls",
]

_AGENT_NAME = re.compile(r"ai_([0-9]{1,6})(?:w([0-9]{1,4}))?")
_OUTAGE_NAME = re.compile(r"ai_x([0-9]{1,4})")

Pairs = tuple[tuple[str, str], ...]


class Cursor(NamedTuple):
    """Where the line stands: which turn, and how often it has polled for the answer."""

    turn: int
    poll: int


@functools.lru_cache(maxsize=256)
def turn_name(turn: int) -> str:
    """Name the value that holds what the caller says in ``turn``."""
    return f"ai_{turn}"


def transcript_turn_id(turn: int) -> str:
    """Name the turn of the ledger that finds out what the caller has recorded in ``turn``."""
    return turn_name(turn) + TRANSCRIPT_SUFFIX


def poll_name(turn: int, poll: int) -> str:
    """Name the value of the ``poll``-th poll for the answer of ``turn``."""
    return f"ai_{turn}w{poll}"


def parse_cursor(name: str) -> Cursor | None:
    """Read one of our own names; None for everybody else's."""
    match = _AGENT_NAME.fullmatch(name)
    return Cursor(int(match[1]), int(match[2] or 0)) if match else None


def outage_poll_name(number: int) -> str:
    """Name the value of the ``number``-th time that the line asks while the store is away."""
    return f"ai_x{number}"


class OutagePolls(NamedTuple):
    """How often the line has asked while the store was away.

    Attributes:
        in_a_row: in the newest such row; it ends where anything else is asked.
        newest: the greatest number used in this call; none is used twice.
    """

    in_a_row: int
    newest: int


def count_outage_polls(values: Pairs) -> OutagePolls:
    """Count the times that the line asked while the store was away.

    >>> troubles((("ai_x1", "Ok"), ("ai_4", "שלום"), ("ai_x2", "Ok"), ("ai_x3", "Ok")))
    Troubles(in_a_row=2, newest=3)
    """
    numbers = [match and int(match[1]) for match in (_OUTAGE_NAME.fullmatch(name) for name, _ in values)]
    row = sum(1 for _ in itertools.takewhile(bool, reversed(numbers)))
    return OutagePolls(row, max((number for number in numbers if number), default=0))


def is_reserved(name: str) -> bool:
    """Tell whether ``name`` is one of our own; no handler sees those."""
    return parse_cursor(name) is not None or _OUTAGE_NAME.fullmatch(name) is not None


def newest_cursor(values: Pairs, first_turn: int) -> Cursor | None:
    """Find the greatest cursor that is not older than ``first_turn``.

    By number, not by order: nothing is documented about the order of parameters.
    """
    cursors = [cursor for name, _ in values if (cursor := parse_cursor(name)) and cursor.turn >= first_turn]
    return max(cursors, default=None)


def without_polls(values: Pairs) -> Pairs:
    """Drop the values of polls: they say nothing that a handler could have been told."""
    return tuple((name, value) for name, value in values if not _is_poll(name))


def _is_poll(name: str) -> bool:
    cursor = parse_cursor(name)
    return cursor.poll > 0 if cursor else _OUTAGE_NAME.fullmatch(name) is not None


def unused_name(name: str, used: Container[str]) -> str:
    """Return ``name``, or ``name_2``, ``name_3`` …: the first one that the call has not used.

    >>> unused("menu", {"menu", "menu_2"})
    'menu_3'
    """
    candidates = itertools.chain((name,), (f"{name}_{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in used)


def visible_values(values: Pairs, names: Mapping[str, str], names_before: Container[str]) -> dict[str, str]:
    """Return what a handler may see: the newest value of each name, under the name it was asked for.

    Args:
        values: all that the line sent.
        names: the line's names that the call has used so far, oldest first, with the names they were
            asked for by.
        names_before: those used before this visit; their values are another visit's.

    >>> visible((("menu_2", "3"), ("menu", "1"), ("ai_1", "שלום")), {"menu": "menu", "menu_2": "menu"}, ())
    {'menu': '3'}
    """
    ages = {name: age for age, name in enumerate(names)}
    newest: dict[str, tuple[int, str]] = {}
    for name, value in values:
        if is_reserved(name) or name in names_before:
            continue
        base, age = names.get(name, name), ages.get(name, -1)
        if age >= newest.get(base, (-1, ""))[0]:
            newest[base] = (age, value)
    return {name: value for name, (_, value) in newest.items()}
