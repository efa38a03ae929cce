"""The clock of the callers of a machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from yemot_ai_testing.line.clock import EngineClock, VirtualTime

__all__ = ["CallersClock"]

AT_ONCE: Final = 0.01
"""The part of the usual time; with none at all, chance would order the threads of callers."""


class CallersClock(EngineClock):
    """Virtual time; callers who act while the model runs for another call need almost none of it.

    Otherwise the model would run longer, because of them.

    Args:
        virtual: the virtual time of the application.
    """

    __slots__ = ("_thread",)

    def __init__(self, virtual: VirtualTime) -> None:
        super().__init__(virtual)
        self._thread = threading.local()

    def advance(self, seconds: float) -> None:
        """Let time pass in which only the line is busy."""
        self.sleep(seconds * (AT_ONCE if getattr(self._thread, "acts_at_once", False) else 1.0))

    def at_once(self, action: Callable[[], object]) -> Callable[[], None]:
        """Return a function that runs ``action`` with almost no time in which only the line is busy."""

        def act() -> None:
            self._thread.acts_at_once = True
            try:
                action()
            finally:
                self._thread.acts_at_once = False

        return act
