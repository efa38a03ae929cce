"""When a lease ends, by a clock that cannot be set.

The clock is ``time.monotonic``: it is the same for all processes of a machine, and unlike Unix time it does
not jump when the clock is set. It begins again when the machine is started; the length of a lease, stored
beside its end, tells a lease from before apart: it would end later than its length from now.
"""

from __future__ import annotations

import math
import time
from typing import Final, NamedTuple

__all__ = ["MAX_ROUNDING", "NO_LEASE", "LeaseTimes"]

MAX_ROUNDING: Final = 1.0
"""Seconds: more than a sum and a difference of two times are rounded by."""


class LeaseTimes(NamedTuple):
    """The times of a lease.

    Attributes:
        ends: when it ends, on the monotonic clock of the machine, in seconds.
        length: the seconds for which it was taken.
    """

    ends: float
    length: float

    @classmethod
    def from_now(cls, seconds: float) -> LeaseTimes:
        """Return the times of a lease that is taken now."""
        return cls(time.monotonic() + seconds, seconds)

    def is_valid(self) -> bool:
        """Return whether the lease has not ended; one of an earlier start of the machine has."""
        return 0 < self.ends - time.monotonic() <= self.length + MAX_ROUNDING


NO_LEASE: Final = LeaseTimes(-math.inf, 0.0)
