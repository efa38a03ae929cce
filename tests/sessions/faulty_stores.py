"""Stores with one fault each, which the rules for stores must find."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Any

from yemot_ai.errors import SessionConflictError
from yemot_ai.sessions import DEFAULT_LEASE, Hold, MemoryStore, Session

FAULTS: dict[str, Callable[[], Callable[[], Any]]] = {}
"""By the name of the fault: returns the ``make_store`` of a new store."""


def fault(name: str) -> Callable[[type[MemoryStore]], type[MemoryStore]]:
    """Register a faulty store whose views share one object."""

    def register(kind: type[MemoryStore]) -> type[MemoryStore]:
        def fresh() -> Callable[[], MemoryStore]:
            store = kind()
            return lambda: store

        FAULTS[name] = fresh
        return kind

    return register


@fault("lost update: the last writer wins")
class LastWriterWins(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        stored = await self.load(session.call_id)
        return await super().save(replace(session, version=stored.version if stored else 0), ttl=ttl)


@fault("a new session replaces an old one")
class NewReplacesOld(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        if session.version == 0:
            await self.delete(session.call_id)
        return await super().save(session, ttl=ttl)


@fault("compare and set are two steps")
class TwoSteps(MemoryStore):
    immediate = False

    async def save(self, session: Session, *, ttl: float) -> Session:
        stored = await self.load(session.call_id)
        if (stored.version if stored else 0) != session.version:
            raise SessionConflictError(session.call_id, expected=session.version)
        await asyncio.sleep(0.001)
        await self.delete(session.call_id)
        saved = await super().save(replace(session, version=0), ttl=ttl)
        return self._stamp(saved, session.version + 1)

    def _stamp(self, saved: Session, version: int) -> Session:
        stamped = replace(saved, version=version)
        for sessions in self._by_ttl.values():
            if saved.call_id in sessions:
                sessions[saved.call_id] = sessions[saved.call_id]._replace(session=stamped)
        return stamped


@fault("no time to live: nothing ever expires")
class NoTTL(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        return await super().save(session, ttl=1e9)


@fault("time to live counts from the first save")
class FirstTTL(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self._ends: dict[str, float] = {}

    async def save(self, session: Session, *, ttl: float) -> Session:
        end = self._ends.setdefault(session.call_id, time.monotonic() + ttl)
        return await super().save(session, ttl=end - time.monotonic())


@fault("time to live in whole minutes, rounded down")
class CoarseTTL(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        return await super().save(session, ttl=(ttl - 1) // 60 * 60)


@fault("expired sessions are still listed")
class ListsExpired(MemoryStore):
    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        for sessions in self._by_ttl.values():
            for call_id, entry in list(sessions.items()):
                if entry.saved + idle <= self._now():
                    yield call_id


@fault("ended sessions are not listed")
class HidesEnded(MemoryStore):
    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        async for call_id in super().call_ids(idle=idle):
            if not await self.ended([call_id]):
                yield call_id


@fault("idle= is ignored")
class IgnoresIdle(MemoryStore):
    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        async for call_id in super().call_ids():
            yield call_id


@fault("only a page of the calls is listed")
class OnePage(MemoryStore):
    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        count = 0
        async for call_id in super().call_ids(idle=idle):
            count += 1
            if count <= 500:
                yield call_id


@fault("mixed-up keys: upper and lower case are the same")
class CaseBlind(MemoryStore):
    async def load(self, call_id: str) -> Session | None:
        return await super().load(call_id.lower())

    async def save(self, session: Session, *, ttl: float) -> Session:
        return await super().save(replace(session, call_id=session.call_id.lower()), ttl=ttl)


@fault("mixed-up keys: long ids are cut")
class CutsIds(MemoryStore):
    async def load(self, call_id: str) -> Session | None:
        return await super().load(call_id[:200])

    async def save(self, session: Session, *, ttl: float) -> Session:
        saved = await super().save(replace(session, call_id=session.call_id[:200]), ttl=ttl)
        return replace(saved, call_id=session.call_id)


@fault("a field is lost")
class LosesState(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        return await super().save(replace(session, state={}), ttl=ttl)


@fault("lone surrogates become question marks")
class CannotSurrogates(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        turns = tuple(
            replace(turn, text=turn.text.encode(errors="replace").decode()) for turn in session.turns
        )
        return await super().save(replace(session, turns=turns), ttl=ttl)


@fault("the version does not change")
class NoVersion(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        await self.delete(session.call_id)
        return await super().save(replace(session, version=0), ttl=ttl)


@fault("a conflict is swallowed")
class SwallowsConflict(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        try:
            return await super().save(session, ttl=ttl)
        except SessionConflictError:
            return replace(session, version=session.version + 1)


@fault("deleting marks, and the mark is in the way of a new session")
class DeleteBlocks(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self._gone: set[str] = set()

    async def delete(self, call_id: str) -> None:
        self._gone.add(call_id)

    async def load(self, call_id: str) -> Session | None:
        return None if call_id in self._gone else await super().load(call_id)


@fault("deleting what is not there is an error")
class DeleteComplains(MemoryStore):
    async def delete(self, call_id: str) -> None:
        if await self.load(call_id) is None:
            raise SessionConflictError(call_id, expected=1)
        await super().delete(call_id)


@fault("ended() returns every call")
class EndedIsKnown(MemoryStore):
    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        return frozenset([call_id for call_id in call_ids if await self.load(call_id)])


@fault("a hold does not exclude")
class NoHold(MemoryStore):
    def hold(  # type: ignore[override]  # any context will do
        self, key: str, *, lease: float = DEFAULT_LEASE
    ) -> AbstractAsyncContextManager[None]:
        return nullcontext()


@fault("a hold excludes other loops only, not other tasks")
class HoldPerLoop(MemoryStore):
    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        return Hold(self, f"{key} {id(asyncio.get_running_loop())}", lease=lease)


@fault("one key for all")
class OneKey(MemoryStore):
    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        return Hold(self, "the key", lease=lease)


class _OwnHold(MemoryStore):
    """Holds without ``Hold``: as a foreign store may do."""

    releases_on_error = True
    renews = False

    def hold(  # type: ignore[override]  # any context will do
        self, key: str, *, lease: float = DEFAULT_LEASE
    ) -> AbstractAsyncContextManager[None]:
        return self._held_by_hand(key, lease)

    @asynccontextmanager
    async def _held_by_hand(self, key: str, lease: float) -> AsyncIterator[None]:
        token = str(time.perf_counter_ns())
        while not await self.acquire(key, token, lease):  # noqa: ASYNC110 - a store has no event
            await asyncio.sleep(0.01)
        if not self.releases_on_error:
            yield
            await self.release(key, token)
            return
        try:
            yield
        finally:
            await self.release(key, token)


@fault("a hold is never released after an error")
class NeverReleased(_OwnHold):
    releases_on_error = False


@fault("a hold is not renewed: a long turn loses it")
class NotRenewed(_OwnHold):
    pass


@fault("a lease never runs out: a dead worker blocks its call for ever")
class ForEver(_OwnHold):
    def hold(  # type: ignore[override]  # any context will do
        self, key: str, *, lease: float = DEFAULT_LEASE
    ) -> AbstractAsyncContextManager[None]:
        return self._held_by_hand(key, 1e9)


@fault("a lease runs out at once")
class AtOnce(MemoryStore):
    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        return Hold(self, key, lease=0.2)


@fault("a writer outlives its lease and is not stopped")
class Outlives(MemoryStore):
    async def renew(self, key: str, token: str, seconds: float) -> bool:
        await super().renew(key, token, seconds)
        return True


@fault("a late release takes the key from the next holder")
class ReleasesAnothers(_OwnHold):
    async def release(self, key: str, token: str) -> None:
        held = self._held_keys.get(key)
        await super().release(key, held.token if held else token)


@fault("a held key is listed as a call")
class HoldIsACall(MemoryStore):
    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        got = await super().acquire(key, token, seconds)
        if got and await self.load(key) is None:
            await self.save(Session(key), ttl=seconds)
        return got


@fault("says that it is immediate, and waits")
class SaysImmediate(MemoryStore):
    async def load(self, call_id: str) -> Session | None:
        await asyncio.sleep(0)
        return await super().load(call_id)


def _stale() -> Callable[[], MemoryStore]:
    shared = MemoryStore()

    class Stale(MemoryStore):
        """Each view keeps what it has loaded once."""

        def __init__(self) -> None:
            super().__init__()
            self._cache: dict[str, Session | None] = {}

        async def load(self, call_id: str) -> Session | None:
            if self._cache.get(call_id) is None:
                self._cache[call_id] = await shared.load(call_id)
            return self._cache[call_id]

        async def save(self, session: Session, *, ttl: float) -> Session:
            saved = self._cache[session.call_id] = await shared.save(session, ttl=ttl)
            return saved

    return Stale


FAULTS["stale read: a view answers from its own cache"] = _stale
FAULTS["two views do not share anything"] = lambda: MemoryStore


def _bound_to_a_loop() -> Callable[[], MemoryStore]:
    class Bound(MemoryStore):
        """Works on the loop that has used it first, as a shared client does."""

        immediate = False
        loop: asyncio.AbstractEventLoop | None = None

        async def load(self, call_id: str) -> Session | None:
            running = asyncio.get_running_loop()
            self.loop = self.loop or running
            if self.loop is not running:
                raise SessionConflictError(call_id, expected=0)
            return await super().load(call_id)

    store: list[Bound] = []

    def make() -> Bound:
        if not store or (store[0].loop is not None and store[0].loop.is_closed()):
            store[:] = [Bound()]
        return store[0]

    return make


FAULTS["works on one event loop only"] = _bound_to_a_loop
