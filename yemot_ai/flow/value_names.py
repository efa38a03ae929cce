"""Names of the values that the line sends.

The line sends every value it has collected again, so a name is used once in a call: the first use
of ``menu`` is sent as ``menu``, the next ones as ``menu_2``, ``menu_3``. The names of the agent loop
carry its cursor: ``ai_3`` is what the caller said in turn 3, ``ai_3w2`` the second poll for its
answer; ``ai_x2`` is the second poll during a store outage.

>>> parse_cursor("ai_3w2")
Cursor(turn=3, poll=2)
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Container, Mapping
from typing import NamedTuple, TypeAlias

from yemot_ai.sessions import TRANSCRIPT_SUFFIX, TURN_PREFIX

__all__ = [
    "Cursor",
    "OutagePolls",
    "Pairs",
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

_AGENT_NAME = re.compile(r"ai_([0-9]+)(?:w([0-9]+))?")
_OUTAGE_NAME = re.compile(r"ai_x([0-9]+)")

MAX_DIGITS = 6
"""Digits of a number that a name carries; a longer one is forged, and only ignored."""

MAX_LOST_TURNS = 10_000
"""How many turns a session may be behind the line, because its store has lost it or was restored."""

Pairs: TypeAlias = tuple[tuple[str, str], ...]


class Cursor(NamedTuple):
    """Position of the line in an agent: the turn, and the number of polls for its answer."""

    turn: int
    poll: int


@functools.lru_cache(maxsize=256)
def turn_name(turn: int) -> str:
    """Return the name of the value for what the caller says in ``turn``."""
    return f"{TURN_PREFIX}{turn}"


def transcript_turn_id(turn: int) -> str:
    """Return the ledger's id for the transcription of the recording of ``turn``."""
    return turn_name(turn) + TRANSCRIPT_SUFFIX


def poll_name(turn: int, poll: int) -> str:
    """Return the name of the value of the ``poll``-th poll for the answer of ``turn``."""
    return f"ai_{turn}w{poll}"


@functools.lru_cache(maxsize=1024)
def parse_cursor(name: str) -> Cursor | None:
    """Parse a name of the agent loop; None for other names, and for a number that is too large."""
    match = _AGENT_NAME.fullmatch(name)
    if match is None or max(len(match[1]), len(match[2] or "")) > MAX_DIGITS:
        return None
    return Cursor(int(match[1]), int(match[2] or 0))


def outage_poll_name(number: int) -> str:
    """Return the name of the value of the ``number``-th poll during store outages."""
    return f"ai_x{number}"


class OutagePolls(NamedTuple):
    """Number of polls during store outages.

    Attributes:
        in_a_row: polls at the end of the values, without another value between them.
        newest: the highest number used in this call; each is used once.
    """

    in_a_row: int
    newest: int


def count_outage_polls(values: Pairs) -> OutagePolls:
    """Count the polls during store outages.

    >>> count_outage_polls((("ai_x1", "Ok"), ("ai_4", "שלום"), ("ai_x2", "Ok"), ("ai_x3", "Ok")))
    OutagePolls(in_a_row=2, newest=3)
    """
    polls = [_OUTAGE_NAME.fullmatch(name) for name, _ in values]
    row = sum(1 for _ in itertools.takewhile(bool, reversed(polls)))
    numbers = (int(poll[1]) for poll in polls if poll and len(poll[1]) <= MAX_DIGITS)
    return OutagePolls(row, max(numbers, default=0))


def is_reserved(name: str) -> bool:
    """Return whether ``name`` belongs to the agent loop; handlers do not see such values."""
    if not name.startswith("ai_"):
        return False
    return _AGENT_NAME.fullmatch(name) is not None or _OUTAGE_NAME.fullmatch(name) is not None


def newest_cursor(values: Pairs, first_turn: int, next_turn: int = 1) -> Cursor | None:
    """Return the highest cursor from ``first_turn`` on, or None.

    By number, because the order of parameters is not documented. A number far above those of the call is
    forged, and ignored: the one after it might have too many digits.

    Args:
        values: the values of the request.
        first_turn: lower ones belong to earlier visits.
        next_turn: the smallest number that the session has not used.
    """
    stop = next_turn + MAX_LOST_TURNS
    cursors = [
        cursor for name, _ in values if (cursor := parse_cursor(name)) and first_turn <= cursor.turn < stop
    ]
    return max(cursors, default=None)


def without_polls(values: Pairs) -> Pairs:
    """Return ``values`` without those of polls, which no handler sees."""
    return tuple((name, value) for name, value in values if not _is_poll(name))


def _is_poll(name: str) -> bool:
    agent = _AGENT_NAME.fullmatch(name)
    return bool(agent[2] and agent[2].strip("0")) if agent else _OUTAGE_NAME.fullmatch(name) is not None


def unused_name(name: str, used: Container[str]) -> str:
    """Return the first of ``name``, ``name_2``, ``name_3`` … that the call has not used.

    >>> unused_name("menu", {"menu", "menu_2"})
    'menu_3'
    """
    candidates = itertools.chain((name,), (f"{name}_{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in used)


def visible_values(values: Pairs, names: Mapping[str, str], names_before: Container[str]) -> dict[str, str]:
    """Return the values for a handler: the newest of each name, under the name that the handler gave.

    Args:
        values: all values that the line sent.
        names: the line's names that the call has used so far, oldest first, with the handler's names.
        names_before: names used before this visit; their values belong to earlier visits.

    >>> values = (("menu_2", "3"), ("menu", "1"), ("ai_1", "שלום"))
    >>> visible_values(values, {"menu": "menu", "menu_2": "menu"}, ())
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
