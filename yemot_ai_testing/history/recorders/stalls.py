"""Record the time in which the machine did not run a process: that time is excused.

>>> from yemot_ai_testing.history.history import History
>>> history = History(now=lambda: 60.0)
>>> detector = StallDetector(history)
>>> detector.check(0.0), detector.check(0.02), detector.check(3.04)
(None, None, None)
>>> history.events
(ProcessStalled(at=3.04, seconds=3.0, worker=''),)
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

from yemot_ai_testing.history.events import ProcessStalled
from yemot_ai_testing.history.history import History

__all__ = ["StallDetector"]

CHECK_INTERVAL: Final = 0.02
"""Seconds between two checks of the clock."""

TOLERATED_DELAY: Final = 0.005
"""Seconds by which a check may be late on any machine."""

MIN_STALL: Final = 0.1
"""The minimum seconds of a recorded stall."""


class StallDetector:
    """Checks the clock repeatedly in a thread while the context is open.

    A check is late if the process was stopped, or had to wait for a CPU on a busy machine.

    Args:
        history: where the events are added.
        worker: the name of this process, if there are several.
    """

    def __init__(self, history: History, *, worker: str = "") -> None:
        self._history = history
        self._worker = worker
        self._late = 0.0
        self._last: float | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self.check(self._history.now())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the thread, after a last check."""
        self._stopped.set()
        self._thread.join()
        self.check(self._history.now())

    def check(self, at: float) -> None:
        """Check the clock, and record the delay since the last check.

        Args:
            at: seconds of the history's clock.
        """
        late = 0.0 if self._last is None else at - self._last - CHECK_INTERVAL
        self._last = at
        self._late += late if late > TOLERATED_DELAY else 0.0
        if self._late >= MIN_STALL:
            self._history.add(ProcessStalled(at, round(self._late, 6), self._worker))
            self._late = 0.0

    def _run(self) -> None:
        while not self._stopped.wait(CHECK_INTERVAL):
            self.check(self._history.now())
