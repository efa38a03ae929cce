"""An engine with virtual time and a fixed order of events.

A thread that waits for the engine continues, and a blocking handler starts, only when the loop is idle: one
after the other, in the order of their arrival. So threads never race with the loop or with each other.

>>> import asyncio
>>> engine, seen = OrderedEngine(), []
>>> async def main():
...     task = asyncio.create_task(engine.run_in_thread(seen.append, "in a thread"))
...     for step in range(3):
...         await asyncio.sleep(0)
...         seen.append(step)
...     await task
>>> engine.run(main())
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
from concurrent.futures import CancelledError
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from yemot_ai_testing.errors import DeadlockError
from yemot_ai_testing.property.engines.order import Order, Size
from yemot_ai_testing.property.engines.ready_queue import ReadyQueue
from yemot_ai_testing.property.engines.schedulers import Canceller, Scheduler
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
"""Rounds after which a loop that is never idle, because a task polls, counts as idle."""

UNORDERED: Final = math.inf

_order_number: ContextVar[float] = ContextVar("_order_number", default=UNORDERED)
"""The order number of a handler's thread, counted by its engine."""


class OrderedEngine(VirtualEngine):
    """An engine that runs threads one after the other, when its loop is idle.

    Args:
        order: the order of the tasks and threads, or its text; None runs them as they come, as asyncio does.
        detects_deadlocks: whether ``run`` raises when its coroutine can never end; not for engines that are
            woken by threads which the engine did not start.
    """

    def __init__(self, order: Order | str | None = None, *, detects_deadlocks: bool = False) -> None:
        self._detects_deadlocks = detects_deadlocks
        self._deadlock: DeadlockError | None = None
        self._thread_numbers = itertools.count()
        self._idle_queue, self._ready_queue = _IdleQueue(), ReadyQueue()
        self._external_lock = asyncio.Lock()
        super().__init__(self._new_ordered_loop)
        self.use_order(order)

    def use_order(self, order: Order | str | None) -> None:
        """Use another order from now on; for an engine whose loop is idle.

        Args:
            order: the order, or its text; None runs tasks and threads as they come.

        Raises:
            OrderSyntaxError: if a text is not an order.
        """
        if isinstance(order, str):
            order = Order.parse(order)
        queue = self._ready_queue
        queue.scheduler = None if order is None else Scheduler(order)
        cancellation = None if order is None else order.cancellation
        queue.canceller = None if cancellation is None else Canceller(cancellation)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run ``coroutine`` on the loop and block until it is done.

        Raises:
            DeadlockError: if it can never end, on an engine that detects this.
        """
        try:
            return super().run(coroutine)
        except CancelledError:
            if self._deadlock is None:
                raise
            raise self._deadlock from None

    def _break_deadlock(self) -> None:
        """Cancel the coroutines that threads wait for; the loop is idle and nothing can wake it."""
        waiting = asyncio.all_tasks(self.loop) - self.awaited_tasks
        names = [getattr(task.get_coro(), "__qualname__", "") for task in waiting or self.awaited_tasks]
        self._deadlock = DeadlockError(sorted(names))
        for task in self.awaited_tasks:
            task.cancel()

    @property
    def program_size(self) -> Size | None:
        """How many tasks have competed, and how many steps they had; None without an order."""
        scheduler = self._ready_queue.scheduler
        return None if scheduler is None else Size(scheduler.tasks, scheduler.longest)

    @property
    def suspensions(self) -> dict[int, int]:
        """The steps of each task with the name of the order's cancellation, by its number."""
        canceller = self._ready_queue.canceller
        return {} if canceller is None else dict(canceller.steps)

    def _new_ordered_loop(self, clock: VirtualClock) -> VirtualLoop:
        on_deadlock = self._break_deadlock if self._detects_deadlocks else None
        loop = VirtualLoop(clock, _OrderedSelector(clock, self._idle_queue, on_deadlock))
        self._external_lock = asyncio.Lock()
        # A queue for each loop: one that is closed clears its own, while the next one already runs.
        self._ready_queue = ReadyQueue(self._ready_queue.scheduler, self._ready_queue.canceller)
        loop._ready = self._ready_queue  # type: ignore[attr-defined]  # noqa: SLF001 - asyncio has no public way
        return loop

    def _next_order_number(self) -> float:
        number = next(self._thread_numbers)
        scheduler = self._ready_queue.scheduler
        return number if scheduler is None else scheduler.thread_rank(number)

    @contextlib.asynccontextmanager
    async def hold_time(self) -> AsyncIterator[None]:
        """Hold virtual time, for one operation at a time: two would find each other's locks, or not."""
        order_number = self._next_order_number()
        async with self._external_lock:
            # From an idle loop to an idle loop: when the operation ends must not matter to other tasks.
            await self._idle_queue.wait(order_number)
            try:
                async with super().hold_time():
                    yield
            finally:
                await self._idle_queue.wait(order_number)

    async def _run_in_thread(self, semaphore: asyncio.Semaphore, function: Callable[[], T]) -> T:
        order_number = self._next_order_number()

        def numbered() -> T:
            _order_number.set(order_number)  # in the thread's own context
            return function()

        await self._idle_queue.wait(order_number)
        return await super()._run_in_thread(semaphore, numbered)

    async def _counted(self, coroutine: Coroutine[Any, Any, T], worker: int) -> T:
        order_number = _order_number.get()

        async def until_idle() -> T:
            try:
                return await coroutine
            finally:
                # Handlers first: they then end before the thread that drives the engine continues.
                await self._idle_queue.wait(order_number)

        # A thread that a handler waits for takes the handler's turn in the order.
        return await super()._counted(until_idle(), worker or int(order_number < UNORDERED))


