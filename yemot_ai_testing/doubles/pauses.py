"""Where a model can be made to stand still in the middle of a question, until it is told to go on.

>>> pause = Pause()
>>> pause.at("first_text")
>>> pause.at("sometime")
Traceback (most recent call last):
    ...
ValueError: a model pauses at asked, first_text, last_text, not at 'sometime'
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias, get_args

from yemot_ai_testing.doubles.script import Gate

__all__ = ["POINTS", "Pause", "Point", "passes"]

Point: TypeAlias = Literal["asked", "first_text", "last_text"]
POINTS: Final[tuple[Point, ...]] = get_args(Point)
"""Where: nothing is written yet; the first piece is handed over; all of the text is, but not its end."""

PATIENCE: Final = 10.0


class Pause:
    """One point at which questions stand until ``release``; safe for threads."""

    def __init__(self) -> None:
        self._gate = Gate()
        self._point: Point | None = None
        self._change = threading.Condition()
        self._standing = 0

    @property
    def standing(self) -> int:
        """How many questions stand there now."""
        return self._standing

    def at(self, point: Point) -> None:
        """Let every later question stand at ``point``; another point that was said before counts no more.

        Raises:
            ValueError: there is no such point.
        """
        if point not in POINTS:
            raise ValueError(f"a model pauses at {', '.join(POINTS)}, not at {point!r}")
        self._point = point
        self._gate.hold()

    def release(self) -> None:
        """Let everybody go on who stands there, and whoever comes later."""
        self._point = None
        self._gate.release()

    def wait(self, count: int = 1) -> None:
        """Block until ``count`` questions stand there.

        Raises:
            TimeoutError: they do not, within 10 s.
        """
        with self._change:
            if not self._change.wait_for(lambda: self._standing >= count, PATIENCE):
                raise TimeoutError(f"{self._standing} of {count} questions stand within {PATIENCE:g} s")

    async def reached(self, point: Point) -> None:
        """Stand still if this is the point."""
        with self.standing_at(point) as gate:
            if gate is not None:
                await passes(gate)

    @contextmanager
    def standing_at(self, point: Point) -> Iterator[Gate | None]:
        """Count a question that stands at the gate this gives; None where ``point`` is not the one."""
        if point != self._point:
            yield None
            return
        self._count(1)
        try:
            yield self._gate
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self._change:
            self._standing += more
            self._change.notify_all()


async def passes(gate: Gate) -> None:
    """Wait, on an event loop, until ``gate`` is open."""
    loop, opened = asyncio.get_running_loop(), asyncio.Event()
    gate.when_open(lambda: loop.call_soon_threadsafe(opened.set))
    await opened.wait()
