"""Leases: hold a key exclusively among all processes, while the holder is alive.

A holder renews its lease. A holder that dies or freezes loses the key when the lease has run out; a
holder that finds its lease lost is cancelled, so that two holders never continue at the same time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from types import TracebackType
from typing import Any, Protocol

from yemot_ai._runtime.tasks import await_shielded, start_task
from yemot_ai.errors import HoldLostError, StoreError

__all__ = ["DEFAULT_LEASE", "Hold", "LeaseStore", "hold_key"]

log = logging.getLogger("yemot_ai")

DEFAULT_LEASE = 10.0
"""Seconds without renewal after which a holder counts as dead."""

RENEWALS_PER_LEASE = 4
"""How often a lease is renewed in its time."""

MIN_RETRY_DELAY = 0.01
MAX_RETRY_DELAY = 0.1
"""Seconds between two attempts to take a key that has a holder: doubled each time, up to this."""


def hold_key(kind: str, *names: str) -> str:
    """Return a key that is unique for ``kind`` and ``names``.

    >>> hold_key("turn", "c/1", "a") == hold_key("turn", "c", "1/a")
    False
    """
    return json.dumps([kind, *names])


class LeaseStore(Protocol):
    """A store of leases."""

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        """Take ``key`` for ``seconds``; return False if another token has it, perhaps after waiting."""
        ...

    async def renew(self, key: str, token: str, seconds: float) -> bool:
        """Renew ``key`` for ``seconds``, without waiting; return False if another token has it."""
        ...

    async def release(self, key: str, token: str) -> None:
        """Release ``key`` if ``token`` has it."""
        ...


class Hold:
    """Holds ``key`` while the context is open.

    Args:
        leases: the store of the lease.
        key: the key to hold.
        lease: seconds without renewal after which the holder counts as dead.
        immediate: whether ``release`` returns without waiting, because the leases are in this process.

    Attributes:
        leases: the store of the lease.

    Raises:
        HoldLostError: on exit, if the lease was lost and the body was cancelled.
    """

    __slots__ = (
        "_cancels_before",
        "_holder_task",
        "_immediate",
        "_is_left",
        "_is_lost",
        "_key",
        "_lease",
        "_renew_task",
        "_renew_timer",
        "_renewed",
        "_token",
        "leases",
    )

    _holder_task: asyncio.Task[Any]
    _renew_timer: asyncio.TimerHandle
    _renewed: float

    def __init__(
        self, leases: LeaseStore, key: str, *, lease: float = DEFAULT_LEASE, immediate: bool = False
    ) -> None:
        self.leases = leases
        self._key = key
        self._lease = lease
        self._immediate = immediate
        self._renew_task: asyncio.Task[None] | None = None
        self._token = secrets.token_hex(16)
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
            await self._release()  # the store may have granted it during the cancellation
            raise
        except StoreError:
            # The store may have granted it, and its answer was lost; the caller does not wait for it.
            start_task(self._release())
            raise
        loop = asyncio.get_running_loop()
        self._renewed = loop.time()
        self._renew_timer = loop.call_later(self._lease / RENEWALS_PER_LEASE, self._start_renewing)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        # Both: a client may swallow the cancellation of a command that has just finished.
        self._is_left = True
        self._renew_timer.cancel()
        if self._immediate and self._renew_task is None:
            await self._release()
            return
        # A separate task: a second cancellation during the exit must not keep the key.
        leaving = start_task(self._stop_and_release())
        try:
            await await_shielded(leaving)
        except asyncio.CancelledError:
            if leaving.cancelling():  # with all tasks of the loop, perhaps before it started
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

    def _start_renewing(self) -> None:
        self._renew_task = asyncio.get_running_loop().create_task(self._renew())

    async def _renew(self) -> None:
        now = asyncio.get_running_loop().time
        while not self._is_left:
            requested = now()
            try:
                is_held = await self.leases.renew(self._key, self._token, self._lease)
            except StoreError as error:
                log.warning("the hold of %s cannot be renewed now: %s", self._key, error)
                is_held = now() - self._renewed < self._lease
            else:
                self._renewed = requested
            if not is_held and not self._is_left:
                if self._holder_task.cancelling() <= self._cancels_before:  # not twice: it may be cleaning up
                    self._is_lost = True
                    self._holder_task.cancel()
                return
            await asyncio.sleep(self._lease / RENEWALS_PER_LEASE)

    async def _stop_and_release(self) -> None:
        try:
            if self._renew_task is not None:
                self._renew_task.cancel()
                await asyncio.wait({self._renew_task})
        finally:  # also when the loop stops: a lease may be as long as a session
            if not self._is_lost:
                await self._release()

    async def _release(self) -> None:
        try:
            await self.leases.release(self._key, self._token)
        except StoreError as error:  # the lease runs out
            log.warning("the hold of %s could not be released: %s", self._key, error)
