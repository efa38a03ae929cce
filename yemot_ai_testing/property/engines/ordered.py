"""An engine with virtual time on which nothing happens at once, so that a seed is one order of events.

Whoever waits for the engine goes on, and a blocking handler begins, when the loop has nothing left to do
at this moment: one after the other, in the order in which they came. Threads then never race with the
loop, nor with each other.

>>> import asyncio
>>> engine, seen = OrderlyEngine(), []
>>> async def evening():
...     soon = asyncio.create_task(engine.in_thread(seen.append, "in a thread"))
...     for step in range(3):
...         await asyncio.sleep(0)
...         seen.append(step)
...     await soon
>>> engine.run(evening())
>>> seen
[0, 1, 2, 'in a thread']
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import math
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from yemot_ai_testing.virtual_time import STUCK, VirtualClock, VirtualEngine, VirtualLoop, VirtualSelector

__all__ = ["OrderlyEngine"]

T = TypeVar("T")

BUSY: Final = 1000
"""Rounds after which a loop that never rests, for somebody looks there again and again, counts as resting."""

LAST: Final = math.inf

_place: ContextVar[float] = ContextVar("_place", default=LAST)
"""The place of a handler's thread: which one it is, from the engine's first."""


class OrderlyEngine(VirtualEngine):
    """An engine on which one thing happens after the other."""

    def __init__(self) -> None:
        self._places = itertools.count()
        queue = self._queue = _Queue()
        super().__init__(lambda clock: VirtualLoop(clock, _OrderlySelector(clock, queue)))

    @contextlib.asynccontextmanager
    async def standing_still(self) -> AsyncIterator[None]:
        """Let no time pass, and go on in the order in which this was begun, not in that of its ends."""
        place = next(self._places)
        try:
            async with super().standing_still():
                yield
        finally:
            await self._queue.wait(place)

    async def _run_in_thread(self, semaphore: asyncio.Semaphore, function: Callable[[], T]) -> T:
        place = next(self._places)

        def placed() -> T:
            _place.set(place)  # in a context of its own
            return function()

        await self._queue.wait(place)
        return await super()._run_in_thread(semaphore, placed)

    async def _counted(self, coroutine: Coroutine[Any, Any, T], worker: int) -> T:
        place = _place.get()

        async def until_rest() -> T:
            try:
                return await coroutine
            finally:
                # Handlers first: they come to an end, and whoever drives all this then does not meet them.
                await self._queue.wait(place)

        # A thread that a handler waits for waits in its stead.
        return await super()._counted(until_rest(), worker or int(place < LAST))


class _Queue:
    """Those who wait until the loop rests; lives on the loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._arrivals = itertools.count()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    async def wait(self, place: float) -> None:
        """Wait until the loop rests, and nobody with a smaller place waits for that."""
        let_go: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (place, next(self._arrivals), let_go))
        await let_go

    def let_go(self) -> None:
        """Let the first one go on."""
        *_, let_go = heapq.heappop(self._waiting)
        if not let_go.done():  # cancelled meanwhile
            let_go.set_result(None)


class _OrderlySelector(VirtualSelector):
    """Where time would jump, whoever waits until the loop rests goes on first."""

    def __init__(self, clock: VirtualClock, queue: _Queue) -> None:
        super().__init__(clock)
        self._time = clock
        self._queue = queue
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        """Look for what is ready."""
        if not self._queue:
            return super().select(timeout)
        rests = timeout != 0
        self._rounds = 0 if rests else self._rounds + 1
        # A handler that waits for threads of its own looks like one at work.
        ready = selectors.DefaultSelector.select(self, STUCK if rests and self._time.stands_still else 0)
        if not ready and (rests or self._rounds >= BUSY) and not self._time.is_held:
            self._rounds = 0
            self._queue.let_go()
        return ready
