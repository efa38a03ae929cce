"""What this process alone knows of a call: attributes, the run at work, polls just answered.

Nothing here is needed to answer a request; another worker answers without it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from yemot_ai.flow.handlers.inflight import InflightRun
from yemot_ai.sessions import CachedResponse

__all__ = ["LocalCall", "LocalCalls"]

MAX_POLLS = 4
CALLS_PER_SWEEP = 2
"""Every request looks at this many of the longest silent calls, so its cost does not grow."""


@dataclass(slots=True)
class LocalCall:
    """One call, in this process.

    Attributes:
        attributes: what the developer has set on ``call``.
        inflight: the newest request of a plain handler.
        polls: the newest answers to polls; they are not worth a save.
        last_request: when the last request came.
    """

    attributes: dict[str, Any] = field(default_factory=dict)
    inflight: InflightRun | None = None
    polls: tuple[CachedResponse, ...] = ()
    last_request: float = 0.0

    def add_poll(self, answer: CachedResponse) -> None:
        """Keep what a poll was answered."""
        self.polls = (*self.polls, answer)[-MAX_POLLS:]


class LocalCalls:
    """The calls of this process; those without a request for ``ttl`` seconds are let go.

    Args:
        ttl: seconds.
        on_removed: told the id of each call that goes.
    """

    def __init__(self, ttl: float, on_removed: Callable[[str], object]) -> None:
        self._ttl = ttl
        self._on_removed = on_removed
        self._lock = threading.Lock()
        self._calls: OrderedDict[str, LocalCall] = OrderedDict()

    def get_or_create(self, call_id: str) -> LocalCall:
        """Return the call, new if need be, and note that it lives."""
        now = time.monotonic()
        with self._lock:
            live = self._calls.setdefault(call_id, LocalCall())
            live.last_request = now
            self._calls.move_to_end(call_id)
            gone = self._sweep(now)
        for old in gone:
            self._on_removed(old)
        return live

    def pop(self, call_id: str) -> LocalCall | None:
        """Let a call go."""
        with self._lock:
            live = self._calls.pop(call_id, None)
        self._on_removed(call_id)
        return live

    def _sweep(self, now: float) -> list[str]:
        gone = []
        for _ in range(CALLS_PER_SWEEP):
            call_id, oldest = next(iter(self._calls.items()))
            if oldest.last_request + self._ttl > now:
                break
            if oldest.inflight and not oldest.inflight.task.done():
                self._calls.move_to_end(call_id)  # it lives, silently; it must not keep the dead ones
                continue
            del self._calls[call_id]
            gone.append(call_id)
        return gone
