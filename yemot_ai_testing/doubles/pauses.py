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

__all__ = ["PAUSE_POINTS", "Pause", "PausePoint", "wait_until_open"]

PausePoint: TypeAlias = Literal["asked", "first_text", "last_text"]
PAUSE_POINTS: Final[tuple[PausePoint, ...]] = get_args(PausePoint)
"""Where: nothing is written yet; the first piece is handed over; all of the text is, but not its end."""

TIMEOUT: Final = 10.0


class Pause:
    """One point at which questions stand until ``release``; safe for threads."""

    def __init__(self) -> None:
        self._gate = Gate()
        self._point: PausePoint | None = None
        self._condition = threading.Condition()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many questions stand there now."""
        return self._waiting

    def set_point(self, point: PausePoint) -> None:
        """Let every later question stand at ``point``; another point that was said before counts no more.

        Raises:
            ValueError: there is no such point.
        """
        if point not in PAUSE_POINTS:
            raise ValueError(f"a model pauses at {', '.join(PAUSE_POINTS)}, not at {point!r}")
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
        with self._condition:
            if not self._condition.wait_for(lambda: self._waiting >= count, TIMEOUT):
                raise TimeoutError(f"{self._waiting} of {count} questions stand within {TIMEOUT:g} s")

    async def wait_at(self, point: PausePoint) -> None:
        """Stand still if this is the point."""
        with self.waiting_at(point) as gate:
            if gate is not None:
                await wait_until_open(gate)

    @contextmanager
    def waiting_at(self, point: PausePoint) -> Iterator[Gate | None]:
        """Count a question that stands at the gate this gives; None where ``point`` is not the one."""
        if point != self._point:
            yield None
            return
        self._add_waiting(1)
        try:
            yield self._gate
        finally:
            self._add_waiting(-1)

    def _add_waiting(self, more: int) -> None:
        with self._condition:
            self._waiting += more
            self._condition.notify_all()


async def wait_until_open(gate: Gate) -> None:
    """Wait, on an event loop, until ``gate`` is open."""
    loop, opened = asyncio.get_running_loop(), asyncio.Event()
    gate.when_open(lambda: loop.call_soon_threadsafe(opened.set))
    await opened.wait()
