"""Cancellations that a client library swallows: before Python 3.12 ``asyncio.wait_for`` may."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from yemot_ai.sessions import Hold
from yemot_ai.sessions.redis import _sent


@dataclass
class Deaf:
    """Keeps leases through a client that swallows the cancellation of a renewal."""

    renewing: asyncio.Event = field(default_factory=asyncio.Event)
    released: bool = False

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        return True

    async def renew(self, key: str, token: str, seconds: float) -> bool:
        self.renewing.set()
        return await swallowing()

    async def release(self, key: str, token: str) -> None:
        self.released = True


async def swallowing() -> bool:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return True
    raise AssertionError  # nobody sets that event


async def held(leases: Deaf) -> None:
    async with asyncio.timeout(5), Hold(leases, "key", lease=0.04):
        await leases.renewing.wait()


def test_a_key_is_let_go_although_its_renewal_swallows_the_cancellation() -> None:
    leases = Deaf()
    asyncio.run(held(leases))

    assert leases.released


def test_whoever_is_cancelled_in_a_command_to_redis_is_cancelled() -> None:
    async def scene() -> None:
        asking = asyncio.create_task(_sent(swallowing()))
        await asyncio.sleep(0)
        asking.cancel()
        await asking

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(scene())
