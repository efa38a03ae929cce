"""Count records of one kind, so that a stranger who repeats a request cannot fill the log.

>>> counter = RepetitionCounter(most=2)
>>> [counter.count("refused", now=second) for second in (0.0, 1.0, 2.0, 3.0, 61.0)]
[0, 0, None, None, 2]
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

__all__ = ["RepetitionCounter"]

INTERVAL: Final = 60.0
"""Seconds in which records of one kind are logged at most ``MOST`` times."""

MOST: Final = 20


@dataclass(slots=True)
class _Count:
    since: float
    records: int = 0


@dataclass(slots=True)
class RepetitionCounter:
    """Counts records by kind; the kinds must be few.

    Attributes:
        most: how many of one kind are logged in an interval.
    """

    most: int = MOST
    _counts: dict[str, _Count] = field(default_factory=dict)

    def count(self, kind: str, *, now: float | None = None) -> int | None:
        """Count a record.

        Args:
            kind: its kind.
            now: seconds of any clock; ``time.monotonic()`` unless given.

        Returns:
            How many of its kind were dropped in the interval before; None if this one is dropped.
        """
        now, dropped = time.monotonic() if now is None else now, 0
        count = self._counts.get(kind)
        if count is None or now - count.since > INTERVAL:
            dropped = max(count.records - self.most, 0) if count else 0
            count = self._counts[kind] = _Count(now)
        count.records += 1
        return dropped if count.records <= self.most else None
