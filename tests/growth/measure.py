"""Measure work in function calls and bytes, which do not depend on the load of the machine."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

__all__ = ["count_calls", "peak_memory"]


def count_calls(job: Callable[[], object]) -> int:
    """Return the number of function calls of ``job``, including functions in C."""
    count = 0

    def count_call(_frame: Any, event: str, _argument: Any) -> None:  # noqa: ANN401 - the interpreter's objects
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        job()
    finally:
        sys.setprofile(before)
    return count


def peak_memory(job: Callable[[], object]) -> int:
    """Return the peak memory of ``job`` in bytes."""
    tracemalloc.start()
    try:
        job()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
