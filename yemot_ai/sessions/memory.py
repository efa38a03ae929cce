"""Sessions in the memory of one process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import replace

from yemot_ai.errors import SessionConflictError
from yemot_ai.sessions.session import Session

__all__ = ["MemoryStore"]

SWEPT_PER_SAVE = 2
"""Every save looks at this many of the oldest sessions: what has expired goes, at a constant cost."""


class MemoryStore:
    """Keeps sessions in this process; they are gone when it ends.

    Args:
        now: the clock, in seconds.
    """

    immediate = True

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Session, float]] = OrderedDict()
        self._queues: dict[str, deque[Future[None]]] = {}

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None."""
        session, expires = self._kept.get(call_id, (None, 0.0))
        return session if expires > self._now() else None

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Store ``session``; ``ttl`` in seconds.

        Raises:
            SessionConflictError: somebody saved a newer version.
        """
        now = self._now()
        with self._lock:
            self._sweep(now)
            stored, expires = self._kept.get(session.call_id, (None, 0.0))
            newest = stored.version if stored and expires > now else 0
            if newest != session.version:
                raise SessionConflictError(session.call_id, expected=session.version)
            saved = replace(session, version=session.version + 1)
            self._kept[session.call_id] = (saved, now + ttl)
            self._kept.move_to_end(session.call_id)
        return saved

    async def delete(self, call_id: str) -> None:
        """Drop the session."""
        with self._lock:
            self._kept.pop(call_id, None)

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Be alone under ``key``; whoever waits is served in order of arrival."""
        turn = self._queue_up(key)
        try:
            if turn is not None:
                await asyncio.wrap_future(turn)
            yield
        finally:
            self._serve_next(key, turn)

    async def call_ids(self) -> AsyncIterator[str]:
        """Iterate over the calls that have a session."""
        for call_id in list(self._kept):
            yield call_id

    def _sweep(self, now: float) -> None:
        for _ in range(min(SWEPT_PER_SAVE, len(self._kept))):
            oldest = next(iter(self._kept))
            if self._kept[oldest][1] > now:
                return
            del self._kept[oldest]

    def _queue_up(self, key: str) -> Future[None] | None:
        with self._lock:
            if key not in self._queues:
                self._queues[key] = deque()
                return None
            turn: Future[None] = Future()
            self._queues[key].append(turn)
            return turn

    def _serve_next(self, key: str, turn: Future[None] | None) -> None:
        with self._lock:
            queue = self._queues[key]
            if turn is not None and turn in queue:  # gave up waiting: it never held the key
                queue.remove(turn)
                return
            while queue:
                following = queue.popleft()
                if following.set_running_or_notify_cancel():
                    following.set_result(None)
                    return
            del self._queues[key]
