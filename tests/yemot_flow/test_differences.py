"""Each difference between yemot-flow and the line: the plain ``Flow`` shows it, ``AIFlow`` does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.yemot_flow.difference import Difference, ours, plain
from tests.yemot_flow.rows import ROWS, shown_by_ours, shown_by_plain
from tests.yemot_flow.table import SECTION, differences


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS])
def test_the_plain_flow_shows_the_fault_and_ai_flow_does_not(row: Difference) -> None:
    by_plain, by_ours = shown_by_plain(row), shown_by_ours(row)

    assert row.has_fault(by_plain), row.out_of_date(by_plain)
    assert row.is_mended(by_ours), f"AIFlow does not mend row {row.number} ({row.title}):\n  {by_ours}"


def test_every_row_is_there_once() -> None:
    assert [row.number for row in ROWS] == list(range(1, 29))


def test_a_row_that_yemot_flow_has_mended_is_told_apart() -> None:
    mended = replace(ROWS[0], show=lambda make: ROWS[0].show(ours))
    shown = mended.show(plain)

    assert not mended.has_fault(shown)
    assert "row 1 (read renders only the first message) is out of date: yemot-flow 0." in mended.out_of_date(
        shown
    )


def test_the_table_in_the_documentation_is_what_was_measured() -> None:
    assert SECTION.read() == differences(), f"docs/{SECTION.page} is out of date; run: {SECTION.command}"
