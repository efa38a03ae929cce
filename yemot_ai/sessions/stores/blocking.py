"""Run blocking functions of a store in worker threads, without leaving one behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from yemot_ai._runtime.tasks import await_shielded, start_task

__all__ = ["run_blocking"]

P = ParamSpec("P")
T = TypeVar("T")


async def run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``function`` in a worker thread.

    A cancellation waits for the end of the thread: otherwise a lock could be released before the thread
    has taken it.
    """
    thread = start_task(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await await_shielded(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        raise
