"""A point inside an answer at which a test stops a double, and resumes it.

>>> pause = Pause()
>>> pause.set_point("first_text")
>>> pause.set_point("sometime")
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
"""Before any text; after the first piece; after the whole text, before the end of the answer."""

TIMEOUT: Final = 10.0


class Pause:
    """One point at which model calls wait until ``release``; thread-safe."""

    def __init__(self) -> None:
        self._gate = Gate()
        self._point: PausePoint | None = None
        self._condition = threading.Condition()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Number of model calls that wait at the point now."""
        return self._waiting

    def set_point(self, point: PausePoint) -> None:
        """Let every later model call wait at ``point``; replaces an earlier point.

        Raises:
            ValueError: there is no such point.
        """
        if point not in PAUSE_POINTS:
            raise ValueError(f"a model pauses at {', '.join(PAUSE_POINTS)}, not at {point!r}")
        self._point = point
        self._gate.hold()

    def release(self) -> None:
        """Resume all waiting calls and remove the point."""
        self._point = None
        self._gate.release()

    def wait(self, count: int = 1) -> None:
        """Block until ``count`` model calls wait at the point.

        Raises:
            TimeoutError: fewer do after 10 s.
        """
        with self._condition:
            if not self._condition.wait_for(lambda: self._waiting >= count, TIMEOUT):
                raise TimeoutError(
                    f"{self._waiting} of {count} model calls wait at the point after {TIMEOUT:g} s"
                )

    async def wait_at(self, point: PausePoint) -> None:
        """Wait for ``release`` if ``point`` is the current point."""
        if point == self._point:
            with self.waiting_at(point) as gate:
                if gate is not None:
                    await wait_until_open(gate)

    @contextmanager
    def waiting_at(self, point: PausePoint) -> Iterator[Gate | None]:
        """Yield the gate to wait at, and count the call as waiting; None if ``point`` is not current."""
        if point != self._point:
            yield None
            return
        self._add_waiting(1)
        try:
            yield self._gate
        finally:
            self._add_waiting(-1)

    def _add_waiting(self, change: int) -> None:
        with self._condition:
            self._waiting += change
            self._condition.notify_all()


async def wait_until_open(gate: Gate) -> None:
    """Wait in a coroutine until ``gate`` is open."""
    if not gate.held:
        return
    loop, opened = asyncio.get_running_loop(), asyncio.Event()
    gate.when_open(lambda: loop.call_soon_threadsafe(opened.set))
    await opened.wait()
