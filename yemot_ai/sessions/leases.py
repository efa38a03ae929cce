"""Holding a key: one holder at a time, across processes, for as long as the holder lives.

A holder has a lease and renews it. One that dies, or is frozen, loses it when the lease has run
out; a holder that lives and finds its lease lost is stopped, so that two never go on together.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from types import TracebackType
from typing import Any, Protocol

from yemot_ai.errors import HoldLostError, StoreError

__all__ = ["LEASE", "Hold", "Leases", "hold_key"]

log = logging.getLogger("yemot_ai")

LEASE = 10.0
"""Seconds after which a silent holder counts as dead."""

RENEWALS = 4
"""A lease is renewed that often before it would run out."""

FIRST_LOOK = 0.01
LAST_LOOK = 0.1
"""Seconds between two looks at a key that somebody else holds: more and more, up to this."""


def hold_key(kind: str, *names: str) -> str:
    """Return a key for ``names``; no other kind, and no other names, have the same.

    >>> hold_key("turn", "c/1", "a") == hold_key("turn", "c", "1/a")
    False
    """
    return json.dumps([kind, *names])


class Leases(Protocol):
    """Where leases are written down."""

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        """Take ``key`` for ``seconds``; False when another token has it. It may wait for that one first."""
        ...

    async def renew(self, key: str, token: str, seconds: float) -> bool:
        """Keep ``key`` for further ``seconds``, without waiting; False when another token has it."""
        ...

    async def release(self, key: str, token: str) -> None:
        """Let go of ``key`` if ``token`` has it."""
        ...


class Hold:
    """Holds ``key`` while the context is open.

    Args:
        leases: where the lease is written down.
        key: what is held.
        lease: seconds after which a silent holder counts as dead.

    Attributes:
        leases: where the lease is written down.

    Raises:
        HoldLostError: on leaving: the lease was lost, and the body was cancelled for it.
    """

    __slots__ = (
        "_cancelling",
        "_holder",
        "_key",
        "_lease",
        "_left",
        "_lost",
        "_renewing",
        "_token",
        "leases",
    )

    _holder: asyncio.Task[Any]
    _renewing: asyncio.Task[None]

    def __init__(self, leases: Leases, key: str, *, lease: float = LEASE) -> None:
        self.leases = leases
        self._key = key
        self._lease = lease
        self._token = uuid.uuid4().hex
        self._left = False
        self._lost = False
        self._cancelling = 0

    async def __aenter__(self) -> None:
        holder = asyncio.current_task()
        if holder is None:
            raise AssertionError
        self._holder, self._cancelling = holder, holder.cancelling()
        try:
            await self._take()
        except asyncio.CancelledError:
            await self._release()  # a store may have given it to us while we were being cancelled
            raise
        self._renewing = asyncio.create_task(self._renew())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        # A task of its own: whoever is cancelled once more while leaving must not keep the key.
        leaving = asyncio.create_task(self._leave())
        _leaving.add(leaving)
        leaving.add_done_callback(_leaving.discard)
        try:
            await asyncio.shield(leaving)
        except asyncio.CancelledError:
            if leaving.cancelling():  # with all that runs on the loop, perhaps before it had begun
                await self._leave()
            if not self._lost:
                raise
        if (
            self._lost
            and self._holder.uncancel() <= self._cancelling
            and kind in {None, asyncio.CancelledError}
        ):
            raise HoldLostError(self._key)

    async def _take(self) -> None:
        pause = FIRST_LOOK
        while not await self.leases.acquire(self._key, self._token, self._lease):
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_LOOK)

    async def _renew(self) -> None:
        now = asyncio.get_running_loop().time
        renewed = now()
        while not self._left:
            await asyncio.sleep(self._lease / RENEWALS)
            asked = now()
            try:
                kept = await self.leases.renew(self._key, self._token, self._lease)
            except StoreError as error:
                log.warning("the hold of %s cannot be renewed now: %s", self._key, error)
                kept = now() - renewed < self._lease
            else:
                renewed = asked
            if not kept and not self._left:
                self._lost = True
                self._holder.cancel()
                return

    async def _leave(self) -> None:
        # Told twice: a client may swallow the cancellation of a command that is just done.
        self._left = True
        self._renewing.cancel()
        try:
            await asyncio.wait({self._renewing})
        finally:  # where the loop ends, too: a lease may be as long as a session
            if not self._lost:
                await self._release()

    async def _release(self) -> None:
        try:
            await self.leases.release(self._key, self._token)
        except StoreError as error:  # it runs out by itself
            log.warning("the hold of %s could not be released: %s", self._key, error)


_leaving: set[asyncio.Task[None]] = set()
