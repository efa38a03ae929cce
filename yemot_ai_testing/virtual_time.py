"""Virtual time: an engine whose clock jumps to the next event, so that waiting takes no real time.

The clock advances only while a thread waits for the engine, and neither a handler runs nor a thread
works for the loop; then it jumps to the next timer. The order of events is the order of their times.
Code that blocks the loop, or a handler that works, for ``BLOCKED_SECONDS`` of real time takes as much of
virtual time, because a caller would hear it.

>>> import asyncio
>>> engine = virtual_engine()
>>> engine.run(asyncio.sleep(3600))
>>> engine.clock.now()
3600.0
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import selectors
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple, Unpack

from yemot_ai import Engine

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STALL_SECONDS = 1.0
"""Real seconds without an event after which virtual time passes although a handler runs."""

MAX_HELD_STALLS = 30
"""Stalls after which time passes although other work holds it: work that never ends would hang the run."""

BLOCKED_SECONDS = 0.5
"""Real seconds of work without a wait that count in virtual time: more than a slow machine needs."""

IDLE_WAIT = 0.01
"""Real seconds for which a sleep waits until the loop is idle, before it runs on the loop."""

EPOCH = 1_767_225_600.0
"""Unix time at the start of virtual time: a fixed second, so that two runs are equal."""

__all__ = [
    "BLOCKED_SECONDS",
    "STALL_SECONDS",
    "VirtualClock",
    "VirtualEngine",
    "VirtualLoop",
    "VirtualSelector",
    "virtual_engine",
]


class VirtualClock:
    """A clock whose seconds pass only while a thread waits for the engine.

    Args:
        engine: the engine that the clock belongs to.
    """

    def __init__(self, engine: Engine) -> None:
        # Weak, because the engine's thread refers to the clock: an unused engine can be collected.
        self._engine = weakref.ref(engine)
        self._now = 0.0
        self._lock = threading.Lock()
        self._became_idle = threading.Condition(self._lock)
        self._wakeups = 0
        self._idle_until: tuple[int, float] | None = (0, math.inf)  # before the loop starts
        self._busy_since: float | None = None
        self._work = threading.local()
        self._stalled = 0.0

    def now(self) -> float:
        """Return the virtual seconds since the engine was created."""
        return self._now

    @property
    def is_awaited(self) -> bool:
        """Whether a thread waits for the engine."""
        engine = self._engine()
        return engine is not None and engine.waiting > 0

    @property
    def is_working(self) -> bool:
        """Whether a handler runs, or work outside this process."""
        engine = self._engine()
        return engine is not None and engine.working > 0

    @property
    def is_held_externally(self) -> bool:
        """Whether work outside this process runs; time does not pass until it ends."""
        engine = self._engine()
        return isinstance(engine, VirtualEngine) and engine.external_work > 0

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass, and run what is due in them; must not be called from the engine's loop."""
        engine = self._engine()
        if engine is not None and not self._advance_if_idle(engine, seconds):
            engine.run(asyncio.sleep(seconds))

    def _advance_if_idle(self, engine: Engine, seconds: float) -> bool:
        """Advance without waking the loop, if it is idle and nothing is due before: waking it is slow."""
        with self._lock:
            # A loop whose last task has just ended is about to be idle.
            self._became_idle.wait_for(
                lambda: self._idle_until is not None or engine.waiting > 0 or engine.working > 0, IDLE_WAIT
            )
            if self._idle_until is None or engine.waiting > 0 or engine.working > 0:
                return False
            wakeups, until = self._idle_until
            if wakeups != self._wakeups or self._now + seconds >= until:
                return False
            self._now += seconds
            return True

    @property
    def wakeups(self) -> int:
        """How often other threads have called into the loop."""
        return self._wakeups

    def note_wakeup(self) -> None:
        """Note that another thread is about to call into the loop."""
        with self._lock:
            self._wakeups += 1

    def note_idle(self, wakeups: int, seconds: float | None) -> None:
        """Note that the loop is idle for ``seconds``, unless there were more wakeups than ``wakeups``."""
        with self._lock:
            self._idle_until = (wakeups, math.inf if seconds is None else self._now + seconds)
            self._became_idle.notify_all()

    def note_busy(self) -> None:
        """Note that the loop is no longer idle."""
        with self._lock:
            self._idle_until = None

    def busy_since(self) -> float | None:
        """Return when the loop began what it does, by ``time.monotonic()``; None while it waits."""
        return self._busy_since

    def note_step(self) -> None:
        """Note that the loop begins to run what is due."""
        self._busy_since = time.monotonic()

    def end_step(self) -> bool:
        """Note that the loop has run what was due; return whether user code blocked it: then time passes."""
        since, self._busy_since = self._busy_since, None
        engine = self._engine()
        blocked = None if engine is None or since is None else engine.monitor.find(since)
        if blocked is None:
            return False
        blocked.ended = time.monotonic()
        self.advance(blocked.seconds)
        return True

    def begin_work(self) -> None:
        """Note that a handler begins to work in this thread."""
        self._work.began = time.monotonic(), self._now + self._stalled

    def end_work(self) -> bool:
        """Let the time of the work pass, except what has passed meanwhile; return whether there was any."""
        began: tuple[float, float] | None = getattr(self._work, "began", None)
        self._work.began = None
        if began is None:
            return False
        worked, passed = time.monotonic() - began[0], self._now + self._stalled - began[1]
        if worked >= BLOCKED_SECONDS and worked > passed:
            self.advance(worked - passed)
        return True

    def note_thread(self, change: int) -> None:
        """Note that a thread begins (1) or ends (-1) work for the loop, in which no virtual time passes."""
        engine = self._engine()
        if isinstance(engine, VirtualEngine):
            engine.count_thread(change)

    def advance_if_allowed(self, seconds: float) -> bool:
        """Advance by ``seconds`` if time may pass now; return whether it did."""
        engine = self._engine()
        if engine is None or engine.working > 0 or engine.waiting <= 0:
            return False
        self.advance(seconds)
        return True

    def advance(self, seconds: float, *, stalled: float = 0.0) -> None:
        """Advance by ``seconds``, even if a handler runs; that counts for its ``stalled`` real seconds."""
        with self._lock:
            self._stalled += max(stalled - seconds, 0.0)
            self._now += seconds


