"""Ends what nobody ends: calls that fell silent without a hang-up, memories whose time is up."""

from __future__ import annotations

import asyncio
import logging
import os
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

from yemot_ai.errors import StoreError
from yemot_ai.runtime.engine import Engine

__all__ = ["Sweeper"]

log = logging.getLogger("yemot_ai")


class Sweeper:
    """Sweeps every so often, from the first call on; every worker does, and the store says who was first.

    Args:
        engine: where it runs.
        sweep: a bound method; its object is not kept alive by us.
        interval: seconds.
    """

    def __init__(self, engine: Engine, sweep: Callable[[], Awaitable[None]], *, interval: float) -> None:
        self._engine = engine
        self._sweep = weakref.WeakMethod(sweep)
        self._interval = interval
        self._running: tuple[int, Future[None]] | None = None

    def start(self) -> None:
        """Begin, unless it runs; from any thread. A forked child begins anew."""
        if self._running is None or self._running[0] != os.getpid() or self._running[1].done():
            self._running = (os.getpid(), self._engine.submit(_sweep_forever(self._sweep, self._interval)))


async def _sweep_forever(sweep: weakref.WeakMethod[Callable[[], Awaitable[None]]], interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        method = sweep()
        if method is None:
            return
        try:
            await method()
        except StoreError as error:
            log.warning("calls that are over could not be looked for: %s", error)
        del method
