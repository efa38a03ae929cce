"""Whether a figure grows: the slope of a line through it, and its error.

>>> flat = Trend.of([(float(at), 100.0 + at % 3) for at in range(120)])
>>> flat.grows()
False
>>> Trend.of([(float(at), 100.0 + at % 3 + at / 10) for at in range(120)]).grows()
True
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

BLOCKS = 12
"""Samples that are near each other resemble each other, so the error of the slope is taken from the means of
blocks: from the samples it would be too small."""

SIGMAS = 3.0
"""A change of fewer standard errors is noise."""


@dataclass(frozen=True)
class Trend:
    """A line through samples.

    Attributes:
        mean: the mean of the samples.
        change: the slope times the duration.
        error: the standard error of ``change``.
        noise: the standard deviation of a sample from the line.
    """

    mean: float
    change: float
    error: float
    noise: float

    @classmethod
    def of(cls, samples: Sequence[tuple[float, float]]) -> Self:
        """Return the trend of (seconds, value) pairs, of which there are at least ``2 * BLOCKS``."""
        size = len(samples) // BLOCKS
        kept = samples[len(samples) - size * BLOCKS :]
        blocks = [kept[start : start + size] for start in range(0, len(kept), size)]
        times, values = (
            [statistics.fmean(sample[column] for sample in block) for block in blocks] for column in (0, 1)
        )
        slope, start = statistics.linear_regression(times, values)
        off = sum((value - start - slope * at) ** 2 for at, value in zip(times, values, strict=True))
        spread = sum((at - statistics.fmean(times)) ** 2 for at in times)
        duration = kept[-1][0] - kept[0][0]
        return cls(
            mean=statistics.fmean(values),
            change=slope * duration,
            error=math.sqrt(off / (BLOCKS - 2) / spread) * duration,
            noise=statistics.pstdev(value - start - slope * at for at, value in kept),
        )

    def grows(self, tolerance: float = 0.0) -> bool:
        """Return whether the growth is more than the error of the slope explains, and than samples vary.

        Args:
            tolerance: growth that is allowed, as a share of the mean: caches fill during a short run.
        """
        return self.change > max(SIGMAS * self.error, self.noise, (tolerance or 1e-6) * abs(self.mean))