class _IdleQueue:
    """Coroutines that wait until the loop is idle; for use on the loop only."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._arrival_numbers = itertools.count()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    async def wait(self, order_number: float) -> None:
        """Wait until the loop is idle and no smaller order number waits."""
        released: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (order_number, next(self._arrival_numbers), released))
        await released

    def release_next(self) -> None:
        """Resume the waiter with the smallest order number."""
        *_, released = heapq.heappop(self._waiting)
        if not released.done():  # cancelled while it waited
            released.set_result(None)


class _OrderedSelector(VirtualSelector):
    """Resume the waiters for an idle loop before virtual time jumps."""

    def __init__(
        self, clock: VirtualClock, queue: _IdleQueue, on_deadlock: Callable[[], None] | None
    ) -> None:
        super().__init__(clock)
        self._on_deadlock = on_deadlock
        self._virtual_clock = clock
        self._queue = queue
        self._rounds = 0

    def _wait(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, Any]]:
        if not self._queue or self._virtual_clock.is_held_externally:
            if timeout is None and self._may_be_deadlocked:
                return self._select_or_break()
            return super()._wait(timeout)
        idle = timeout != 0
        self._rounds = 0 if idle else self._rounds + 1
        # A handler that waits for its own threads counts as working.
        ready = selectors.DefaultSelector.select(
            self, STALL_SECONDS if idle and self._virtual_clock.is_working else 0
        )
        is_due = idle or self._rounds >= MAX_BUSY_ROUNDS
        if not ready and is_due and not self._virtual_clock.is_held_externally:
            self._rounds = 0
            self._queue.release_next()
        return ready

    @property
    def _may_be_deadlocked(self) -> bool:
        """Whether a thread waits for the loop, and only another thread could wake it."""
        clock = self._virtual_clock
        is_waiting = clock.is_awaited and not clock.is_working and not clock.is_held_externally
        return self._on_deadlock is not None and is_waiting and len(self.get_map()) == 1

    def _select_or_break(self) -> list[tuple[selectors.SelectorKey, Any]]:
        ready = selectors.DefaultSelector.select(self, STALL_SECONDS)
        if not ready and self._may_be_deadlocked and self._on_deadlock is not None:
            self._on_deadlock()
        return ready
