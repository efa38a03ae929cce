"""The rules of holds whose tasks are cancelled, and of many holds at once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from yemot_ai.sessions import SessionStore
from yemot_ai_testing.conformance.rule import RuleGroup, expect_equal, expect_true
from yemot_ai_testing.conformance.stores.bench import TIMEOUT, StoreBench
from yemot_ai_testing.conformance.stores.hold_rules import LONG_LEASE, can_hold

__all__ = ["CANCEL_RULES"]

CANCEL_RULES: Final[RuleGroup[StoreBench]] = RuleGroup("hold")

STEPS: Final = 16
"""Steps of the event loop after which a task is cancelled: from none to more than it takes to hold a key."""

DELAYS: Final = (0.0005, 0.002, 0.01, 0.05)
"""Seconds, for stores that wait for a thread or a server."""

QUEUE_SECONDS: Final = 0.05
"""Seconds in which tasks begin to wait for a key: a store reports no such event. A task that is later is
cancelled before it waits, which every store must bear as well."""

MANY_KEYS: Final = 300


async def _hold_for_ever(store: SessionStore, key: str) -> None:
    async with store.hold(key, lease=LONG_LEASE):
        await asyncio.Event().wait()


async def _cancel_after(task: asyncio.Task[None], steps: int) -> None:
    """Cancel a task after some steps of the loop, or a delay; wait for its end."""
    if steps < STEPS:
        for _ in range(steps):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(DELAYS[steps - STEPS])
    task.cancel()
    await asyncio.wait({task}, timeout=TIMEOUT)
    expect_true(task.done(), "a cancelled task to end", "it waits")


async def _expect_free(bench: StoreBench, key: str, when: str) -> None:
    for store in (bench.second_store, bench.store):
        expect_true(await can_hold(store, key, TIMEOUT), f"the key to be free after {when}", "it is held")


@CANCEL_RULES.rule(
    "cancelled-entering", "A task that is cancelled while it takes a free key does not keep it"
)
async def _cancelled_entering(bench: StoreBench) -> None:
    for steps in range(STEPS + len(DELAYS)):
        key = bench.unique_name(f"k{steps}")
        await _cancel_after(asyncio.create_task(_hold_for_ever(bench.store, key)), steps)
        await _expect_free(bench, key, f"a cancellation after {steps} steps")


@CANCEL_RULES.rule("cancelled-waiter", "A waiter that is cancelled as it is given the key hands it back")
async def _cancelled_waiter(bench: StoreBench) -> None:
    for steps in range(STEPS + len(DELAYS)):
        key = bench.unique_name(f"k{steps}")
        async with bench.store.hold(key, lease=LONG_LEASE):
            waiters = [
                asyncio.create_task(_hold_for_ever(store, key)) for store in (bench.store, bench.second_store)
            ]
            await asyncio.sleep(QUEUE_SECONDS)
        for waiter in waiters:
            await _cancel_after(waiter, steps)
        await _expect_free(bench, key, f"the cancellation of waiters after {steps} steps")


@CANCEL_RULES.rule("cancelled-leaving", "A holder that is cancelled while it leaves releases the key")
async def _cancelled_leaving(bench: StoreBench) -> None:
    async def hold_briefly(key: str, inside: asyncio.Event) -> None:
        async with bench.store.hold(key, lease=LONG_LEASE):
            inside.set()

    for steps in range(STEPS):
        key, inside = bench.unique_name(f"k{steps}"), asyncio.Event()
        task = asyncio.create_task(hold_briefly(key, inside))
        await inside.wait()
        await _cancel_after(task, steps)
        await _expect_free(bench, key, f"a cancellation {steps} steps after its end")


@CANCEL_RULES.rule("queue-cancelled", "The others in a queue get the key after some of them were cancelled")
async def _queue_cancelled(bench: StoreBench) -> None:
    key, served = bench.unique_name(), 0

    async def hold(store: SessionStore) -> None:
        nonlocal served
        async with store.hold(key, lease=LONG_LEASE):
            served += 1

    async with bench.store.hold(key, lease=LONG_LEASE):
        stores = (bench.store, bench.second_store)
        waiters = [asyncio.create_task(hold(stores[number % 2])) for number in range(12)]
        await asyncio.sleep(QUEUE_SECONDS)
        for waiter in waiters[::3]:
            await _cancel_after(waiter, 0)
    await asyncio.wait(waiters, timeout=TIMEOUT)
    for waiter in waiters:
        waiter.cancel()
    expect_equal("the waiters that got the key", served, 8)


@CANCEL_RULES.rule("many-keys", "A worker holds three hundred keys at the same time")
async def _many_keys(bench: StoreBench) -> None:
    keys = [bench.unique_name(f"k{number}") for number in range(MANY_KEYS)]
    async with asyncio.timeout(TIMEOUT * 4), AsyncExitStack() as stack:
        for key in keys:
            await stack.enter_async_context(bench.store.hold(key, lease=LONG_LEASE))
        expect_true(
            not await can_hold(bench.second_store, keys[-1], 0.1), "the last key to be held", "it is free"
        )
        session = await bench.save_new()
        expect_equal("a session while they are held", await bench.second_store.load(session.call_id), session)
    await _expect_free(bench, keys[0], "all were released")


@CANCEL_RULES.rule("similar-keys", "Keys that begin or end alike, or are long, are different")
async def _similar_keys(bench: StoreBench) -> None:
    name = bench.unique_name()
    async with bench.store.hold(name, lease=LONG_LEASE):
        for other in (f"{name}1", f"1{name}", name[:-1], f"{name}*", f"{name}:", f"{name}\x00", name.upper()):
            got = await can_hold(bench.second_store, other, TIMEOUT)
            expect_true(got, f"{other!r} to be free", "it is held")
    long = name + "x" * 5_000
    async with bench.store.hold(f"{long}a", lease=LONG_LEASE):
        got = await can_hold(bench.second_store, f"{long}b", TIMEOUT)
    expect_true(got, "a long key that differs at its end to be free", "it is held")
