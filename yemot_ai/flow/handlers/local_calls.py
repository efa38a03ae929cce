"""State of calls that only this process has: attributes, the in-flight run, the newest polls.

A request can be answered without it, by another worker.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from yemot_ai.flow.handlers.inflight import InflightRun
from yemot_ai.sessions import CachedResponse, HandlerOutcome

__all__ = ["LocalCall", "LocalCalls"]

MAX_POLLS = 4
CALLS_PER_SWEEP = 2
"""Each request checks this many of the calls that are idle longest, so that its cost is constant."""


@dataclass(slots=True)
class LocalCall:
    """One call, in this process.

    Attributes:
        attributes: the attributes that the developer has set on ``call``.
        inflight: the newest run of a plain handler.
        polls: the newest responses to polls, which are not saved.
        last_request: monotonic time of the last request.
    """

    attributes: dict[str, Any] = field(default_factory=dict)
    inflight: InflightRun | None = None
    polls: tuple[CachedResponse, ...] = ()
    last_request: float = 0.0

    def add_poll(self, response: CachedResponse) -> None:
        """Cache the response to a poll."""
        self.polls = (*self.polls, response)[-MAX_POLLS:]


class LocalCalls:
    """The calls of this process; calls without a request for ``ttl`` seconds are removed.

    Args:
        ttl: seconds.
        on_removed: called with the id of each removed call.
    """

    def __init__(self, ttl: float, on_removed: Callable[[str], object]) -> None:
        self._ttl = ttl
        self._on_removed = on_removed
        self._lock = threading.Lock()
        self._calls: OrderedDict[str, LocalCall] = OrderedDict()

    def get_or_create(self, call_id: str) -> LocalCall:
        """Return the call, creating it if necessary, and record the time."""
        now = time.monotonic()
        with self._lock:
            call = self._calls.setdefault(call_id, LocalCall())
            call.last_request = now
            self._calls.move_to_end(call_id)
            removed = self._sweep(now)
        for removed_id in removed:
            self._on_removed(removed_id)
        return call

    def ids(self) -> tuple[str, ...]:
        """Return the ids of the calls."""
        with self._lock:
            return tuple(self._calls)

    def running_tasks(self) -> list[asyncio.Task[HandlerOutcome]]:
        """Return the tasks of the runs that are not done."""
        with self._lock:
            runs = [call.inflight for call in self._calls.values() if call.inflight]
        return [run.task for run in runs if not run.task.done()]

    def drop(self, call_id: str) -> None:
        """Remove a call, unless its handler runs."""
        with self._lock:
            call = self._calls.get(call_id)
            if call is None or (call.inflight and not call.inflight.task.done()):
                return
            del self._calls[call_id]
        self._on_removed(call_id)

    def pop(self, call_id: str) -> LocalCall | None:
        """Remove a call and return it."""
        with self._lock:
            call = self._calls.pop(call_id, None)
        self._on_removed(call_id)
        return call

    def _sweep(self, now: float) -> list[str]:
        removed = []
        for _ in range(CALLS_PER_SWEEP):
            call_id, oldest = next(iter(self._calls.items()))
            if oldest.last_request + self._ttl > now:
                break
            if oldest.inflight and not oldest.inflight.task.done():
                self._calls.move_to_end(call_id)  # still running; it must not block the removal of others
                continue
            del self._calls[call_id]
            removed.append(call_id)
        return removed
