"""Retry reads and writes during a store outage.

The result of a turn has cost a model call, and a handler may have placed an order: neither must be lost
or repeated because the store restarts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from yemot_ai.errors import SessionFormatError, StoreError

__all__ = ["retry_while_store_is_away"]

T = TypeVar("T")

log = logging.getLogger("yemot_ai")

RETRY_INTERVAL: Final = 0.5
"""Seconds between two attempts."""

MAX_OUTAGE: Final = 120.0
"""Seconds: longer than a caller is kept on the line during a store outage."""


async def retry_while_store_is_away(
    operation: Callable[[], Awaitable[T]], description: str, *, seconds: float = MAX_OUTAGE
) -> T:
    """Run an operation of the store; retry it for ``seconds`` while the store cannot be reached.

    Args:
        operation: must be idempotent.
        description: names it in the log.
        seconds: the time after which the store's error is raised.

    Raises:
        StoreError: if the store could not be reached in that time.
        SessionFormatError: at once, without a retry.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await operation()
        except SessionFormatError:
            raise
        except StoreError as error:
            if asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("%s has to wait for the store: %s", description, error)
            await asyncio.sleep(RETRY_INTERVAL)
