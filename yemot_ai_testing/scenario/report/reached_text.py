"""What the calls of a run reached, as text: one line, or a table, for each application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from yemot_ai_testing.scenario.report.reached import ReachedExtension, ReachedTarget

__all__ = ["reached_line", "reached_table"]

MAX_NAMED: Final = 5
"""So many names of what was not reached are in the line; the table has all."""

HEADINGS: Final = ("extension", "", "calls", "keys", "leads to")


def reached_line(target: ReachedTarget) -> str:
    """Return how much of an application was reached, and the names of what was not."""
    (extensions, all_extensions), (keys, all_keys) = target.extension_counts, target.key_counts
    if target.is_declared:
        counts = [f"{extensions} of {_pluralize(all_extensions, 'extension')}"]
    else:
        counts = [_pluralize(extensions, "extension")]
    if all_keys:
        counts.append(f"{keys} of {_pluralize(all_keys, 'key')}")
    missing = target.missing
    named = ", ".join(missing[:MAX_NAMED])
    more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
    not_reached = f"; not reached: {named}{more}" if missing else ""
    return f"reached in {target.called}: {', '.join(counts)}{not_reached}"


def reached_table(target: ReachedTarget) -> Iterator[str]:
    """Yield the lines of a table of the extensions of an application."""
    rows = [HEADINGS, *map(_cells, target.extensions)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    yield f"{reached_line(target)} ({target.percent:.0f} %)"
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield f"  {'  '.join(cells)}".rstrip()


def _cells(one: ReachedExtension) -> tuple[str, ...]:
    pressed = [key for key, is_pressed in one.pressed.items() if is_pressed]
    keys = " ".join(pressed)
    if one.missing:
        keys = f"{keys}{', ' if keys else ''}not {' '.join(one.missing)}"
    calls = str(one.calls) if one.calls else "none"
    return (one.path, one.declared_as, calls, keys, ", ".join(one.exits))


def _pluralize(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
