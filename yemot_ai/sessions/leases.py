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

__all__ = ["DEFAULT_LEASE", "Hold", "LeaseStore", "hold_key"]

log = logging.getLogger("yemot_ai")

DEFAULT_LEASE = 10.0
"""Seconds after which a silent holder counts as dead."""

RENEWALS_PER_LEASE = 4
"""A lease is renewed that often before it would run out."""

MIN_RETRY_DELAY = 0.01
MAX_RETRY_DELAY = 0.1
"""Seconds between two looks at a key that somebody else holds: more and more, up to this."""


def hold_key(kind: str, *names: str) -> str:
    """Return a key for ``names``; no other kind, and no other names, have the same.

    >>> hold_key("turn", "c/1", "a") == hold_key("turn", "c", "1/a")
    False
    """
    return json.dumps([kind, *names])


class LeaseStore(Protocol):
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
        "_cancels_before",
        "_holder_task",
        "_is_left",
        "_is_lost",
        "_key",
        "_lease",
        "_renew_task",
        "_token",
        "leases",
    )

    _holder_task: asyncio.Task[Any]
    _renew_task: asyncio.Task[None]

    def __init__(self, leases: LeaseStore, key: str, *, lease: float = DEFAULT_LEASE) -> None:
        self.leases = leases
        self._key = key
        self._lease = lease
        self._token = uuid.uuid4().hex
        self._is_left = False
        self._is_lost = False
        self._cancels_before = 0

    async def __aenter__(self) -> None:
        holder = asyncio.current_task()
        if holder is None:
            raise AssertionError
        self._holder_task, self._cancels_before = holder, holder.cancelling()
        try:
            await self._acquire()
        except asyncio.CancelledError:
            await self._release()  # a store may have given it to us while we were being cancelled
            raise
        self._renew_task = asyncio.create_task(self._renew())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        # A task of its own: whoever is cancelled once more while leaving must not keep the key.
        leaving = asyncio.create_task(self._stop_and_release())
        _release_tasks.add(leaving)
        leaving.add_done_callback(_release_tasks.discard)
        try:
            await asyncio.shield(leaving)
        except asyncio.CancelledError:
            if leaving.cancelling():  # with all that runs on the loop, perhaps before it had begun
                await self._stop_and_release()
            if not self._is_lost:
                raise
        if (
            self._is_lost
            and self._holder_task.uncancel() <= self._cancels_before
            and kind in {None, asyncio.CancelledError}
        ):
            raise HoldLostError(self._key)

    async def _acquire(self) -> None:
        pause = MIN_RETRY_DELAY
        while not await self.leases.acquire(self._key, self._token, self._lease):
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_RETRY_DELAY)

    async def _renew(self) -> None:
        now = asyncio.get_running_loop().time
        renewed = now()
        while not self._is_left:
            await asyncio.sleep(self._lease / RENEWALS_PER_LEASE)
            asked = now()
            try:
                kept = await self.leases.renew(self._key, self._token, self._lease)
            except StoreError as error:
                log.warning("the hold of %s cannot be renewed now: %s", self._key, error)
                kept = now() - renewed < self._lease
            else:
                renewed = asked
            if not kept and not self._is_left:
                self._is_lost = True
                self._holder_task.cancel()
                return

    async def _stop_and_release(self) -> None:
        # Told twice: a client may swallow the cancellation of a command that is just done.
        self._is_left = True
        self._renew_task.cancel()
        try:
            await asyncio.wait({self._renew_task})
        finally:  # where the loop ends, too: a lease may be as long as a session
            if not self._is_lost:
                await self._release()

    async def _release(self) -> None:
        try:
            await self.leases.release(self._key, self._token)
        except StoreError as error:  # it runs out by itself
            log.warning("the hold of %s could not be released: %s", self._key, error)


_release_tasks: set[asyncio.Task[None]] = set()
