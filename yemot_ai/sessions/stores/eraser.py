"""Erase deleted content soon after it was deleted, many calls at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from yemot_ai._runtime.tasks import start_task
from yemot_ai.errors import StoreError

__all__ = ["Eraser"]

log = logging.getLogger("yemot_ai")

MIN_DELAY: Final = 0.2
"""Seconds after the first deletion: what is deleted in this time is erased together."""

TIME_SHARE: Final = 0.05
"""The share of the time that erasing may take: a slow disk is needed for the calls."""

MAX_ATTEMPTS: Final = 100
"""Attempts in a row that other processes prevent; then the next deletion starts it again."""


class Eraser:
    """Calls ``erase`` soon after ``start``, on the event loop that called it.

    Args:
        erase: erases what was deleted; returns False if another process prevents it at the moment.
    """

    def __init__(self, erase: Callable[[], Awaitable[bool]]) -> None:
        self._erase = erase
        self._loop: asyncio.AbstractEventLoop | None = None
        self._delay = MIN_DELAY

    def start(self) -> None:
        """Erase soon, unless it is planned."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # not planned, or on a loop that may have been closed
            self._loop = loop
            self._plan(loop, MAX_ATTEMPTS)

    def _plan(self, loop: asyncio.AbstractEventLoop, attempts: int) -> None:
        loop.call_later(self._delay, lambda: start_task(self._run(loop, attempts)))

    async def _run(self, loop: asyncio.AbstractEventLoop, attempts: int) -> None:
        started = loop.time()
        self._loop = None  # what is deleted from now on is erased next time
        try:
            is_done = await self._erase()
        except RuntimeError as error:  # the loop ends and has no more threads; closing the store erases it
            log.debug("what was deleted is not erased yet: %s", error)
            return
        except StoreError as error:
            log.debug("what was deleted is not erased yet: %s", error)
            is_done = False
        self._delay = max(MIN_DELAY, (loop.time() - started) / TIME_SHARE)
        if not is_done and attempts > 1 and self._loop is None:
            self._loop = loop
            self._plan(loop, attempts - 1)
