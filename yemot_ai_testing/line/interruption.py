"""Interruptions: the caller hangs up or presses keys while the application is busy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from yemot_ai_testing.line.clock import Clock, is_virtual

__all__ = ["Interruption", "always", "hang_up_when_due", "no_interruption", "poll_in_thread"]

POLL_INTERVAL = 0.01
"""Seconds between two looks at the clock while a request is open."""


class Interruption:
    """A hang-up or key presses, once, at a time and under a condition.

    Args:
        keys: the keys to press, or None to hang up.
        after: seconds after the end of the caller's verb.
        when: the condition; the interruption waits until it returns True.
    """

    def __init__(self, keys: str | None, after: float, when: Callable[[], bool]) -> None:
        self.keys = keys
        self.done = False
        self._after = after
        self._when = when
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return "hangs up" if self.keys is None else f"presses {self.keys}"

    def seconds_until_due(self, elapsed: float) -> float | None:
        """Return in how many seconds this is due; None if it is done or its condition is false.

        Args:
            elapsed: seconds since the end of the caller's verb.
        """
        if self.done or not self._when():
            return None
        return max(self._after - elapsed, 0.0)

    def claim(self) -> bool:
        """Mark this as done; return True for the first caller only."""
        with self._lock:
            is_first = not self.done
            self.done = True
            return is_first


def always() -> bool:
    """Return True: the default condition of an interruption."""
    return True


def no_interruption() -> Interruption:
    """Return an interruption that is done already."""
    interruption = Interruption(None, 0.0, always)
    interruption.claim()
    return interruption


@contextmanager
def poll_in_thread(check: Callable[[], bool], *, name: str) -> Iterator[None]:
    """Call ``check`` again and again in another thread, until it returns True or the context ends.

    Args:
        check: what to do while a request is open, in real time.
        name: the name of the thread.
    """
    settled = threading.Event()

    def poll() -> None:
        while not settled.wait(POLL_INTERVAL) and not check():
            pass

    thread = threading.Thread(target=poll, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        settled.set()
        thread.join()


@contextmanager
def hang_up_when_due(
    interruption: Interruption, clock: Clock, verb_ended_at: float, hang_up: Callable[[], None]
) -> Iterator[None]:
    """Hang up from another thread while a request is open, in real time.

    In virtual time nothing happens during a request; there the driver checks the interruption at each poll.
    """
    if interruption.done or interruption.keys is not None or is_virtual(clock):
        yield
        return

    def hang_up_if_due() -> bool:
        is_due = interruption.seconds_until_due(clock.now() - verb_ended_at) == 0.0 and interruption.claim()
        if is_due:
            hang_up()
        return is_due

    with poll_in_thread(hang_up_if_due, name="yemot-caller"):
        yield
