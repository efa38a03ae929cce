"""Cancellations at a bad moment, or swallowed by a client library: before 3.12 ``asyncio.wait_for`` may."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from yemot_ai._runtime.engine import run_without_waiting
from yemot_ai.sessions import Hold, MemoryStore
from yemot_ai.sessions.stores.redis import _execute


@dataclass
class SwallowingLeases:
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
    raise AssertionError  # the event is never set


async def held(leases: SwallowingLeases) -> None:
    async with asyncio.timeout(5), Hold(leases, "key", lease=0.04):
        await leases.renewing.wait()


def test_a_key_is_released_although_its_renewal_swallows_the_cancellation() -> None:
    leases = SwallowingLeases()
    asyncio.run(held(leases))

    assert leases.released


@pytest.mark.parametrize("steps", range(8))
def test_a_key_is_released_whenever_the_loop_of_its_holder_ends(steps: int) -> None:
    store = MemoryStore()

    async def hold() -> None:
        async with store.hold("key", lease=3600):
            await asyncio.sleep(0)

    async def some_steps() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hold())
            for _ in range(steps):
                await asyncio.sleep(0)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    asyncio.run(some_steps())

    assert run_without_waiting(store.acquire("key", "the next one", 3600)), "it had to wait"


def test_a_cancellation_during_a_redis_command_is_not_lost() -> None:
    async def run_steps() -> None:
        asking = asyncio.create_task(_execute(swallowing()))
        await asyncio.sleep(0)
        asking.cancel()
        await asking

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run_steps())
