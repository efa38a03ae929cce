"""The running test, for objects that are created in its body and not by a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["current_test", "set_current_test"]

_tests: list[pytest.Item] = []


def current_test() -> pytest.Item | None:
    """Return the test that is running in this process; None outside of tests."""
    return _tests[-1] if _tests else None


@contextmanager
def set_current_test(item: pytest.Item) -> Iterator[None]:
    """Make ``item`` the current test in this context; afterwards that of an outer pytest run is it again."""
    _tests.append(item)
    try:
        yield
    finally:
        _tests.pop()
