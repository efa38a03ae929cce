"""How long something takes, without the time in which the machine let this process stand still."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from yemot_ai_testing.history import History, ProcessStalled
from yemot_ai_testing.history.recorders.stalls import StallDetector

__all__ = ["Stopwatch"]


class Stopwatch:
    """Measures what is done in its context.

    Attributes:
        took: seconds, when it is over.
    """

    def __init__(self) -> None:
        self.took = 0.0
        self._history = History(now=time.monotonic)
        self._stalls = StallDetector(self._history)
        self._began = 0.0

    def __enter__(self) -> Self:
        self._stalls.__enter__()
        self._began = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = time.monotonic()
        self._stalls.__exit__(kind, error, trace)
        stood_still = sum(
            event.seconds for event in self._history.events if isinstance(event, ProcessStalled)
        )
        self.took = ended - self._began - stood_still
