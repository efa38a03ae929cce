"""Virtual time: an engine on which a minute of thinking costs nothing.

Its clock moves only while somebody waits for the engine and no handler is at work, and then it
jumps to whatever is due next. Nothing is guessed and nothing races: the order of events is the
order of their times.

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
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple, Unpack

from yemot_ai.runtime.engine import Engine

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STALL_SECONDS = 1.0
"""Real seconds without a sign of life after which virtual time passes although a handler works."""

EPOCH = 1_767_225_600.0
"""Unix time at which an engine's virtual time begins: a fixed second, so that runs can be compared."""

__all__ = [
    "STALL_SECONDS",
    "VirtualClock",
    "VirtualEngine",
    "VirtualLoop",
    "VirtualSelector",
    "virtual_engine",
]


class VirtualClock:
    """Seconds that pass only when somebody waits.

    Args:
        engine: whose time it is.
    """

    def __init__(self, engine: Engine) -> None:
        # Weak, for the engine's own thread holds the clock: an engine nobody needs can go.
        self._engine = weakref.ref(engine)
        self._now = 0.0
        self._lock = threading.Lock()
        self._wakeups = 0
        self._idle_until: tuple[int, float] | None = None

    def now(self) -> float:
        """Return seconds since the engine was made."""
        return self._now

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for the engine."""
        engine = self._engine()
        return engine is not None and engine.waiting > 0

    @property
    def is_working(self) -> bool:
        """Whether a handler is at work, or something outside this process."""
        engine = self._engine()
        return engine is not None and engine.working > 0

    @property
    def is_held_externally(self) -> bool:
        """Whether something outside this process is at work, which time does not overtake."""
        engine = self._engine()
        return isinstance(engine, VirtualEngine) and engine.external_work > 0

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass, with all that is due in them; not for the engine's own loop."""
        engine = self._engine()
        if engine is not None and not self._advance_if_idle(engine, seconds):
            engine.run(asyncio.sleep(seconds))

    def _advance_if_idle(self, engine: Engine, seconds: float) -> bool:
        """Move on at once, if the loop rests and nothing is due before: meeting it costs more than a turn."""
        with self._lock:
            if self._idle_until is None or engine.waiting > 0 or engine.working > 0:
                return False
            told, until = self._idle_until
            if told != self._wakeups or self._now + seconds >= until:
                return False
            self._now += seconds
            return True

    @property
    def wakeups(self) -> int:
        """How often something was handed to the loop from outside."""
        return self._wakeups

    def note_wakeup(self) -> None:
        """Note that something is about to be handed to the loop."""
        with self._lock:
            self._wakeups += 1

    def note_idle(self, wakeups: int, seconds: float | None) -> None:
        """Note that the loop has nothing to do for ``seconds``, unless more was told than ``wakeups``."""
        with self._lock:
            self._idle_until = (wakeups, math.inf if seconds is None else self._now + seconds)

    def note_busy(self) -> None:
        """Note that the loop looks around again."""
        with self._lock:
            self._idle_until = None

    def advance_if_allowed(self, seconds: float) -> bool:
        """Move on by ``seconds`` if time may pass now; tell whether it did."""
        engine = self._engine()
        if engine is None or engine.working > 0 or engine.waiting <= 0:
            return False
        self.advance(seconds)
        return True

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``, whoever is at work."""
        with self._lock:
            self._now += seconds


class VirtualEngine(Engine):
    """An engine with a virtual clock.

    Args:
        make_loop: makes the loop that lives in its time; ``VirtualLoop`` unless given.

    Attributes:
        awaited_tasks: the tasks that somebody outside the loop waits for.
        external_work: how many wait for something outside this process.
    """

    clock: VirtualClock

    def __init__(self, make_loop: Callable[[VirtualClock], VirtualLoop] | None = None) -> None:
        clock = self.clock = VirtualClock(self)
        make = make_loop or VirtualLoop
        self.awaited_tasks: set[asyncio.Task[Any]] = set()
        self.external_work = 0
        super().__init__(lambda: make(clock))

    def time(self) -> float:
        """Return a Unix time in seconds that passes with the virtual clock."""
        return EPOCH + self.clock.now()

    async def _counted(self, coroutine: Coroutine[Any, Any, T], worker: int) -> T:
        task = asyncio.current_task()
        if task is None:
            raise AssertionError
        self.awaited_tasks.add(task)
        try:
            return await super()._counted(coroutine, worker)
        finally:
            self.awaited_tasks.discard(task)

    @contextlib.asynccontextmanager
    async def hold_time(self) -> AsyncIterator[None]:
        """Let no time pass while something outside this process is at work: a disk, a server."""
        self._count(working=1)
        self.external_work += 1
        try:
            yield
        finally:
            self.external_work -= 1
            self._count(working=-1)


def virtual_engine() -> VirtualEngine:
    """Make an engine with virtual time."""
    return VirtualEngine()


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that lives in virtual time.

    Args:
        clock: its time.
        selector: where it waits; a ``VirtualSelector`` unless given.
    """

    def __init__(self, clock: VirtualClock, selector: VirtualSelector | None = None) -> None:
        self._clock = clock
        super().__init__(selector or VirtualSelector(clock))

    def time(self) -> float:
        """Return virtual seconds."""
        return self._clock.now()

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Note that somebody has given the loop something to do."""
        self._clock.note_wakeup()
        return super().call_soon_threadsafe(callback, *args, context=context)


class VirtualSelector(selectors.DefaultSelector):
    """Where the loop would sleep until a timer is due, time jumps there instead.

    Args:
        clock: the loop's time.
    """

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        """Look for what is ready, or let time pass."""
        told = self._clock.wakeups  # before looking: what is told meanwhile is no rest
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None and self._clock.advance_if_allowed(timeout):
            return []
        # Nobody waits, or a handler is at work: whoever changes that wakes the loop.
        self._clock.note_idle(told, timeout)
        ready = super().select(None if timeout is None else STALL_SECONDS)
        self._clock.note_busy()
        if (
            not ready
            and timeout is not None
            and self._clock.is_awaited
            and not self._clock.is_held_externally
        ):
            # A handler that waits for threads of its own looks like one at work.
            self._clock.advance(timeout)
        return ready
