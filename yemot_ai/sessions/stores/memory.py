"""The memory store: sessions in the memory of one process."""

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
"""Each save drops at most this many expired sessions of each ttl, at a constant cost."""


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
    """Keeps sessions in this process; they are lost when it ends.

    Args:
        now: the clock, in seconds.
    """

    immediate = True

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        # Separate for each ttl, so that what was saved first also expires first. There are two: calls, and
        # callers, whose records are kept for months and would hide calls that have expired.
        self._by_ttl: dict[float, OrderedDict[str, _Entry]] = {}
        self._held_keys: dict[str, _HeldKey] = {}

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None."""
        return self._find_session(call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Store ``session``; ``ttl`` in seconds.

        Raises:
            SessionConflictError: if a newer version has been saved.
        """
        now = self._now()
        with self._lock:
            self._sweep(now)
            entry = self._find(session.call_id)
            newest = entry.session.version if entry and entry.expires > now else 0
            if newest != session.version:
                raise SessionConflictError(session.call_id, expected=session.version)
            saved = replace(session, version=session.version + 1)
            sessions = self._by_ttl.setdefault(ttl, OrderedDict())
            sessions[session.call_id] = _Entry(saved, now, now + ttl)
            sessions.move_to_end(session.call_id)
            # After the insertion: a load, which takes no lock, must find the old entry or the new one.
            self._drop(session.call_id, keep_in=sessions)
        return saved

    async def delete(self, call_id: str) -> None:
        """Delete the session."""
        with self._lock:
            self._drop(call_id)

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        """Hold ``key`` exclusively."""
        return Hold(self, key, lease=lease, immediate=True)

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the calls that have a session, the one saved longest ago first."""
        now = self._now()
        with self._lock:
            by_ttl = [list(sessions.items()) for sessions in self._by_ttl.values()]
        for call_id, entry in heapq.merge(*by_ttl, key=lambda item: item[1].saved):
            if entry.saved + idle > now:
                return
            if entry.expires > now:
                yield call_id

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return the calls among these that have ended."""
        sessions = map(self._find_session, call_ids)
        return frozenset(session.call_id for session in sessions if session and session.ended)

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        """Take a lease; waiters get it in order of arrival."""
        with self._lock:
            held = self._held_keys.setdefault(key, _HeldKey(token, self._now() + seconds))
            if held.token == token or held.expires <= self._now():
                held.token, held.expires = token, self._now() + seconds
                return True
            waiting = _Waiter(token, seconds, Future())
            held.waiters.append(waiting)
            remaining = held.expires - self._now()
        await asyncio.wait({asyncio.wrap_future(waiting.granted)}, timeout=remaining)
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
        """Release a lease, and grant it to the next waiter."""
        with self._lock:
            held = self._held_keys.get(key)
            if held is None:
                return
            if held.token != token:  # a waiter that was cancelled: it never held the key
                held.waiters = deque(waiter for waiter in held.waiters if waiter.token != token)
                return
            if not held.waiters:
                del self._held_keys[key]
                return
            following = held.waiters.popleft()
            held.token, held.expires = following.token, self._now() + following.seconds
        following.granted.set_running_or_notify_cancel()
        if not following.granted.cancelled():
            following.granted.set_result(None)

    def _find_session(self, call_id: str) -> Session | None:
        entry = self._find(call_id)
        return entry.session if entry and entry.expires > self._now() else None

    def _find(self, call_id: str) -> _Entry | None:
        for sessions in tuple(self._by_ttl.values()):
            entry = sessions.get(call_id)
            if entry is not None:
                return entry
        return None

    def _drop(self, call_id: str, *, keep_in: OrderedDict[str, _Entry] | None = None) -> None:
        for sessions in self._by_ttl.values():
            if sessions is not keep_in:
                sessions.pop(call_id, None)

    def _sweep(self, now: float) -> None:
        for ttl, sessions in tuple(self._by_ttl.items()):
            for _ in range(min(SESSIONS_PER_SWEEP, len(sessions))):
                oldest, entry = next(iter(sessions.items()))
                if entry.expires > now:
                    break
                del sessions[oldest]
            if not sessions:
                del self._by_ttl[ttl]
