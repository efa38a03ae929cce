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

from yemot_ai_testing.virtual_time import (
    STALL_SECONDS,
    VirtualClock,
    VirtualEngine,
    VirtualLoop,
    VirtualSelector,
)

__all__ = ["OrderedEngine"]

T = TypeVar("T")

MAX_BUSY_ROUNDS: Final = 1000
"""Rounds after which a loop that never rests, for somebody looks there again and again, counts as resting."""

LAST_PLACE: Final = math.inf

_order_number: ContextVar[float] = ContextVar("_order_number", default=LAST_PLACE)
"""The place of a handler's thread: which one it is, from the engine's first."""


class OrderedEngine(VirtualEngine):
    """An engine on which one thing happens after the other."""

    def __init__(self) -> None:
        self._order_numbers = itertools.count()
        queue = self._idle_queue = _IdleQueue()
        super().__init__(lambda clock: VirtualLoop(clock, _OrderedSelector(clock, queue)))

    @contextlib.asynccontextmanager
    async def hold_time(self) -> AsyncIterator[None]:
        """Let no time pass, and go on in the order in which this was begun, not in that of its ends."""
        place = next(self._order_numbers)
        try:
            async with super().hold_time():
                yield
        finally:
            await self._idle_queue.wait(place)

    async def _run_in_thread(self, semaphore: asyncio.Semaphore, function: Callable[[], T]) -> T:
        place = next(self._order_numbers)

        def placed() -> T:
            _order_number.set(place)  # in a context of its own
            return function()

        await self._idle_queue.wait(place)
        return await super()._run_in_thread(semaphore, placed)

    async def _counted(self, coroutine: Coroutine[Any, Any, T], worker: int) -> T:
        place = _order_number.get()

        async def until_rest() -> T:
            try:
                return await coroutine
            finally:
                # Handlers first: they come to an end, and whoever drives all this then does not meet them.
                await self._idle_queue.wait(place)

        # A thread that a handler waits for waits in its stead.
        return await super()._counted(until_rest(), worker or int(place < LAST_PLACE))


class _IdleQueue:
    """Those who wait until the loop rests; lives on the loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._arrival_numbers = itertools.count()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    async def wait(self, order_number: float) -> None:
        """Wait until the loop rests, and nobody with a smaller place waits for that."""
        let_go: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (order_number, next(self._arrival_numbers), let_go))
        await let_go

    def release_next(self) -> None:
        """Let the first one go on."""
        *_, let_go = heapq.heappop(self._waiting)
        if not let_go.done():  # cancelled meanwhile
            let_go.set_result(None)


class _OrderedSelector(VirtualSelector):
    """Where time would jump, whoever waits until the loop rests goes on first."""

    def __init__(self, clock: VirtualClock, queue: _IdleQueue) -> None:
        super().__init__(clock)
        self._virtual_clock = clock
        self._queue = queue
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        """Look for what is ready."""
        if not self._queue:
            return super().select(timeout)
        rests = timeout != 0
        self._rounds = 0 if rests else self._rounds + 1
        # A handler that waits for threads of its own looks like one at work.
        ready = selectors.DefaultSelector.select(
            self, STALL_SECONDS if rests and self._virtual_clock.is_working else 0
        )
        if (
            not ready
            and (rests or self._rounds >= MAX_BUSY_ROUNDS)
            and not self._virtual_clock.is_held_externally
        ):
            self._rounds = 0
            self._queue.release_next()
        return ready
