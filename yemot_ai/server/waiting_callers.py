"""The lines that ask again by themselves: they have got a filler, and the answer comes later."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from yemot_ai.flow.request_log.summary import AnsweredRequest

__all__ = ["FETCH_SECONDS", "WaitingCallers"]

FETCH_SECONDS: Final = 10.0
"""Seconds within which a line asks again, after what it plays and its own wait. One that does not has been
answered by another worker, or its caller is gone."""


class WaitingCallers:
    """Notes from the answered requests whose line asks again.

    Args:
        now: the seconds of a clock.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._since: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self._notify: Callable[[], object] | None = None

    def __len__(self) -> int:
        """Return how many lines will ask again."""
        with self._lock:
            self._drop_old()
            return len(self._since)

    def note(self, answered: AnsweredRequest) -> None:
        """Note an answered request; an observer for ``AIFlow.on_request``."""
        with self._lock:
            self._since.pop(answered.request.call_key, None)
            if answered.asks_again:
                self._since[answered.request.call_key] = self._now()
            self._drop_old()
        if self._notify is not None:
            self._notify()

    async def wait(self, seconds: float) -> None:
        """Wait until no line will ask again, at most ``seconds``."""
        loop, noted = asyncio.get_running_loop(), asyncio.Event()
        self._notify = lambda: loop.call_soon_threadsafe(noted.set)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, FETCH_SECONDS)):
                while len(self):
                    await noted.wait()
                    noted.clear()
        self._notify = None

    def _drop_old(self) -> None:
        oldest = self._now() - FETCH_SECONDS
        while self._since and next(iter(self._since.values())) <= oldest:
            self._since.popitem(last=False)