class VirtualEngine(Engine):
    """An engine with a virtual clock.

    Args:
        make_loop: creates the event loop for the clock; by default a ``VirtualLoop``.

    Attributes:
        awaited_tasks: the tasks that threads outside the loop wait for.
        external_work: the number of running operations outside this process.
    """

    clock: VirtualClock

    def __init__(self, make_loop: Callable[[VirtualClock], VirtualLoop] | None = None) -> None:
        clock = self.clock = VirtualClock(self)
        make = make_loop or VirtualLoop
        self.awaited_tasks: set[asyncio.Task[Any]] = set()
        self.external_work = 0
        super().__init__(lambda: make(clock))
        self.monitor.seconds = BLOCKED_SECONDS

    def _heartbeat(self, loop: asyncio.AbstractEventLoop) -> VirtualClock:  # noqa: ARG002 - as declared
        """Return the clock: a question to the loop would wake it, and change the order of its work."""
        return self.clock

    def time(self) -> float:
        """Return the virtual Unix time in seconds."""
        return EPOCH + self.clock.now()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run ``coroutine`` on the loop and block until it is done; to wait for it is no work."""
        works = self.clock.end_work()
        try:
            return super().run(coroutine)
        finally:
            if works:
                self.clock.begin_work()

    async def _run_in_thread(self, semaphore: asyncio.Semaphore, function: Callable[[], T]) -> T:
        if semaphore in {self._thread_slots, self._background_slots}:  # no code for which a caller waits
            return await super()._run_in_thread(semaphore, function)

        def work() -> T:
            self.clock.begin_work()
            try:
                return function()
            finally:
                self.clock.end_work()

        return await super()._run_in_thread(semaphore, work)

    async def _counted(self, coroutine: Coroutine[Any, Any, T], worker: int) -> T:
        task = asyncio.current_task()
        if task is None:
            raise AssertionError
        self.awaited_tasks.add(task)
        try:
            return await super()._counted(coroutine, worker)
        finally:
            self.awaited_tasks.discard(task)

    def count_thread(self, change: int) -> None:
        """Count a thread that works for the loop, such as that of a store: it works like a handler."""
        self._count(working=change)

    @contextlib.asynccontextmanager
    async def hold_time(self) -> AsyncIterator[None]:
        """Let no time pass during work outside this process, such as that of a disk or a server."""
        self._count(working=1)
        self.external_work += 1
        try:
            yield
        finally:
            self.external_work -= 1
            self._count(working=-1)


def virtual_engine() -> VirtualEngine:
    """Return an engine with virtual time."""
    return VirtualEngine()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time.

    Args:
        clock: its clock.
        selector: its selector; by default a ``VirtualSelector``.
    """

    def __init__(self, clock: VirtualClock, selector: VirtualSelector | None = None) -> None:
        self._clock = clock
        super().__init__(selector or VirtualSelector(clock))

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._clock.now()

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Note the wakeup, and schedule the callback."""
        self._clock.note_wakeup()
        return super().call_soon_threadsafe(callback, *args, context=context)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run ``func`` in a thread; no virtual time passes until it returns."""
        future = super().run_in_executor(executor, func, *args)
        self._clock.note_thread(1)
        future.add_done_callback(lambda _done: self._clock.note_thread(-1))
        return future


class VirtualSelector(selectors.DefaultSelector):
    """A selector that advances the clock to the next timer instead of sleeping until it is due.

    Args:
        clock: the clock of the loop.
    """

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self._stalls = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        """Return what is ready, or let time pass."""
        if self._clock.end_step():
            timeout = 0  # the next timer may be due
        try:
            return self._wait(timeout)
        finally:
            self._clock.note_step()

    def _wait(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, Any]]:
        wakeups = self._clock.wakeups  # read first: the loop is not idle after a later wakeup
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None and self._clock.advance_if_allowed(timeout):
            return []
        # No thread waits, or a handler runs: a change of that wakes the loop.
        self._clock.note_idle(wakeups, timeout)
        ready = super().select(None if timeout is None else STALL_SECONDS)
        self._clock.note_busy()
        self._stalls = 0 if ready else self._stalls + 1
        held = self._clock.is_held_externally and self._stalls < MAX_HELD_STALLS
        if not ready and timeout is not None and self._clock.is_awaited and not held:
            # A handler that waits for its threads cannot be distinguished from one that works.
            self._clock.advance(timeout, stalled=STALL_SECONDS)
        return ready
