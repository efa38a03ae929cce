"""Behind an application: what is stored of which call is written down, and the store may be away.

>>> import asyncio
>>> from yemot_ai.sessions import MemoryStore, Session
>>> from yemot_ai_testing.history.history import History
>>> history = History(now=lambda: 0.0)
>>> store = RecordedStore(MemoryStore(), history)
>>> asyncio.run(store.save(Session("00c1"), ttl=60)).version
1
>>> history.events
(Saved(at=0.0, call='call c1', base=0, version=1, ended=False, worker=''),)
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
    """A store whose sessions are written down as they are saved.

    Args:
        store: where they are kept.
        history: where it is written.
        worker: which worker stores, where there are several.
        hold_time: lets virtual time stand still while the store is at work.
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

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else the store can do
        return getattr(self._store, name)

    @property
    def immediate(self) -> bool:
        """Whether the store never waits."""
        return self._store.immediate

    def fails(self, times: int) -> None:
        """Let the next ``times`` loads and saves fail, as if the store were away."""
        with self._lock:
            self._failures = times

    async def load(self, call_id: str) -> Session | None:
        """Load."""
        self._fail_if_scripted(call_id)
        async with self._hold_time():
            return await self._store.load(call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Save, and write it down."""
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
        """Drop a session."""
        async with self._hold_time():
            await self._store.delete(call_id)

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> AbstractAsyncContextManager[None]:
        """Be alone under a key."""
        held = self._store.hold(key, lease=lease)
        if isinstance(held, Hold):
            # Time stands still while a lease is written down, and passes while somebody waits for one.
            held.leases = _TimeHoldingLeases(held.leases, self._hold_time)
        return held

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the calls."""
        async with self._hold_time():
            known = [call_id async for call_id in self._store.call_ids(idle=idle)]
        for call_id in known:
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
    """Leases that are written down while time stands still."""

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
