"""Sessions in the memory of one process."""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from yemot_ai.errors import SessionConflictError
from yemot_ai.sessions.leases import DEFAULT_LEASE, Hold
from yemot_ai.sessions.session import Session

__all__ = ["MemoryStore"]

SESSIONS_PER_SWEEP = 2
"""Every save looks at so many of the oldest sessions of a ttl: what has expired goes, at a constant cost."""


class _Entry(NamedTuple):
    session: Session
    saved: float
    expires: float


class _Waiter(NamedTuple):
    token: str
    seconds: float
    granted: Future[None]


@dataclass(slots=True)
class _HeldKey:
    token: str
    expires: float
    waiters: deque[_Waiter] = field(default_factory=deque)


class MemoryStore:
    """Keeps sessions in this process; they are gone when it ends.

    Args:
        now: the clock, in seconds.
    """

    immediate = True

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        # A shelf for each ttl: on it, what was saved first also expires first. There are two, for calls
        # and for callers, whose memory is kept for months and would hide calls that have expired.
        self._by_ttl: dict[float, OrderedDict[str, _Entry]] = {}
        self._held_keys: dict[str, _HeldKey] = {}

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None."""
        kept = self._find(call_id)
        return kept.session if kept and kept.expires > self._now() else None

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Store ``session``; ``ttl`` in seconds.

        Raises:
            SessionConflictError: somebody saved a newer version.
        """
        now = self._now()
        with self._lock:
            self._sweep(now)
            kept = self._find(session.call_id)
            newest = kept.session.version if kept and kept.expires > now else 0
            if newest != session.version:
                raise SessionConflictError(session.call_id, expected=session.version)
            saved = replace(session, version=session.version + 1)
            shelf = self._by_ttl.setdefault(ttl, OrderedDict())
            shelf[session.call_id] = _Entry(saved, now, now + ttl)
            shelf.move_to_end(session.call_id)
            # Afterwards: whoever loads meanwhile, without the lock, must find one or the other.
            self._drop(session.call_id, keep_in=shelf)
        return saved

    async def delete(self, call_id: str) -> None:
        """Drop the session."""
        with self._lock:
            self._drop(call_id)

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        """Be alone under ``key``."""
        return Hold(self, key, lease=lease)

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the calls that have a session, the longest silent first."""
        now = self._now()
        with self._lock:
            shelves = [list(shelf.items()) for shelf in self._by_ttl.values()]
        for call_id, kept in heapq.merge(*shelves, key=lambda item: item[1].saved):
            if kept.saved + idle > now:
                return
            if kept.expires > now:
                yield call_id

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return which of these calls have ended."""
        found = ((call_id, self._find(call_id)) for call_id in call_ids)
        return frozenset(call_id for call_id, kept in found if kept and kept.session.ended)

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        """Take a lease; whoever has to wait is served in order of arrival."""
        with self._lock:
            held = self._held_keys.setdefault(key, _HeldKey(token, self._now() + seconds))
            if held.token == token or held.expires <= self._now():
                held.token, held.expires = token, self._now() + seconds
                return True
            waiting = _Waiter(token, seconds, Future())
            held.waiters.append(waiting)
            left = held.expires - self._now()
        await asyncio.wait({asyncio.wrap_future(waiting.granted)}, timeout=left)
        with self._lock:
            if waiting in held.waiters:
                held.waiters.remove(waiting)
            return held.token == token

    async def renew(self, key: str, token: str, seconds: float) -> bool:
        """Renew a lease."""
        with self._lock:
            held = self._held_keys.get(key)
            if held is None or held.token != token:
                return False
            held.expires = self._now() + seconds
            return True

    async def release(self, key: str, token: str) -> None:
        """Let go, and serve the next."""
        with self._lock:
            held = self._held_keys.get(key)
            if held is None:
                return
            if held.token != token:  # gave up waiting: it never held the key
                held.waiters = deque(one for one in held.waiters if one.token != token)
                return
            if not held.waiters:
                del self._held_keys[key]
                return
            following = held.waiters.popleft()
            held.token, held.expires = following.token, self._now() + following.seconds
        following.granted.set_running_or_notify_cancel()
        if not following.granted.cancelled():
            following.granted.set_result(None)

    def _find(self, call_id: str) -> _Entry | None:
        for shelf in tuple(self._by_ttl.values()):
            kept = shelf.get(call_id)
            if kept is not None:
                return kept
        return None

    def _drop(self, call_id: str, *, keep_in: OrderedDict[str, _Entry] | None = None) -> None:
        for shelf in self._by_ttl.values():
            if shelf is not keep_in:
                shelf.pop(call_id, None)

    def _sweep(self, now: float) -> None:
        for ttl, shelf in tuple(self._by_ttl.items()):
            for _ in range(min(SESSIONS_PER_SWEEP, len(shelf))):
                oldest, kept = next(iter(shelf.items()))
                if kept.expires > now:
                    break
                del shelf[oldest]
            if not shelf:
                del self._by_ttl[ttl]
