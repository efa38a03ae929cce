"""The table of a trial: planted faults × the checks that caught them × the executables they showed with.

Rows travel as properties of the tests' reports, so that they arrive from the workers of pytest-xdist too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

__all__ = ["Row", "lines"]

_PROPERTY: Final = "planted_fault"


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One fault, tried once.

    Attributes:
        trial: the title of its table.
        fault: what was planted.
        check: what has to catch it.
        executable: with which executable; the heading of a column.
        said: what stands in the column; empty for whether the fault was caught.
    """

    trial: str
    fault: str
    check: str
    executable: str
    said: str = ""

    def note(self, request: pytest.FixtureRequest) -> None:
        """Let the report of the running test carry this row."""
        values = (self.trial, self.fault, self.check, self.executable, self.said)
        request.node.user_properties.append((_PROPERTY, values))


def lines(reports: Iterable[Any]) -> Iterator[str]:
    """The tables, as lines of text.

    Args:
        reports: those of pytest; what is no report of a test that carried a row is passed over.
    """
    for trial, rows in groupby(sorted(_rows(reports)), key=lambda row: row.trial):
        yield from _table(trial, list(rows))


def _rows(reports: Iterable[Any]) -> Iterator[Row]:
    for report in reports:
        for name, values in getattr(report, "user_properties", ()):
            if name == _PROPERTY and report.when == "call":
                trial, fault, check, executable, said = values
                outcome = "caught" if report.outcome == "passed" else "ESCAPED"
                yield Row(trial, fault, check, executable, said or outcome)


def _table(trial: str, rows: list[Row]) -> Iterator[str]:
    columns = sorted({row.executable for row in rows})
    faults = [list(same) for _, same in groupby(rows, key=lambda row: (row.fault, row.check))]
    yield f"{trial}: {len(faults)}"
    yield from _aligned(
        [["planted fault", "caught by", *columns], *(_line(same, columns) for same in faults)]
    )


def _line(rows: list[Row], columns: list[str]) -> list[str]:
    said = {row.executable: row.said for row in rows}
    return [rows[0].fault, rows[0].check, *(said.get(column, "-") for column in columns)]


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
