"""Record the saves of a session store, and let the store fail.

>>> import asyncio
>>> from yemot_ai.sessions import MemoryStore, Session
>>> from yemot_ai_testing.history.history import History
>>> history = History(now=lambda: 0.0)
>>> store = RecordedStore(MemoryStore(), history)
>>> asyncio.run(store.save(Session("00c1"), ttl=60)).version
1
>>> history.events
(SessionSaved(at=0.0, call='call c1', base_version=0, version=1, call_ended=False, worker=''),)
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeAlias

from yemot_ai.errors import StoreError
from yemot_ai.sessions import CALLER_KEY_PREFIX, DEFAULT_LEASE, Hold, LeaseStore, Session, SessionStore
from yemot_ai_testing.history.events import FaultInjected, SessionSaved
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.app import call_name

__all__ = ["RecordedStore"]

HoldTime: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]


class RecordedStore:
    """Wraps a store, and records the sessions that are saved.

    Args:
        store: the session store.
        history: where the events are added.
        worker: the name of the worker, if there are several.
        hold_time: returns a context in which virtual time does not pass, for the work of the store.
    """

    def __init__(
        self,
        store: SessionStore,
        history: History,
        *,
        worker: str = "",
        hold_time: HoldTime = nullcontext,
    ) -> None:
        self._store = store
        self._history = history
        self._worker = worker
        self._hold_time: HoldTime = nullcontext if store.immediate else hold_time
        self._lock = threading.Lock()
        self._failures = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any other attribute of the store
        return getattr(self._store, name)

    @property
    def immediate(self) -> bool:
        """Whether the store never waits."""
        return self._store.immediate

    def fails(self, times: int) -> None:
        """Let the next ``times`` loads and saves fail, as in a store outage."""
        with self._lock:
            self._failures = times

    async def load(self, call_id: str) -> Session | None:
        """Return the session of a call."""
        self._fail_if_scripted(call_id)
        async with self._hold_time():
            return await self._store.load(call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Save a session, and record it."""
        self._fail_if_scripted(session.call_id)
        async with self._hold_time():
            saved = await self._store.save(session, ttl=ttl)
        if not session.call_id.startswith(CALLER_KEY_PREFIX):
            self._history.add(
                SessionSaved(
                    self._history.now(),
                    call_name(session.call_id),
                    session.version,
                    saved.version,
                    saved.ended,
                    self._worker,
                )
            )
        return saved

    async def delete(self, call_id: str) -> None:
        """Delete a session."""
        async with self._hold_time():
            await self._store.delete(call_id)

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> AbstractAsyncContextManager[None]:
        """Return a context with exclusive ownership of a key."""
        held = self._store.hold(key, lease=lease)
        if isinstance(held, Hold):
            # Virtual time does not pass while a lease is written, but while a worker waits for one.
            held.leases = _TimeHoldingLeases(held.leases, self._hold_time)
        return held

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the IDs of the calls."""
        async with self._hold_time():
            call_ids = [call_id async for call_id in self._store.call_ids(idle=idle)]
        for call_id in call_ids:
            yield call_id

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return which calls have ended."""
        async with self._hold_time():
            return await self._store.ended(call_ids)

    def _fail_if_scripted(self, call_id: str) -> None:
        with self._lock:
            if self._failures == 0:
                return
            self._failures -= 1
        self._history.add(FaultInjected(self._history.now(), "store away", call_name(call_id)))
        raise StoreError("the store is away, on purpose")


class _TimeHoldingLeases:
    """Leases that are written while virtual time does not pass."""

    def __init__(self, leases: LeaseStore, hold_time: HoldTime) -> None:
        self._leases = leases
        self._hold_time = hold_time

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        async with self._hold_time():
            return await self._leases.acquire(key, token, seconds)

    async def renew(self, key: str, token: str, seconds: float) -> bool:
        async with self._hold_time():
            return await self._leases.renew(key, token, seconds)

    async def release(self, key: str, token: str) -> None:
        async with self._hold_time():
            await self._leases.release(key, token)
