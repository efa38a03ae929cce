"""Stores with one planted fault each, under a healthy agent."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import ClassVar

from tests.property.faults.subject import Fault, broken
from yemot_ai.errors import HoldLostError
from yemot_ai.sessions import DEFAULT_LEASE, MemoryStore, Session, SessionStore
from yemot_ai_testing.property import CallMachine, StreamingMachine


class Stored(CallMachine):
    """Runs a store under an AIFlow."""

    kind: ClassVar[type[MemoryStore]]
    restarts_workers = True

    def make_store(self) -> SessionStore:
        return self.kind(now=self.provider.engine.time)


fault = Fault(Stored, "kind")


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


@fault("forgets the answers", "unstable", "asked_twice", "forgot")
class ForgetsAnswers(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        return await super().save(replace(session, turns=(), recent=()), ttl=ttl)


@fault("forgets the model's conversations", "forgot")
class ForgetsConversations(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        turns = tuple(replace(turn, forgotten=turn.is_done) for turn in session.turns)
        return await super().save(replace(session, threads={}, turns=turns), ttl=ttl)


@fault("deletes sessions after 30 s without use", "forgot", "left_open", "spoke_after_hangup")
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
    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> AbstractAsyncContextManager[None]:  # type: ignore[override]  # any context manager
        return self._alone(key, lease)

    @asynccontextmanager
    async def _alone(self, key: str, lease: float) -> AsyncIterator[None]:
        token = uuid.uuid4().hex
        if not await self.acquire(key, token, lease):
            raise HoldLostError(key)
        try:
            yield
        finally:
            for _ in range(6):  # as many steps as a request to a server
                await asyncio.sleep(0)  # a second cancellation here leaks the key
            await self.release(key, token)


@broken("leaks a key whose holder is cancelled twice", "ignored")
class KeepsKeys(Stored, StreamingMachine):
    kind = LeavesKeysBehind
