"""Callbacks for tasks and futures."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["retrieve_exception"]


def retrieve_exception(future: asyncio.Future[Any]) -> None:
    """Mark the exception of a finished future as retrieved, so that asyncio does not log it.

    A done callback for a future that no caller may await any longer.
    """
    if not future.cancelled():
        future.exception()
