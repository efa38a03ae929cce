"""Clocks of the simulated line.

Playing a sentence takes seconds on a phone and no time in a test. So a clock has two methods:
``advance`` for time in which only the line is busy, and ``sleep`` for time that the server needs.
A ``WallClock`` really waits in ``sleep`` only; a virtual clock never waits.

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

from yemot_ai import Engine

__all__ = [
    "Clock",
    "CombinedClock",
    "EngineClock",
    "VirtualTime",
    "WallClock",
    "clock_of",
    "engine_of",
    "is_virtual",
]


@runtime_checkable
class VirtualTime(Protocol):
    """A virtual clock of the application: ``sleep`` runs everything that is due in that time."""

    def now(self) -> float:
        """Return the virtual time in seconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` of virtual time pass."""
        ...


class Clock(VirtualTime, Protocol):
    """The clock of a call: ``now`` is monotonic, ``sleep`` lets time pass for the line and the server."""

    def advance(self, seconds: float) -> None:
        """Let time pass for the line only: playing, speaking, typing."""
        ...


class WallClock:
    """Real time, plus the seconds that the line was playing."""

    __slots__ = ("_offset",)

    def __init__(self) -> None:
        self._offset = 0.0

    def now(self) -> float:
        """Return real seconds plus those of playing and speaking."""
        return time.monotonic() + self._offset

    def sleep(self, seconds: float) -> None:
        """Wait in real time, so that the server can work."""
        time.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Add to the offset without waiting."""
        self._offset += seconds


class EngineClock:
    """The application's virtual time; the server works also while the line is playing."""

    __slots__ = ("_time",)

    def __init__(self, virtual: VirtualTime) -> None:
        self._time = virtual

    def now(self) -> float:
        """Return the virtual time in seconds."""
        return self._time.now()

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._time.sleep(seconds)

    advance = sleep


class CombinedClock:
    """The virtual times of several applications in one call, kept equal.

    Time passes in one of them while it answers; ``now`` advances the others to it.
    """

    def __init__(self, clocks: Sequence[EngineClock]) -> None:
        self._clocks = [(clock, clock.now()) for clock in clocks]
        self._lock = threading.RLock()

    def now(self) -> float:
        """Return the greatest of the virtual times, in seconds."""
        with self._lock:
            elapsed = [clock.now() - start for clock, start in self._clocks]
            latest = max(elapsed)
            for (clock, _), own in zip(self._clocks, elapsed, strict=True):
                if own < latest:
                    clock.sleep(latest - own)
            return latest

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass in all of them."""
        with self._lock:
            self.now()
            for clock, _ in self._clocks:
                clock.sleep(seconds)

    advance = sleep


def is_virtual(clock: Clock) -> bool:
    """Whether time passes in the caller's thread, so that nothing can happen during a request."""
    return isinstance(getattr(clock, "inner", clock), EngineClock | CombinedClock)


def clock_of(app: object) -> Clock:
    """Return the virtual clock of the engine of ``app``, else a ``WallClock``.

    Args:
        app: an ``AIFlow``, or any application that a ``Caller`` accepts.
    """
    engine = getattr(getattr(app, "ai", None), "engine", None)
    virtual = getattr(engine, "clock", None)
    return EngineClock(virtual) if isinstance(virtual, VirtualTime) else WallClock()


def engine_of(app: object) -> Engine | None:
    """Return the engine of ``app``; None if it is no ``AIFlow``."""
    engine = getattr(getattr(app, "ai", None), "engine", None)
    return engine if isinstance(engine, Engine) else None
