"""How much work something is, counted instead of timed: the same on any machine, however busy."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

__all__ = ["calls", "memory"]


def calls(job: Callable[[], object]) -> int:
    """Return how many functions ``job`` calls, those of the standard library in C among them."""
    count = 0

    def told(_frame: Any, event: str, _argument: Any) -> None:  # noqa: ANN401 - the interpreter's own
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(told)
    try:
        job()
    finally:
        sys.setprofile(before)
    return count


def memory(job: Callable[[], object]) -> int:
    """Return the greatest number of bytes that ``job`` holds at a time."""
    tracemalloc.start()
    try:
        job()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
