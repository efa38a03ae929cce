"""Figures that a test measured, for the end of the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

__all__ = ["lines", "note"]

_PROPERTY: Final = "figure"


def note(request: pytest.FixtureRequest, text: str) -> None:
    """Let the report of the running test carry a line; it arrives from the workers of pytest-xdist too."""
    request.node.user_properties.append((_PROPERTY, text))


def lines(reports: Iterable[Any]) -> Iterator[str]:
    """What the tests noted, in order of their names."""
    called = [report for report in reports if getattr(report, "when", "") == "call"]
    for report in sorted(called, key=lambda report: str(report.nodeid)):
        yield from (text for name, text in report.user_properties if name == _PROPERTY)
