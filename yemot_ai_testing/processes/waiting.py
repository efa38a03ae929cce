"""Wait until a condition holds that nothing notifies of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["wait_until"]

T = TypeVar("T")


def wait_until(condition: Callable[[], T], timeout: float, *, interval: float = 0.02) -> T:
    """Call ``condition`` until its result is true; return its last result.

    Args:
        condition: what to wait for; it is called at least once.
        timeout: seconds after which a false result is returned.
        interval: seconds between two calls.

    >>> wait_until(lambda: "ready", timeout=0)
    'ready'
    """
    deadline = time.monotonic() + timeout
    while not (result := condition()) and time.monotonic() < deadline:
        time.sleep(interval)
    return result
