"""What calls leave in the process: threads, and tasks of an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from typing import Final

from yemot_ai_testing.history.events import LeftoversCounted

__all__ = ["Work"]

END_GRACE: Final = 0.3
"""Real seconds for all threads that are about to end."""


@dataclass(frozen=True, slots=True)
class Work:
    """The threads and tasks that run at a moment.

    Attributes:
        threads: the threads of this process.
        tasks: the tasks of a loop.
    """

    threads: frozenset[threading.Thread]
    tasks: frozenset[asyncio.Task[object]]

    @classmethod
    def running(cls, loop: asyncio.AbstractEventLoop) -> Work:
        """Return what runs now; tasks of ``loop`` only."""
        return cls(frozenset(threading.enumerate()), frozenset(asyncio.all_tasks(loop)))

    def count_leftovers(self, before: Work, *, at: float, calls: int) -> LeftoversCounted:
        """Return how much more runs than ``before``, without threads that end at once.

        Args:
            before: what ran before the calls.
            at: the time of the history.
            calls: how many calls spoke since.
        """
        threads = self.threads - before.threads
        if 2 * len(threads) >= calls:
            for thread in threads:
                with contextlib.suppress(RuntimeError):  # it has not started yet, or is this one
                    thread.join(END_GRACE / len(threads))
            threads = frozenset(thread for thread in threads if thread.is_alive())
        return LeftoversCounted(at, calls, len(threads), len(self.tasks - before.tasks))
