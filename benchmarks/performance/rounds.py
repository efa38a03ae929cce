"""Times of two actions in turn, and their ratio, which the load of the machine hardly changes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Action = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """One comparison.

    Attributes:
        name: names it in the file of results.
        what: what was measured.
        baseline: what it was compared with.
        seconds: the median time of one operation.
        baseline_seconds: the median time of one operation of the baseline.
        ratio: the median of the quotients of neighbouring rounds.
    """

    name: str
    what: str
    baseline: str
    seconds: float
    baseline_seconds: float
    ratio: float


def seconds(action: Action) -> float:
    """Return how long ``action`` takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def in_turn(
    action: Action, baseline: Action, *, rounds: int, operations: int = 1
) -> tuple[float, float, float]:
    """Run both in turn.

    Args:
        action: does ``operations`` operations.
        baseline: does as many of the other kind.
        rounds: how often each runs; the first round is not counted.
        operations: of one run.

    Returns:
        The median seconds of one operation of each, and the median of the ratios.
    """
    pairs = [(seconds(action), seconds(baseline)) for _ in range(rounds + 1)][1:]
    ratio = statistics.median(one / other for one, other in pairs)
    one, other = (statistics.median(column) / operations for column in zip(*pairs, strict=True))
    return one, other, ratio
