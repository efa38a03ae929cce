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

from yemot_ai_testing.history.events import Stalled
from yemot_ai_testing.history.history import History

__all__ = ["Stalls"]

EVERY: Final = 0.02
"""Seconds between two looks at the clock."""

USUAL: Final = 0.005
"""Seconds that a look may come late on any machine."""

WORTH: Final = 0.1
"""Seconds that are worth an event."""


class Stalls:
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
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        """Begin to look."""
        self.looked(self._history.now())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._over.set()
        self._thread.join()
        self.looked(self._history.now())

    def looked(self, at: float) -> None:
        """Take a look at the clock; what it came late counts.

        Args:
            at: seconds of the history's clock.
        """
        late = 0.0 if self._last is None else at - self._last - EVERY
        self._last = at
        self._late += late if late > USUAL else 0.0
        if self._late >= WORTH:
            self._history.add(Stalled(at, round(self._late, 6), self._worker))
            self._late = 0.0

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            self.looked(self._history.now())
