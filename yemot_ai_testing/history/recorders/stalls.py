"""How long the machine let a process stand still, written down: what it took meanwhile is not its fault.

>>> from yemot_ai_testing.history.history import History
>>> history = History(now=lambda: 60.0)
>>> stalls = Stalls(history)
>>> stalls.looked(0.0), stalls.looked(0.02), stalls.looked(3.04)
(None, None, None)
>>> history.events
(Stalled(at=3.04, seconds=3.0, worker=''),)
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

from yemot_ai_testing.history.events import ProcessStalled
from yemot_ai_testing.history.history import History

__all__ = ["StallDetector"]

CHECK_INTERVAL: Final = 0.02
"""Seconds between two looks at the clock."""

TOLERATED_DELAY: Final = 0.005
"""Seconds that a look may come late on any machine."""

MIN_STALL: Final = 0.1
"""Seconds that are worth an event."""


class StallDetector:
    """Looks at the clock again and again, in a thread, while the context is open.

    Looks come late when the process stands still, or has to wait for its turn on a busy machine.

    Args:
        history: where it is written.
        worker: which process this is, where there are several.
    """

    def __init__(self, history: History, *, worker: str = "") -> None:
        self._history = history
        self._worker = worker
        self._late = 0.0
        self._last: float | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Begin to look."""
        self.check(self._history.now())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._stopped.set()
        self._thread.join()
        self.check(self._history.now())

    def check(self, at: float) -> None:
        """Take a look at the clock; what it came late counts.

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
