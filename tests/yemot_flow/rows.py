"""All rows, and what came of each: run once, however many ask."""

from __future__ import annotations

from functools import cache

from tests.yemot_flow import rows_of_calls, rows_of_handlers, rows_of_messages, rows_of_reads
from tests.yemot_flow.difference import Difference, ours, plain

__all__ = ["ROWS", "shown_by_ours", "shown_by_plain"]

ROWS = sorted(
    (*rows_of_reads.ROWS, *rows_of_messages.ROWS, *rows_of_handlers.ROWS, *rows_of_calls.ROWS),
    key=lambda row: row.number,
)


@cache
def shown_by_plain(row: Difference) -> str:
    """Run the handler on yemot-flow's ``Flow``."""
    return row.show(plain)


@cache
def shown_by_ours(row: Difference) -> str:
    """Run the same handler on ``AIFlow``."""
    return row.show(ours)
