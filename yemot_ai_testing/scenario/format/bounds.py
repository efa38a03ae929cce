"""How much a YAML text may mean: what is read of it costs no more than its length gives reason to expect.

libyaml builds its tree by recursion in C, where no ``RecursionError`` ends it but the process; and aliases
that name lists of aliases make of a kilobyte more parts than a machine can hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import yaml

__all__ = ["MAX_DEPTH", "find_excess"]

MAX_DEPTH: Final = 100
"""Levels of lists and mappings; a call has some ten."""

FREE_ALIAS_PARTS: Final = 10_000
MAX_ALIAS_FACTOR: Final = 10
"""Aliases may make ten times as many parts of a text as it has, and ten thousand besides."""


def find_excess(events: Iterable[yaml.Event]) -> tuple[int, int, str] | None:
    """Return the line and column where a text is too much, counted from 1, and why; None if it is not.

    No event is read beyond that place.
    """
    total = 0
    sizes: dict[str | None, int] = {}
    around: list[tuple[str | None, int]] = []
    for parts, event in enumerate(events, start=1):
        if isinstance(event, yaml.CollectionStartEvent):
            around.append((event.anchor, total))
            total += 1
            if len(around) > MAX_DEPTH:
                return _at_start_of(
                    event, f"this is nested more deeply than any call: {MAX_DEPTH} levels are allowed"
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = around.pop()
            sizes[anchor] = total - before
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            sizes[event.anchor] = 1
        elif isinstance(event, yaml.AliasEvent):
            total += sizes.get(event.anchor, 1)
            if total > MAX_ALIAS_FACTOR * parts + FREE_ALIAS_PARTS:
                return _at_start_of(
                    event, f"aliases make {total:,} parts of this file: write fewer calls, or files"
                )
    return None


def _at_start_of(event: yaml.Event, message: str) -> tuple[int, int, str]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1, message) if mark else (1, 1, message)
