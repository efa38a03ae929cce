"""Sweep at an interval: end idle calls, and delete caller memories that have expired."""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

from yemot_ai._calls.idle import attempt
from yemot_ai._runtime.engine import Engine

__all__ = ["Sweeper"]


class Sweeper:
    """Calls ``sweep`` at an interval, from the first call on; each worker does.

    Args:
        engine: runs it.
        sweep: a bound method; the sweeper has only a weak reference to its object.
        interval: seconds.

    Attributes:
        loop: the engine's loop on which it runs; None while it does not.
    """

    def __init__(self, engine: Engine, sweep: Callable[[], Awaitable[None]], *, interval: float) -> None:
        self._engine = engine
        self._sweep = weakref.WeakMethod(sweep)
        self._interval = interval
        self.loop: asyncio.AbstractEventLoop | None = None
        self._running: Future[None] | None = None

    def start(self) -> None:
        """Start, unless it runs; from any thread. The engine has a new loop in a forked child."""
        loop = self._engine.loop
        if self._running is None or self.loop is not loop or self._running.done():
            self._running = self._engine.submit(_sweep_forever(self._sweep, self._interval))
            self.loop = loop
            self._running.add_done_callback(functools.partial(_forget, weakref.ref(self)))


def _forget(sweeper: weakref.ref[Sweeper], running: Future[None]) -> None:
    ended = sweeper()
    if ended is not None and ended._running is running:  # noqa: SLF001 - the same module
        ended.loop = None


async def _sweep_forever(sweep: weakref.WeakMethod[Callable[[], Awaitable[None]]], interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        method = sweep()
        if method is None:
            return
        await attempt(method(), "a sweep for idle calls failed")
        del method
