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
import selectors
import weakref
from collections.abc import Iterator
from typing import Any

from yemot_ai.engine import Engine

STUCK = 1.0
"""Real seconds without a sign of life after which virtual time passes although a handler works."""

EPOCH = 1_767_225_600.0
"""Unix time at which an engine's virtual time begins: a fixed second, so that runs can be compared."""

__all__ = ["VirtualClock", "VirtualEngine", "virtual_engine"]


class VirtualClock:
    """Seconds that pass only when somebody waits.

    Args:
        engine: whose time it is.
    """

    def __init__(self, engine: Engine) -> None:
        # Weak, for the engine's own thread holds the clock: an engine nobody needs can go.
        self._engine = weakref.ref(engine)
        self._now = 0.0

    def now(self) -> float:
        """Return seconds since the engine was made."""
        return self._now

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for the engine."""
        engine = self._engine()
        return engine is not None and engine.waiting > 0

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass, with all that is due in them; not for the engine's own loop."""
        engine = self._engine()
        if engine is not None:
            engine.run(asyncio.sleep(seconds))

    def jump(self, seconds: float) -> bool:
        """Move on by ``seconds`` if time may pass now; tell whether it did."""
        engine = self._engine()
        if engine is None or engine.working > 0 or engine.waiting <= 0:
            return False
        self._now += seconds
        return True

    def jump_anyway(self, seconds: float) -> None:
        """Move on by ``seconds``, whoever is at work."""
        self._now += seconds


class VirtualEngine(Engine):
    """An engine with a virtual clock."""

    clock: VirtualClock

    def __init__(self) -> None:
        self.clock = VirtualClock(self)
        super().__init__(lambda: _VirtualLoop(self.clock))

    def time(self) -> float:
        """Return a Unix time in seconds that passes with the virtual clock."""
        return EPOCH + self.clock.now()

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let no time pass while something outside this process is at work: a disk, a server."""
        self._count(working=1)
        try:
            yield
        finally:
            self._count(working=-1)


def virtual_engine() -> VirtualEngine:
    """Make an engine with virtual time."""
    return VirtualEngine()


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        super().__init__(_VirtualSelector(clock))

    def time(self) -> float:
        return self._clock.now()


class _VirtualSelector(selectors.DefaultSelector):
    """Where the loop would sleep until a timer is due, time jumps there instead."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None and self._clock.jump(timeout):
            return []
        # Nobody waits, or a handler is at work: whoever changes that wakes the loop.
        ready = super().select(None if timeout is None else STUCK)
        if not ready and timeout is not None and self._clock.is_awaited:
            # A handler that waits for threads of its own looks like one at work.
            self._clock.jump_anyway(timeout)
        return ready
