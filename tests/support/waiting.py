"""Wait for a condition that no event announces."""

from __future__ import annotations

from collections.abc import Callable

from yemot_ai_testing.processes.waiting import wait_until

__all__ = ["until"]


def until(condition: Callable[[], object], *, within: float = 10.0) -> None:
    """Block until ``condition()`` is true; fail after ``within`` seconds."""
    assert wait_until(condition, within, interval=0.005), "the condition is still false"
