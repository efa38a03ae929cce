"""Functions that run at times of the line's clock while the application answers a verb.

>>> from yemot_ai_testing.line.clock import WallClock
>>> schedule, opened = Schedule(WallClock()), []
>>> schedule.call(lambda: opened.append("room"), after=2.0)
>>> schedule.start(held=False)
>>> schedule.advance(1.5), opened
(None, [])
>>> schedule.advance(1.5), opened
(None, ['room'])
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from yemot_ai_testing.errors import NeverDueError
from yemot_ai_testing.line.clock import Clock, is_virtual
from yemot_ai_testing.line.interruption import poll_in_thread

__all__ = ["Schedule", "ScheduledFunction", "check_performed"]

MIN_OPEN_SECONDS = 0.1
"""How long the first request must be open before something happens: the server should have it by then."""


class ScheduledFunction:
    """A function that runs once.

    Args:
        function: the function.
        after: seconds after the end of the caller's verb; of a silence, after its start.
        name: what it does, for messages.

    Attributes:
        done: whether it has run, or is running.
        error: what it raised.
    """

    def __init__(self, function: Callable[[], object], after: float, name: str) -> None:
        self.name = name
        self.after = after
        self.done = False
        self.error: BaseException | None = None
        self._function = function
        self._lock = threading.RLock()

    def perform(self, on_run: Callable[[str], object]) -> None:
        """Run the function unless it has run; a thread that comes second waits for the first."""
        with self._lock:
            if self.done:
                return
            self.done = True
            on_run(self.name)
            try:
                self._function()
            except BaseException as error:  # noqa: BLE001 - raised in the caller's thread, at the end of the verb
                self.error = error


class Schedule:
    """A clock that runs functions at their times, and otherwise is the clock that it wraps.

    Args:
        clock: the clock of the line.

    Attributes:
        inner: that clock.
        on_run: is called with the name of each function before it runs.
    """

    def __init__(self, clock: Clock) -> None:
        self.inner = clock
        self.on_run: Callable[[str], object] = str
        self._functions: list[ScheduledFunction] = []
        self._started_at: float | None = None
        self._released_at: float | None = None

    def call(self, function: Callable[[], object], *, after: float = 0.0, name: str = "a function") -> None:
        """Run a function while the application answers the next verb, such as one that opens a waiting room.

        Args:
            function: takes no arguments. It runs after the first request of the verb, between two requests
                of the line; in real time also while one is open, in another thread. The line stops at its
                exception and raises it.
            after: seconds after the end of the verb; of a silence, after its start.
            name: what it does, for the message if it was not due.
        """
        self._functions.append(ScheduledFunction(function, after, name))

    @property
    def latest(self) -> float:
        """When the last of the functions runs, in seconds after the verb; 0 without any."""
        return max((function.after for function in self._functions), default=0.0)

    def start(self, *, held: bool) -> None:
        """Count the times of the functions from now.

        Args:
            held: wait for ``release``.
        """
        self._started_at = self.now()
        self._released_at = None if held else self._started_at

    def release(self) -> None:
        """Let the functions run from now: the first request of the verb is sent."""
        if self._released_at is None:
            self._released_at = self.now()

    def stop(self) -> list[ScheduledFunction]:
        """Return all functions and forget them."""
        functions, self._functions, self._started_at = self._functions, [], None
        return functions

    def raise_error(self) -> None:
        """Raise the first exception of a function, if there is one."""
        for function in self._functions:
            if function.error is not None:
                raise function.error

    def now(self) -> float:
        """Return the time of the line in seconds."""
        return self.inner.now()

    def sleep(self, seconds: float) -> None:
        """Let time pass for the line and the server."""
        self._pass(seconds, self.inner.sleep)

    def advance(self, seconds: float) -> None:
        """Let time pass for the line only."""
        self._pass(seconds, self.inner.advance)

    def perform_due(self) -> None:
        """Run what is due now."""
        for function in self._due_until(self.now()):
            function.perform(self.on_run)

    @contextmanager
    def watch_requests(self) -> Iterator[None]:
        """Run what becomes due while a request is open, in another thread and in real time.

        In virtual time nothing happens during a request; there the functions run before the next one.
        """
        if not self._functions or is_virtual(self.inner):
            yield
            return
        with poll_in_thread(self._perform_while_open, name="yemot-schedule"):
            yield

    def _perform_while_open(self) -> bool:
        """Run what is due; return False: more may become due."""
        if self._released_at is not None and self.now() - self._released_at >= MIN_OPEN_SECONDS:
            self.perform_due()
        return False

    def _pass(self, seconds: float, wait: Callable[[float], None]) -> None:
        end = self.now() + seconds
        functions = self._due_until(end)
        if not functions:
            wait(seconds)
            return
        for function in functions:
            self._wait_until(self._due_at(function), wait)
            function.perform(self.on_run)
        self._wait_until(end, wait)

    def _wait_until(self, at: float, wait: Callable[[float], None]) -> None:
        seconds = at - self.now()
        if seconds > 0:
            wait(seconds)

    def _due_until(self, end: float) -> list[ScheduledFunction]:
        """Return the functions that are due until ``end``, the earliest first."""
        if self._started_at is None or self._released_at is None:
            return []
        pending = [function for function in self._functions if not function.done]
        return sorted(
            (function for function in pending if self._due_at(function) <= end), key=lambda one: one.after
        )

    def _due_at(self, function: ScheduledFunction) -> float:
        return (self._started_at or 0.0) + function.after


def check_performed(functions: Sequence[ScheduledFunction], *, seconds: float, waits_for: str) -> None:
    """Check that all functions have run.

    Args:
        functions: those of one verb.
        seconds: how long the application answered the verb.
        waits_for: what the line waits for, as a clause.

    Raises:
        NeverDueError: a function was not due in that time.
    """
    for function in functions:
        if not function.done:
            raise NeverDueError(function.name, after=function.after, seconds=seconds, waits_for=waits_for)
