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

from yemot_ai.flow.handlers.inflight import Running
from yemot_ai.sessions import Answered

__all__ = ["LiveCall", "LiveCalls"]

POLLS_KEPT = 4
LOOKED_AT = 2
"""Every request looks at this many of the longest silent calls, so its cost does not grow."""


@dataclass(slots=True)
class LiveCall:
    """One call, in this process.

    Attributes:
        attributes: what the developer has set on ``call``.
        run: the newest request of a plain handler.
        polls: the newest answers to polls; they are not worth a save.
        touched: when the last request came.
    """

    attributes: dict[str, Any] = field(default_factory=dict)
    run: Running | None = None
    polls: tuple[Answered, ...] = ()
    touched: float = 0.0

    def polled(self, answer: Answered) -> None:
        """Keep what a poll was answered."""
        self.polls = (*self.polls, answer)[-POLLS_KEPT:]


class LiveCalls:
    """The calls of this process; those without a request for ``ttl`` seconds are let go.

    Args:
        ttl: seconds.
        let_go: told the id of each call that goes.
    """

    def __init__(self, ttl: float, let_go: Callable[[str], object]) -> None:
        self._ttl = ttl
        self._let_go = let_go
        self._lock = threading.Lock()
        self._calls: OrderedDict[str, LiveCall] = OrderedDict()

    def of(self, call_id: str) -> LiveCall:
        """Return the call, new if need be, and note that it lives."""
        now = time.monotonic()
        with self._lock:
            live = self._calls.setdefault(call_id, LiveCall())
            live.touched = now
            self._calls.move_to_end(call_id)
            gone = self._sweep(now)
        for old in gone:
            self._let_go(old)
        return live

    def pop(self, call_id: str) -> LiveCall | None:
        """Let a call go."""
        with self._lock:
            live = self._calls.pop(call_id, None)
        self._let_go(call_id)
        return live

    def _sweep(self, now: float) -> list[str]:
        gone = []
        for _ in range(LOOKED_AT):
            call_id, oldest = next(iter(self._calls.items()))
            if oldest.touched + self._ttl > now:
                break
            if oldest.run and not oldest.run.task.done():
                self._calls.move_to_end(call_id)  # it lives, silently; it must not keep the dead ones
                continue
            del self._calls[call_id]
            gone.append(call_id)
        return gone
