"""Writing down what has been worked out, and reading what is needed for it, even if the store is away.

A model was paid for it, or a handler has ordered a pizza: it must not be done again because a
server restarts just then, nor be given up before it has begun.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

from yemot_ai.errors import SessionFormatError, StoreError

__all__ = ["PendingWrites", "retry_while_store_is_away"]

T = TypeVar("T")

log = logging.getLogger("yemot_ai")

RETRY_INTERVAL: Final = 0.5
"""Seconds between two tries."""

MAX_OUTAGE: Final = 120.0
"""Seconds: longer than a caller is kept on the line while the store is away."""


async def retry_while_store_is_away(
    operation: Callable[[], Awaitable[T]], description: str, *, seconds: float = MAX_OUTAGE
) -> T:
    """Do something with the store; again and again for ``seconds`` while it is away.

    Args:
        operation: must come to the same when it is done twice.
        description: names it in the log.
        seconds: after which the store's error is raised.

    Raises:
        StoreError: the store was away for all that time, or refuses for good.
    """
    give_up = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await operation()
        except SessionFormatError:
            raise
        except StoreError as error:
            if asyncio.get_running_loop().time() > give_up:
                raise
            log.warning("%s has to wait for the store: %s", description, error)
            await asyncio.sleep(RETRY_INTERVAL)


class PendingWrites(Generic[T]):
    """What is being written down: it goes on when whoever has worked it out is stopped meanwhile.

    Each writing has to see for itself whether it still may: whoever lost a hold may have been overtaken.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[T]] = {}

    async def write(self, key: str, coroutine: Coroutine[Any, Any, T]) -> T:
        """Write, and return what comes of it."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._running[key] = task
        task.add_done_callback(lambda _: self._drop(key, task))
        return await asyncio.shield(task)

    async def wait(self, key: str) -> None:
        """Wait until what is being written under ``key``, if anything is, is over."""
        task = self._running.get(key)
        if task is not None:
            await asyncio.wait({task})

    def _drop(self, key: str, task: asyncio.Task[T]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
        if not task.cancelled():
            task.exception()  # seen: whoever waited for it may be gone
