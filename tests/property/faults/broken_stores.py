"""Stores, each with one fault, under a healthy agent."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import ClassVar

from tests.property.faults.subject import broken
from yemot_ai.errors import HoldLostError
from yemot_ai.sessions import DEFAULT_LEASE, MemoryStore, Session, SessionStore
from yemot_ai_testing.history import ViolationKind
from yemot_ai_testing.property import CallMachine, StreamingMachine


class Stored(CallMachine):
    """Tries a store under an agent of ours."""

    kind: ClassVar[type[MemoryStore]]
    restarts_workers = True

    def make_store(self) -> SessionStore:
        return self.kind(now=self.provider.engine.time)


def fault(what: str, *kinds: ViolationKind) -> Callable[[type[MemoryStore]], type[MemoryStore]]:
    """Put a store with a fault into the zoo."""

    def entered(kind: type[MemoryStore]) -> type[MemoryStore]:
        broken(what, *kinds)(type(kind.__name__, (Stored,), {"kind": kind}))
        return kind

    return entered


@fault(
    "keeps no tombstone: a late request finds a new call",
    "spoke_after_hangup",
    "left_open",
    "ran_after_hangup",
)
class NoTombstone(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        saved = await super().save(session, ttl=ttl)
        if session.ended:
            await self.delete(session.call_id)
        return saved


@fault(
    "stores everything of a call but that it is over",
    "stored_after_hangup",
    "left_open",
    "spoke_after_hangup",
)
class ForgetsTheEnd(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        return await super().save(replace(session, ended=False), ttl=ttl)


@fault("forgets the answers that it was given", "unstable", "asked_twice", "forgot")
class ForgetsAnswers(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        return await super().save(replace(session, turns=(), recent=()), ttl=ttl)


@fault("forgets the model's conversations", "forgot")
class ForgetsConversations(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        turns = tuple(replace(turn, forgotten=turn.is_done) for turn in session.turns)
        return await super().save(replace(session, threads={}, turns=turns), ttl=ttl)


@fault("drops what was not used for 30 s", "forgot", "left_open", "spoke_after_hangup")
class ShortLived(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        return await super().save(session, ttl=min(ttl, 30.0))


@fault(
    "one session for everybody",
    "crossed_calls",
    "crossed_sessions",
    "unstable",
    "ignored",
    "stale",
    "unheard",
)
class OneSession(MemoryStore):
    async def load(self, call_id: str) -> Session | None:
        return await super().load("0")

    async def save(self, session: Session, *, ttl: float) -> Session:
        return await super().save(replace(session, call_id="0"), ttl=ttl)


class LeavesKeysBehind(MemoryStore):
    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> AbstractAsyncContextManager[None]:  # type: ignore[override]  # any context will do
        return self._alone(key, lease)

    @asynccontextmanager
    async def _alone(self, key: str, lease: float) -> AsyncIterator[None]:
        token = uuid.uuid4().hex
        if not await self.acquire(key, token, lease):
            raise HoldLostError(key)
        try:
            yield
        finally:
            for _ in range(6):  # a way as long as to a server
                await asyncio.sleep(0)  # whoever is stopped here, once more, never lets go
            await self.release(key, token)


@broken("does not let go of a key whose holder is stopped once more meanwhile", "ignored")
class KeepsKeys(Stored, StreamingMachine):
    kind = LeavesKeysBehind
