"""What a caller does while the application is still busy: hang up, or press a key at a poll."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from yemot_ai_testing.line.clock import Clock, is_virtual

__all__ = ["Interruption", "always", "hang_up_when_due"]

POLL_INTERVAL = 0.01
"""Seconds between two looks at a gate; how long the order of things depends on is the gate's own."""


class Interruption:
    """Something that happens once, at a time and behind a gate.

    Args:
        keys: the keys to be pressed, or None for hanging up.
        after: seconds after the caller's verb has ended.
        when: nothing happens before this is true.
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
        """Return in how many seconds this is due, or None while its gate is shut or it is done.

        Args:
            elapsed: seconds since the caller's verb ended.
        """
        if self.done or not self._when():
            return None
        return max(self._after - elapsed, 0.0)

    def claim(self) -> bool:
        """Claim the one time this happens."""
        with self._lock:
            first = not self.done
            self.done = True
            return first


def always() -> bool:
    """Return True: a gate that is always open."""
    return True


@contextmanager
def hang_up_when_due(
    interruption: Interruption | None, clock: Clock, verb_ended_at: float, hang_up: Callable[[], None]
) -> Iterator[None]:
    """Hang up beside a request that is open, in real time.

    In virtual time nothing happens beside a request: there the line itself looks, at each poll.
    """
    if interruption is None or interruption.keys is not None or is_virtual(clock):
        yield
        return
    settled = threading.Event()

    def watch() -> None:
        while not settled.wait(POLL_INTERVAL):
            if interruption.seconds_until_due(clock.now() - verb_ended_at) == 0.0 and interruption.claim():
                hang_up()
                return

    watcher = threading.Thread(target=watch, name="yemot-caller", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        settled.set()
        watcher.join()
