"""Stores with one fault each about sizes, ids, lists and times of sessions."""

from __future__ import annotations

import asyncio
import fnmatch
import time
import unicodedata
import weakref
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from tests.sessions.faulty_stores import fault
from yemot_ai.sessions import MemoryStore, Session, encode

__all__ = ["ByLoop"]

T = TypeVar("T")

ByLoop: TypeAlias = "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, T]"
"""Separate for each event loop: the rules run at the same time on one object, each on a separate one."""


class _Cuts(MemoryStore):
    """A record of a length in ``cut`` is cut, so that it is damaged."""

    cut: Collection[int]

    async def load(self, call_id: str) -> Session | None:
        session = await super().load(call_id)
        return None if session and len(encode(session)) in self.cut else session


@fault("a record over 65,535 bytes is cut")
class Cuts64K(_Cuts):
    cut = range(2**16, 2**40)


@fault("the length of a record is a signed number of 16 bits")
class CutsSigned(_Cuts):
    cut = range(2**15, 2**16)


@fault("a record over 1 MB is not kept")
class Cuts1MB(_Cuts):
    cut = range(10**6, 2**40)


@fault("a shorter record leaves the end of the longer one")
class LeavesEnd(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        old = await self.load(session.call_id)
        turns = tuple(
            replace(turn, answer=turn.answer + before.answer[len(turn.answer) :])
            for turn, before in zip(session.turns, old.turns if old else (), strict=False)
        )
        return await super().save(replace(session, turns=turns or session.turns), ttl=ttl)


@fault("the version is counted in a byte")
class ByteVersion(MemoryStore):
    async def load(self, call_id: str) -> Session | None:
        session = await super().load(call_id)
        return session and replace(session, version=session.version % 256)


@fault("large numbers become fractions")
class Fractions(MemoryStore):
    async def load(self, call_id: str) -> Session | None:
        session = await super().load(call_id)
        return session and replace(session, state=_as_fractions(dict(session.state)))


def _as_fractions(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _as_fractions(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_fractions(one) for one in value]
    return float(value) if isinstance(value, int) and abs(value) > 2**53 else value


@fault("two loads at the same time share a buffer")
class SharedBuffer(MemoryStore):
    immediate = False

    def __init__(self) -> None:
        super().__init__()
        self._loaded: ByLoop[Session | None] = weakref.WeakKeyDictionary()

    async def load(self, call_id: str) -> Session | None:
        loop = asyncio.get_running_loop()
        self._loaded[loop] = await super().load(call_id)
        await asyncio.sleep(0)
        return self._loaded[loop]


@fault("a cancelled load leaves its answer to the next one")
class LeavesAnswer(MemoryStore):
    immediate = False

    def __init__(self) -> None:
        super().__init__()
        self._answers: ByLoop[list[Session | None]] = weakref.WeakKeyDictionary()

    async def load(self, call_id: str) -> Session | None:
        answers = self._answers.setdefault(asyncio.get_running_loop(), [])
        answers.append(await super().load(call_id))
        await asyncio.sleep(0)
        return answers.pop(0)


class _DeletesMore(MemoryStore):
    """Deletes every call whose id ``matches``."""

    def matches(self, call_id: str, deleted: str) -> bool:
        raise NotImplementedError

    async def delete(self, call_id: str) -> None:
        for other in [other async for other in self.call_ids() if self.matches(other, call_id)]:
            await super().delete(other)
        await super().delete(call_id)


@fault("delete takes every id that begins alike")
class DeletesPrefix(_DeletesMore):
    def matches(self, call_id: str, deleted: str) -> bool:
        return call_id.startswith(deleted)


@fault("delete takes every id that ends alike")
class DeletesSuffix(_DeletesMore):
    def matches(self, call_id: str, deleted: str) -> bool:
        return call_id.endswith(deleted)


@fault("delete takes an id as a pattern")
class DeletesPattern(_DeletesMore):
    def matches(self, call_id: str, deleted: str) -> bool:
        return fnmatch.fnmatchcase(call_id, deleted)


@fault("delete ignores upper and lower case")
class DeletesCase(_DeletesMore):
    def matches(self, call_id: str, deleted: str) -> bool:
        return call_id.casefold() == deleted.casefold()


@fault("delete takes the file name of another call")
class DeletesFile(_DeletesMore):
    def matches(self, call_id: str, deleted: str) -> bool:
        return call_id == deleted.removesuffix(".json")


@fault("ended() trims ids")
class EndedTrims(MemoryStore):
    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        trimmed = await super().ended([call_id.strip() for call_id in call_ids])
        return frozenset(call_id for call_id in call_ids if call_id.strip() in trimmed)


@fault("ended() composes letters")
class EndedComposes(MemoryStore):
    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        found = {unicodedata.normalize("NFC", call_id) for call_id in await super().ended(call_ids)}
        return frozenset(one for one in call_ids if unicodedata.normalize("NFC", one) in found)


@fault("ended() cuts ids at a thousand characters")
class EndedCuts(MemoryStore):
    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        found = {call_id[:1000] for call_id in await super().ended(call_ids)}
        return frozenset(call_id for call_id in call_ids if call_id[:1000] in found)


class _EndedLimit(MemoryStore):
    limit: int

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        if len(call_ids) > self.limit:
            raise OverflowError("too many variables")
        return await super().ended(call_ids)


@fault("more than 999 ended calls at once are too many")
class Ended999(_EndedLimit):
    limit = 999


@fault("more than 32,766 ended calls at once are too many")
class Ended32766(_EndedLimit):
    limit = 32_766


@fault("pages with an offset: what is deleted while it is listed moves the others")
class OffsetPages(MemoryStore):
    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        offset, page = 0, [""]
        while page:
            every = sorted([call_id async for call_id in super().call_ids(idle=idle)])
            page = every[offset : offset + 1000]
            offset += 1000
            for call_id in page:
                yield call_id


@fault("what is saved while it is listed is not listed")
class SkipsSaved(MemoryStore):
    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        started = self._now()
        for call_id in [call_id async for call_id in super().call_ids(idle=idle)]:
            entry = self._find(call_id)
            if entry is None or entry.saved <= started:
                yield call_id


@fault("a list that is abandoned keeps its cursor")
class KeepsCursors(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self._cursors: ByLoop[int] = weakref.WeakKeyDictionary()

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        cursors = self._cursors.get(loop, 0)
        if cursors == 6:
            raise OverflowError("too many cursors")
        self._cursors[loop] = cursors + 1
        async for call_id in super().call_ids(idle=idle):
            yield call_id
        self._cursors[loop] = cursors


@fault("the end of a deleted call stays in an index")
class EndedIndex(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self._ended: set[str] = set()

    async def save(self, session: Session, *, ttl: float) -> Session:
        saved = await super().save(session, ttl=ttl)
        if saved.ended:
            self._ended.add(saved.call_id)
        return saved

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        there = [call_id for call_id in call_ids if await self.load(call_id)]
        return frozenset(self._ended.intersection(there))


@fault("a call whose session has expired has ended")
class EndedExpired(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self._ended: set[str] = set()

    async def save(self, session: Session, *, ttl: float) -> Session:
        saved = await super().save(session, ttl=ttl)
        (self._ended.add if saved.ended else self._ended.discard)(saved.call_id)
        return saved

    async def delete(self, call_id: str) -> None:
        self._ended.discard(call_id)
        await super().delete(call_id)

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        return frozenset(self._ended.intersection(call_ids))


@fault("a time to live of more than 24 days overflows")
class OverflowingTTL(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        milliseconds = (int(ttl * 1000) + 2**31) % 2**32 - 2**31
        return await super().save(session, ttl=milliseconds / 1000)


@fault("a time to live is never shortened")
class LongestTTL(MemoryStore):
    async def save(self, session: Session, *, ttl: float) -> Session:
        entry = self._find(session.call_id) if session.version else None
        remaining = entry.expires - self._now() if entry else 0.0
        return await super().save(session, ttl=max(ttl, remaining))


@fault("the timer of a deleted session deletes the next one")
class KeepsTimers(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def save(self, session: Session, *, ttl: float) -> Session:
        saved = await super().save(session, ttl=ttl)
        if session.version and session.call_id in self._timers:
            self._timers.pop(session.call_id).cancel()
        if ttl > 0:
            timer = asyncio.get_running_loop().call_later(ttl, self._drop, session.call_id)
            self._timers[session.call_id] = timer
        return saved


@fault("calls from before the clock was set back are not listed")
class HidesFuture(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self._saved: dict[str, float] = {}

    async def save(self, session: Session, *, ttl: float) -> Session:
        self._saved[session.call_id] = time.time()
        return await super().save(session, ttl=ttl)

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        async for call_id in super().call_ids(idle=idle):
            if self._saved[call_id] <= time.time() + 1:
                yield call_id
