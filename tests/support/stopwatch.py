"""Measure a duration without the time in which the machine did not run this process."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from yemot_ai_testing.history import History, ProcessStalled
from yemot_ai_testing.history.recorders.stalls import StallDetector

__all__ = ["Stopwatch"]


class Stopwatch:
    """Measures the duration of its context.

    Attributes:
        took: the seconds; set at the end.
    """

    def __init__(self) -> None:
        self.took = 0.0
        self._history = History(now=time.monotonic)
        self._stalls = StallDetector(self._history)
        self._started_at = 0.0

    def __enter__(self) -> Self:
        self._stalls.__enter__()
        self._started_at = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended_at = time.monotonic()
        self._stalls.__exit__(kind, error, trace)
        stalled = sum(event.seconds for event in self._history.events if isinstance(event, ProcessStalled))
        self.took = ended_at - self._started_at - stalled
