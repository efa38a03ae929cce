"""Measure work in function calls and bytes, which do not depend on the load of the machine."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

__all__ = ["BOUND", "TIME_BOUND", "Job", "assert_linear", "count_calls"]

Job = Callable[[], object]

BOUND = 15
"""The largest ratio of work for ten times the input; quadratic work has a ratio of 100."""

FREE_CALLS, FREE_BYTES = 1_000, 1_000_000
"""Allowed in addition: short texts use objects that Python keeps anyway, such as small integers."""

TIME_BOUND = 40
"""The same for time, which is noisy on a busy machine; quadratic work has a ratio of 100 or more."""


def assert_linear(small: Job, large: Job) -> None:
    """Check the work and the memory of a job with ten times the input."""
    small()  # fills the caches
    assert count_calls(large) <= BOUND * count_calls(small) + FREE_CALLS
    assert peak_memory(large) <= BOUND * peak_memory(small) + FREE_BYTES


def count_calls(job: Job) -> int:
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


def peak_memory(job: Job) -> int:
    """Return the peak memory of ``job`` in bytes."""
    tracemalloc.start()
    try:
        job()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
