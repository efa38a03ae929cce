"""Measurements of tests, printed at the end of the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

__all__ = ["attach_figure", "figure_lines"]

_PROPERTY: Final = "figure"


def attach_figure(request: pytest.FixtureRequest, text: str) -> None:
    """Add a line to the report of the running test; it also arrives from the workers of pytest-xdist."""
    request.node.user_properties.append((_PROPERTY, text))


def figure_lines(reports: Iterable[Any]) -> Iterator[str]:
    """Yield the lines of the tests, in the order of their names."""
    called = [report for report in reports if getattr(report, "when", "") == "call"]
    for report in sorted(called, key=lambda report: str(report.nodeid)):
        yield from (text for name, text in report.user_properties if name == _PROPERTY)
