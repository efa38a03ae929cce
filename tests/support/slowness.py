"""How slow this machine is now: bounds of processor time grow with it."""

from __future__ import annotations

import json
import statistics
import time

from tests.support.untraced import untraced

__all__ = ["allowance", "slowness"]

REFERENCE_SECONDS = 0.036
"""Processor time of ``reference_work`` on a machine at rest, for which the bounds were chosen."""


def slowness() -> float:
    """Return the processor time of ``reference_work`` now, as a multiple of a machine at rest's.

    Processes that share a core take longer for the same work, in processor time, too.
    """
    times = []
    with untraced():
        for _ in range(5):
            started_at = time.process_time()
            reference_work()
            times.append(time.process_time() - started_at)
    return statistics.median(times) / REFERENCE_SECONDS


def allowance() -> float:
    """Return by what a bound of time is multiplied now: 1 on a machine at rest, more on a slower one."""
    return max(1.0, slowness())


def reference_work() -> None:
    """Create, write and read 20,000 small objects."""
    for number in range(200):
        exchanges = [{"turn": turn, "said": f"{number} {turn}", "at": turn / 7} for turn in range(100)]
        assert json.loads(json.dumps(exchanges)) == exchanges
