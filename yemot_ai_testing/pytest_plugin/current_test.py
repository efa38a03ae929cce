"""Which test runs, for what is made in its body and not by a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["current_test", "set_current_test"]

_tests: list[pytest.Item] = []


def current_test() -> pytest.Item | None:
    """Return the test that runs in this process; None outside of tests."""
    return _tests[-1] if _tests else None


@contextmanager
def set_current_test(item: pytest.Item) -> Iterator[None]:
    """Let ``item`` be the one; that of an outer run of pytest is it again afterwards."""
    _tests.append(item)
    try:
        yield
    finally:
        _tests.pop()
