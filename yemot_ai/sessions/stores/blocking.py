"""Run blocking functions of a store in worker threads, without leaving one behind.

A function that finds a lock taken raises ``BusyError`` at once, instead of waiting in its thread: with a
thread for each caller, the callers behind them would wait for one lock after the other.
"""

from __future__ import annotations

import asyncio
import functools
import time
import weakref
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from yemot_ai._runtime.tasks import await_shielded, start_task
from yemot_ai.errors import StoreError

__all__ = ["STORE_TIMEOUT", "BlockingCalls", "BusyError", "retry_while_busy", "run_blocking"]

P = ParamSpec("P")
T = TypeVar("T")

STORE_TIMEOUT: Final = 3.0
"""Seconds to wait for a lock of another process: a request writes once before and once after it waits for
an answer, and its caller waits for at most ten seconds."""

OPEN_TIMEOUT: Final = 15.0
"""Seconds to wait for it while the store is opened: no caller waits, and many processes may start at once."""

MIN_RETRY_DELAY: Final = 0.001
MAX_RETRY_DELAY: Final = 0.01
"""Seconds between two attempts: doubled each time, up to this."""


class BusyError(StoreError):
    """Another process or thread has the lock; nothing was changed."""


class BlockingCalls:
    """Runs the blocking functions of one store, and repeats those that find its lock taken.

    Of one event loop one function at a time is repeated, in the order of arrival. The others wait without a
    thread, each until its own deadline, so that all of them fail in time when the lock is not released.
    """

    def __init__(self) -> None:
        self._queues: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = (
            weakref.WeakKeyDictionary()
        )

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``function`` in a worker thread.

        Raises:
            BusyError: if the lock was taken for ``STORE_TIMEOUT``.
        """
        deadline = time.monotonic() + STORE_TIMEOUT  # not the loop's time, which may be virtual
        call = functools.partial(function, *args, **kwargs)
        try:
            return await run_blocking(call)
        except BusyError:
            queue = self._queues.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        async with queue:
            return await _retry(call, deadline)


async def _retry(call: Callable[[], T], deadline: float) -> T:
    delay = MIN_RETRY_DELAY
    while True:
        try:
            return await run_blocking(functools.partial(_call_after, delay, call))
        except BusyError:
            if time.monotonic() >= deadline:
                raise
        delay = min(delay * 2, MAX_RETRY_DELAY)


def _call_after(delay: float, call: Callable[[], T]) -> T:
    # In the thread: the loop's time may be virtual, and stand still until this call returns.
    time.sleep(delay)
    return call()


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


def retry_while_busy(function: Callable[[], T]) -> T:
    """Run ``function`` in this thread; repeat it while the lock is taken.

    Raises:
        BusyError: if the lock was taken for ``OPEN_TIMEOUT``.
    """
    deadline = time.monotonic() + OPEN_TIMEOUT
    while True:
        try:
            return function()
        except BusyError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(MAX_RETRY_DELAY)
