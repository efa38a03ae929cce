"""All rows, and the cached result of each."""

from __future__ import annotations

from functools import cache

from tests.yemot_flow import difference, rows_of_calls, rows_of_handlers, rows_of_messages, rows_of_reads
from tests.yemot_flow.difference import Difference, make_ai_flow, make_plain_flow

__all__ = ["ROWS", "ai_flow_result", "plain_result"]

MODULES = (rows_of_reads, rows_of_messages, rows_of_handlers, rows_of_calls)
"""They register their rows."""

ROWS = sorted(difference.ROWS, key=lambda row: row.number)


@cache
def plain_result(row: Difference) -> str:
    """Run the handler on yemot-flow's ``Flow``."""
    return row.show(make_plain_flow)


@cache
def ai_flow_result(row: Difference) -> str:
    """Run the same handler on ``AIFlow``."""
    return row.show(make_ai_flow)
