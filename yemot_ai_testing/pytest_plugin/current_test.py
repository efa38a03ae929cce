"""Which test runs, for what is made in its body and not by a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["running", "runs"]

_running: list[pytest.Item] = []


def running() -> pytest.Item | None:
    """Return the test that runs in this process; None outside of tests."""
    return _running[-1] if _running else None


@contextmanager
def runs(item: pytest.Item) -> Iterator[None]:
    """Let ``item`` be the one; that of an outer run of pytest is it again afterwards."""
    _running.append(item)
    try:
        yield
    finally:
        _running.pop()
