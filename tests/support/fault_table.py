"""A table of planted faults, the checks that caught them, and the executables.

Rows are properties of the tests' reports, so that they also arrive from the workers of pytest-xdist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

__all__ = ["Row", "table_lines"]

_PROPERTY: Final = "planted_fault"


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """The result of one fault with one executable.

    Attributes:
        title: the title of the table.
        fault: the name of the fault.
        check: the check that has to catch it.
        executable: the executable; the heading of a column.
        result: the text in the column; empty for whether the fault was caught.
    """

    title: str
    fault: str
    check: str
    executable: str
    result: str = ""

    def attach_to(self, request: pytest.FixtureRequest) -> None:
        """Add this row to the report of the running test."""
        values = (self.title, self.fault, self.check, self.executable, self.result)
        request.node.user_properties.append((_PROPERTY, values))


def table_lines(reports: Iterable[Any]) -> Iterator[str]:
    """Yield the tables, as lines of text.

    Args:
        reports: pytest's reports; those without a row are ignored.
    """
    for title, rows in groupby(sorted(_rows(reports)), key=lambda row: row.title):
        yield from _table(title, list(rows))


def _rows(reports: Iterable[Any]) -> Iterator[Row]:
    for report in reports:
        for name, values in getattr(report, "user_properties", ()):
            if name == _PROPERTY and report.when == "call":
                title, fault, check, executable, result = values
                outcome = "caught" if report.outcome == "passed" else "ESCAPED"
                yield Row(title, fault, check, executable, result or outcome)


def _table(title: str, rows: list[Row]) -> Iterator[str]:
    columns = sorted({row.executable for row in rows})
    faults = [list(same) for _, same in groupby(rows, key=lambda row: (row.fault, row.check))]
    yield f"{title}: {len(faults)}"
    yield from _aligned(
        [["planted fault", "caught by", *columns], *(_line(same, columns) for same in faults)]
    )


def _line(rows: list[Row], columns: list[str]) -> list[str]:
    result = {row.executable: row.result for row in rows}
    return [rows[0].fault, rows[0].check, *(result.get(column, "-") for column in columns)]


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
