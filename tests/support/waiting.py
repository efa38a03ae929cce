"""Wait for a condition that no event announces."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["until"]


def until(condition: Callable[[], object], *, within: float = 10.0) -> None:
    """Block until ``condition()`` is true; fail after ``within`` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "the condition is still false"
        time.sleep(0.005)
