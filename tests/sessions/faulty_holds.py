"""Stores with one fault each in their holds, and on a server that two applications share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import replace
from types import TracebackType

from tests.sessions.faulty_stores import fault
from yemot_ai.errors import SessionConflictError
from yemot_ai.sessions import DEFAULT_LEASE, Hold, MemoryStore, Session

__all__ = ["SHARED_FAULTS", "share_server"]


class _CancelledAfterEntering(Hold):
    async def __aenter__(self) -> None:
        is_free = await self.leases.is_free(self._key)  # type: ignore[attr-defined]
        await super().__aenter__()
        if is_free:
            await asyncio.sleep(0)  # a cancellation here: the key is held, and nothing releases it


@fault("a task that is cancelled after it took the key keeps it")
class KeepsOnEntry(MemoryStore):
    async def is_free(self, key: str) -> bool:
        return key not in self._held_keys

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        return _CancelledAfterEntering(self, key, lease=lease, immediate=True)


class _KeepsGranted(Hold):
    async def __aenter__(self) -> None:
        self._entered = False
        await super().__aenter__()
        self._entered = True

    async def _release(self) -> None:
        if self._entered:
            await super()._release()


@fault("a waiter that is cancelled after it was given the key never hands it back")
class KeepsGranted(MemoryStore):
    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        return _KeepsGranted(self, key, lease=lease, immediate=True)

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        try:
            return await super().acquire(key, token, seconds)
        except asyncio.CancelledError:
            held = self._held_keys.get(key)
            if held and held.token != token:
                await super().release(key, token)  # it leaves the queue
            raise


class _CancelledLeaving(Hold):
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        await asyncio.sleep(0)  # a cancellation here: nothing releases the key
        await super().__aexit__(kind, error, trace)


@fault("a holder that is cancelled while it leaves keeps the key")
class KeepsOnExit(MemoryStore):
    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        return _CancelledLeaving(self, key, lease=lease, immediate=True)


@fault("a cancelled waiter takes the others out of the queue")
class ClearsQueue(MemoryStore):
    async def release(self, key: str, token: str) -> None:
        held = self._held_keys.get(key)
        if held and held.token != token:
            held.waiters.clear()
        await super().release(key, token)


class _Counted(Hold):
    async def __aenter__(self) -> None:
        if self.leases.held == 100:  # type: ignore[attr-defined]  # that of FewKeys
            raise OverflowError("no connection is free")
        await super().__aenter__()
        self.leases.held += 1  # type: ignore[attr-defined]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        self.leases.held -= 1  # type: ignore[attr-defined]
        await super().__aexit__(kind, error, trace)


@fault("a hold occupies one of a hundred connections")
class FewKeys(MemoryStore):
    held = 0

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        return _Counted(self, key, lease=lease, immediate=True)


@fault("long keys are cut")
class CutsKeys(MemoryStore):
    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        return Hold(self, key[:1000], lease=lease, immediate=True)


class _TwoClocks(MemoryStore):
    """A lease has ended when ``has_ended`` says so of the Unix time and the monotonic time that remain."""

    def has_ended(self, unix: float, monotonic: float) -> bool:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self._leases: dict[str, tuple[str, float, float]] = {}

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        unix, monotonic = time.time(), time.monotonic()
        holder, unix_end, end = self._leases.get(key, (token, 0.0, 0.0))
        if holder != token and not self.has_ended(unix_end - unix, end - monotonic):
            return False
        self._leases[key] = token, unix + seconds, monotonic + seconds
        return True

    renew = acquire

    async def release(self, key: str, token: str) -> None:
        if self._leases.get(key, ("",))[0] == token:
            del self._leases[key]


@fault("a lease is longer after the clock was set back")
class LongerLease(_TwoClocks):
    def has_ended(self, unix: float, monotonic: float) -> bool:
        return unix <= 0 and monotonic <= 0


@fault("a lease ends when the clock is set forward")
class ShorterLease(_TwoClocks):
    def has_ended(self, unix: float, monotonic: float) -> bool:
        return unix <= 0 or monotonic <= 0


class SharedServer:
    """A store on a server that other applications use too: its keys begin with a prefix."""

    immediate = False

    def __init__(self, server: MemoryStore, prefix: str) -> None:
        self._server = server
        self._prefix = prefix

    async def load(self, call_id: str) -> Session | None:
        session = await self._server.load(self._prefix + call_id)
        return session and replace(session, call_id=call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        prefixed = replace(session, call_id=self._prefix + session.call_id)
        try:
            saved = await self._server.save(prefixed, ttl=ttl)
        except SessionConflictError as error:
            raise SessionConflictError(session.call_id, expected=error.expected) from None
        return replace(saved, call_id=session.call_id)

    async def delete(self, call_id: str) -> None:
        await self._server.delete(self._prefix + call_id)

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        return self._server.hold(self._prefix + key, lease=lease)

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        async for name in self._server.call_ids(idle=idle):
            if name.startswith(self._prefix):
                yield name.removeprefix(self._prefix)

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        ended = await self._server.ended([self._prefix + call_id for call_id in call_ids])
        return frozenset(name.removeprefix(self._prefix) for name in ended)


class ListsStrangers(SharedServer):
    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        async for name in self._server.call_ids(idle=idle):
            yield name.partition(":")[2]


class DeletesStrangers(SharedServer):
    async def delete(self, call_id: str) -> None:
        for name in [name async for name in self._server.call_ids()]:
            if name.partition(":")[2] == call_id:
                await self._server.delete(name)


class SharesKeys(SharedServer):
    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        return self._server.hold(key, lease=lease)


SHARED_FAULTS: dict[str, type[SharedServer]] = {
    "other-listed": ListsStrangers,
    "other-kept": DeletesStrangers,
    "other-keys": SharesKeys,
}
"""The faulty store by the rule that must find it."""


def share_server(kind: type[SharedServer]) -> tuple[Callable[[], SharedServer], Callable[[], SharedServer]]:
    """Return what opens a store, and the store of another application on the same server."""
    server = MemoryStore()
    return lambda: kind(server, "ours:"), lambda: kind(server, "theirs:")
