"""Differences between yemot-flow and the line: ``Flow`` shows each of them, ``AIFlow`` none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.yemot_flow.difference import Difference, make_ai_flow, make_plain_flow
from tests.yemot_flow.rows import ROWS, ai_flow_result, plain_result
from tests.yemot_flow.table import SECTION, differences


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS])
def test_the_plain_flow_shows_the_fault_and_ai_flow_does_not(row: Difference) -> None:
    plain, ai_flow = plain_result(row), ai_flow_result(row)

    assert row.has_fault(plain), row.out_of_date(plain)
    assert row.is_fixed(ai_flow), f"AIFlow does not fix row {row.number} ({row.title}):\n  {ai_flow}"


def test_the_rows_are_complete() -> None:
    assert [row.number for row in ROWS] == list(range(1, 29))


def test_a_row_that_yemot_flow_has_fixed_is_reported() -> None:
    fixed = replace(ROWS[0], show=lambda make: ROWS[0].show(make_ai_flow))
    shown = fixed.show(make_plain_flow)

    assert not fixed.has_fault(shown)
    assert "row 1 (read renders only the first message) is out of date: yemot-flow 0." in fixed.out_of_date(
        shown
    )


def test_the_table_in_the_documentation_is_up_to_date() -> None:
    assert SECTION.read() == differences(), f"docs/{SECTION.page} is out of date; run: {SECTION.command}"
