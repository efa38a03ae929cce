"""The rules of holds: exclusive keys with a lease."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from yemot_ai.errors import HoldLostError
from yemot_ai.sessions import SessionStore
from yemot_ai_testing.conformance.rule import RuleGroup, expect_equal, expect_true
from yemot_ai_testing.conformance.stores.bench import (
    TIMEOUT,
    StoreBench,
    WorkerLoop,
    worker_loop,
)

__all__ = ["HOLD_RULES", "LONG_LEASE", "SHORT_LEASE", "can_hold", "hold_on_worker"]

HOLD_RULES: Final[RuleGroup[StoreBench]] = RuleGroup("hold")

SHORT_LEASE: Final = 0.4
"""Seconds: a lease whose end a check can wait for."""

RENEWED_LEASE: Final = 1.2
"""Seconds: a lease that is renewed in time even on a busy machine."""

LONG_LEASE: Final = 60.0


@HOLD_RULES.rule("excludes", "While a key is held, no other task gets it; then the next one does")
async def _excludes(bench: StoreBench) -> None:
    key, inside = bench.unique_name(), asyncio.Event()

    async def hold_next() -> None:
        async with bench.second_store.hold(key, lease=LONG_LEASE):
            inside.set()

    async with bench.store.hold(key, lease=LONG_LEASE):
        waiting = asyncio.create_task(hold_next())
        expect_true(not await _is_set_within(inside, 0.3), "the next task to wait", "both hold the key")
    expect_true(await _is_set_within(inside, TIMEOUT), "the next task to get the key", "it does not")
    await waiting


@HOLD_RULES.rule("same-view", "Two tasks of one worker exclude each other too")
async def _same_view(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name(), lease=LONG_LEASE):
        got = await can_hold(bench.store, bench.unique_name(), 0.3)
    expect_true(not got, "a second task of the same worker to wait", "both hold the key")


@HOLD_RULES.rule("apart", "Similar names are different keys")
async def _similar_keys(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name("k"), lease=LONG_LEASE):
        for other in ("K", "k/", "k ", "../k", "", "כ", "k\x00", "\ud800"):
            expect_true(
                await can_hold(bench.second_store, bench.unique_name(other), TIMEOUT),
                f"{other!r} to be free",
                "it is held",
            )


@HOLD_RULES.rule("released-after-error", "A holder that fails releases the key")
async def _released_after_error(bench: StoreBench) -> None:
    with suppress(LookupError):
        async with bench.store.hold(bench.unique_name(), lease=LONG_LEASE):
            {}.popitem()
    await _expect_free(bench)


@HOLD_RULES.rule("released-after-cancel", "A holder that is cancelled releases the key")
async def _released_after_cancel(bench: StoreBench) -> None:
    inside = asyncio.Event()

    async def hold() -> None:
        async with bench.store.hold(bench.unique_name(), lease=LONG_LEASE):
            inside.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await asyncio.wait_for(inside.wait(), TIMEOUT)
    holder.cancel()
    await asyncio.wait({holder})
    expect_true(holder.cancelled(), "the task to be cancelled", holder)
    await _expect_free(bench)


@HOLD_RULES.rule("given-up", "A task that stops waiting for a key does not hold it")
async def _given_up(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name(), lease=LONG_LEASE):
        for _ in range(5):
            expect_true(
                not await can_hold(bench.second_store, bench.unique_name(), 0.05),
                "the others to wait",
                "both hold the key",
            )
    await _expect_free(bench)


@HOLD_RULES.rule("crowd", "Twelve tasks of two workers hold the key one at a time, and each gets it")
async def _many_contenders(bench: StoreBench) -> None:
    holders, most_holders, served = 0, 0, 0

    async def contend(store: SessionStore) -> None:
        nonlocal holders, most_holders, served
        async with store.hold(bench.unique_name(), lease=LONG_LEASE):
            holders += 1
            most_holders = max(most_holders, holders)
            await asyncio.sleep(0.01)
            holders -= 1
            served += 1

    stores = (bench.store, bench.second_store)
    async with asyncio.timeout(TIMEOUT * 4):
        await asyncio.gather(*(contend(stores[number % 2]) for number in range(12)))
    expect_equal("holders at the same time, and in all", (most_holders, served), (1, 12))


@HOLD_RULES.rule("no-session", "A held key is not a session, even if it has a call's name")
async def _no_session(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name(), lease=LONG_LEASE):
        expect_equal("the session", await bench.second_store.load(bench.unique_name()), None)
        expect_equal("the calls", await bench.listed_names(), set())
        session = await bench.save_new()
    expect_equal("the session after the hold", await bench.second_store.load(bench.unique_name()), session)


@HOLD_RULES.rule("renewed", "A running holder keeps the key for longer than its lease")
async def _renewed(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name(), lease=RENEWED_LEASE):
        got = await can_hold(bench.second_store, bench.unique_name(), RENEWED_LEASE * 1.75)
    expect_true(not got, "the key to be kept while its holder runs", "another worker got it")


@HOLD_RULES.rule("dead", "The key of a worker that has stopped is free when its lease has expired")
async def _stopped_worker(bench: StoreBench) -> None:
    async with worker_loop(bench) as loop:
        await hold_on_worker(loop, bench)
        loop.freeze()
        got = await can_hold(bench.second_store, bench.unique_name(), SHORT_LEASE + TIMEOUT)
    expect_true(got, "the key to be free after the lease", "it is still held")


@HOLD_RULES.rule("not-before", "The key of a worker that has stopped is kept until its lease has expired")
async def _not_before(bench: StoreBench) -> None:
    async with worker_loop(bench) as loop:
        await hold_on_worker(loop, bench, lease=LONG_LEASE)
        loop.freeze()
        got = await can_hold(bench.second_store, bench.unique_name(), SHORT_LEASE)
    expect_true(not got, "the key to be kept until the lease has expired", "another worker got it")


@HOLD_RULES.rule("outlived", "A holder whose key another worker has taken is stopped with HoldLostError")
async def _lease_taken_over(bench: StoreBench) -> None:
    async with worker_loop(bench) as loop:
        ended = await hold_on_worker(loop, bench)
        loop.freeze()
        async with bench.second_store.hold(bench.unique_name(), lease=LONG_LEASE):
            loop.thaw()
            outcome = await asyncio.wrap_future(ended)
    expect_equal("the outcome of the first holder", outcome, "HoldLostError")


@HOLD_RULES.rule("not-anothers", "A holder that has lost its key does not release it for the next holder")
async def _keeps_next_holder(bench: StoreBench) -> None:
    async with worker_loop(bench) as loop:
        ended = await hold_on_worker(loop, bench)
        loop.freeze()
        async with bench.second_store.hold(bench.unique_name(), lease=LONG_LEASE):
            loop.thaw()
            await asyncio.wrap_future(ended)
            got = await can_hold(bench.store, bench.unique_name(), SHORT_LEASE)
    expect_true(not got, "the next holder to be the only one", "a third one got the key")


async def hold_on_worker(worker: WorkerLoop, bench: StoreBench, *, lease: float = SHORT_LEASE) -> Future[str]:
    """Let another worker hold the key; return the future of the outcome."""
    inside = threading.Event()

    async def hold() -> str:
        try:
            async with bench.store.hold(bench.unique_name(), lease=lease):
                inside.set()
                await asyncio.sleep(SHORT_LEASE * 6)
        except HoldLostError:
            return "HoldLostError"
        return "it continued"

    ended = worker.start(hold())
    expect_true(await asyncio.to_thread(inside.wait, TIMEOUT), "the key to be free at first", "it is held")
    return ended


async def _expect_free(bench: StoreBench) -> None:
    got = await can_hold(bench.second_store, bench.unique_name(), TIMEOUT)
    expect_true(got, "the key to be free", "it is held")


async def can_hold(store: SessionStore, key: str, seconds: float) -> bool:
    """Return whether the key can be held within ``seconds``."""
    try:
        async with asyncio.timeout(seconds), store.hold(key, lease=LONG_LEASE):
            return True
    except TimeoutError:
        return False


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
