"""The time a call lives in.

Playing a sentence takes seconds on a phone and nothing in a test, so a clock knows two ways for
time to go by: what the *line* is busy with (``advance``) and what the *server* must be given
(``sleep``). On the wall only the second really passes; on a virtual clock neither does.

    >>> clock = WallClock()
    >>> before = clock.now()
    >>> clock.advance(60)
    >>> clock.now() - before >= 60
    True
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

__all__ = ["Clock", "CombinedClock", "EngineClock", "VirtualTime", "WallClock", "clock_of", "is_virtual"]


class Clock(Protocol):
    """What the line asks of time. All numbers are seconds."""

    def now(self) -> float:
        """Return a time that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass for the line and for the server."""
        ...

    def advance(self, seconds: float) -> None:
        """Let time pass that the server does not need: playing, speaking, typing."""
        ...


@runtime_checkable
class VirtualTime(Protocol):
    """A clock that belongs to the application: sleeping lets everything due in that time happen."""

    def now(self) -> float:
        """Return the virtual time in seconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` of virtual time pass."""
        ...


class WallClock:
    """Real time, plus what the line has been playing."""

    __slots__ = ("_offset",)

    def __init__(self) -> None:
        self._offset = 0.0

    def now(self) -> float:
        """Return real seconds plus those spent on playing and speaking."""
        return time.monotonic() + self._offset

    def sleep(self, seconds: float) -> None:
        """Really wait: whatever the server does meanwhile, it does in real time."""
        time.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Add to the offset; nobody waits."""
        self._offset += seconds


class EngineClock:
    """The application's own virtual time; spending is sleeping, for neither costs anything."""

    __slots__ = ("_time",)

    def __init__(self, virtual: VirtualTime) -> None:
        self._time = virtual

    def now(self) -> float:
        """Return the virtual time in seconds."""
        return self._time.now()

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._time.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Let virtual time pass: what the server does, it also does while the line is playing."""
        self._time.sleep(seconds)


class CombinedClock:
    """The virtual times of several applications in one call, kept together.

    Time passes in one of them while it answers; the others catch up whenever anybody looks.
    """

    def __init__(self, clocks: Sequence[EngineClock]) -> None:
        self._clocks = [(clock, clock.now()) for clock in clocks]
        self._lock = threading.RLock()

    def now(self) -> float:
        """Return the virtual time in seconds: that of whoever is furthest."""
        with self._lock:
            passed = [clock.now() - began for clock, began in self._clocks]
            furthest = max(passed)
            for (clock, _), own in zip(self._clocks, passed, strict=True):
                if own < furthest:
                    clock.sleep(furthest - own)
            return furthest

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass everywhere."""
        with self._lock:
            self.now()
            for clock, _ in self._clocks:
                clock.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Let virtual time pass everywhere."""
        self.sleep(seconds)


def is_virtual(clock: Clock) -> bool:
    """Whether nothing can happen beside a request, for time passes in the caller's own thread."""
    return isinstance(clock, EngineClock | CombinedClock)


def clock_of(app: object) -> Clock:
    """Return the clock that ``app`` lives in: its engine's virtual one, else the wall.

    Args:
        app: an ``AIFlow`` or anything else that can be called on the line.
    """
    engine = getattr(getattr(app, "ai", None), "engine", None)
    virtual = getattr(engine, "clock", None)
    return EngineClock(virtual) if isinstance(virtual, VirtualTime) else WallClock()
