"""An event loop of another project: deterministic, single-threaded, in its own virtual time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

__all__ = ["ForeignLoop", "foreign_loop"]

T = TypeVar("T")


class ForeignLoop(asyncio.AbstractEventLoop):
    """Runs callbacks one after the other; when none is ready, its time jumps to the next timer."""

    def __init__(self) -> None:
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timer_numbers = itertools.count()
        self._now = 0.0
        self._running = False

    def drive(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run the coroutine to its end, and cancel what it has started.

        Raises:
            RuntimeError: if nothing is ready and no timer is set, so that it can never end.
        """
        task: asyncio.Task[T] = asyncio.Task(coroutine, loop=self)
        self._running = True
        asyncio._set_running_loop(self)
        try:
            self._run_until(task)
            for rest in asyncio.all_tasks(self):
                rest.cancel()
                self._run_until(rest)
        finally:
            asyncio._set_running_loop(None)
            self._running = False
        return task.result()

    def _run_until(self, task: asyncio.Task[Any]) -> None:
        while not task.done():
            self._step()

    def _step(self) -> None:
        if not self._ready:
            if not self._timers:
                raise RuntimeError("nothing is ready, and no timer is set")
            self._now, _, timer = heapq.heappop(self._timers)
            self._ready.append(timer)
        handle = self._ready.popleft()
        if not handle.cancelled():
            handle._run()

    def time(self) -> float:
        return self._now

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return False

    def get_debug(self) -> bool:
        return False

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._timer_numbers), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Ignore it: a cancelled handle does not run."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T],  # type: ignore[override]  # typeshed allows generators too
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        raise AssertionError(context)


def foreign_loop() -> ForeignLoop:
    """Return a new loop; it has no sockets, processes or signals."""
    return ForeignLoop()  # type: ignore[abstract]  # asyncio declares every method abstract
