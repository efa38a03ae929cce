"""What a store does with keys that are held."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from yemot_ai.errors import HoldLostError
from yemot_ai.sessions import SessionStore
from yemot_ai_testing.conformance.rule import expect_equal, expect_true
from yemot_ai_testing.conformance.stores.bench import (
    TIMEOUT,
    StoreBench,
    StoreRuleGroup,
    WorkerLoop,
    worker_loop,
)

__all__ = ["HOLD_RULES"]

HOLD_RULES: Final = StoreRuleGroup("hold")

SHORT_LEASE: Final = 0.4
"""Seconds: a lease that a trial can wait for."""

RENEWED_LEASE: Final = 1.2
"""Seconds: a lease that is renewed in time on a busy machine, too."""

LONG_LEASE: Final = 60.0


@HOLD_RULES.rule("excludes", "While a key is held, nobody else gets it; afterwards the next one does")
async def _excludes(bench: StoreBench) -> None:
    key, inside = bench.unique_name(), asyncio.Event()

    async def next_one() -> None:
        async with bench.second_store.hold(key, lease=LONG_LEASE):
            inside.set()

    async with bench.store.hold(key, lease=LONG_LEASE):
        waiting = asyncio.create_task(next_one())
        expect_true(not await _is_set_within(inside, 0.3), "the next one to wait", "both hold the key")
    expect_true(await _is_set_within(inside, TIMEOUT), "the next one to get the key", "nobody does")
    await waiting


@HOLD_RULES.rule("same-view", "Two tasks of one worker exclude each other too")
async def _same_view(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name(), lease=LONG_LEASE):
        got = await _can_hold(bench.store, bench.unique_name(), 0.3)
    expect_true(not got, "a second task of the same worker to wait", "both hold the key")


@HOLD_RULES.rule("apart", "Keys that look alike are different keys")
async def _similar_keys(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name("k"), lease=LONG_LEASE):
        for other in ("K", "k/", "k ", "../k", "", "כ", "k\x00", "\ud800"):
            expect_true(
                await _can_hold(bench.second_store, bench.unique_name(other), TIMEOUT),
                f"{other!r} to be free",
                "it is held",
            )


@HOLD_RULES.rule("released-after-error", "A holder that fails lets go")
async def _released_after_error(bench: StoreBench) -> None:
    with suppress(LookupError):
        async with bench.store.hold(bench.unique_name(), lease=LONG_LEASE):
            {}.popitem()
    expect_true(
        await _can_hold(bench.second_store, bench.unique_name(), TIMEOUT), "the key to be free", "it is held"
    )


@HOLD_RULES.rule("released-after-cancel", "A holder that is cancelled lets go")
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
    expect_true(holder.cancelled(), "the cancellation to come through", holder)
    expect_true(
        await _can_hold(bench.second_store, bench.unique_name(), TIMEOUT), "the key to be free", "it is held"
    )


@HOLD_RULES.rule("given-up", "One that gives up waiting leaves nothing behind")
async def _given_up(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name(), lease=LONG_LEASE):
        for _ in range(5):
            expect_true(
                not await _can_hold(bench.second_store, bench.unique_name(), 0.05),
                "the others to wait",
                "both hold the key",
            )
    expect_true(
        await _can_hold(bench.second_store, bench.unique_name(), TIMEOUT), "the key to be free", "it is held"
    )


@HOLD_RULES.rule("crowd", "Twelve contenders of two workers: one at a time, and each gets its turn")
async def _many_contenders(bench: StoreBench) -> None:
    inside, most, served = 0, 0, 0

    async def contend(store: SessionStore) -> None:
        nonlocal inside, most, served
        async with store.hold(bench.unique_name(), lease=LONG_LEASE):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1
            served += 1

    stores = (bench.store, bench.second_store)
    async with asyncio.timeout(TIMEOUT * 4):
        await asyncio.gather(*(contend(stores[number % 2]) for number in range(12)))
    expect_equal("at most inside at once, and served", (most, served), (1, 12))


@HOLD_RULES.rule("no-session", "A key that is held is no session, even if it has a call's name")
async def _no_session(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name(), lease=LONG_LEASE):
        expect_equal("the session", await bench.second_store.load(bench.unique_name()), None)
        expect_equal("the calls", await bench.listed_names(), set())
        session = await bench.save_new()
    expect_equal("the session afterwards", await bench.second_store.load(bench.unique_name()), session)


@HOLD_RULES.rule("renewed", "A holder that lives keeps the key for longer than its lease")
async def _renewed(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name(), lease=RENEWED_LEASE):
        got = await _can_hold(bench.second_store, bench.unique_name(), RENEWED_LEASE * 1.75)
    expect_true(not got, "the key to be kept while its holder lives", "somebody else got it")


@HOLD_RULES.rule("dead", "The key of a worker that has stopped is free when its lease is up")
async def _stopped_worker(bench: StoreBench) -> None:
    async with worker_loop(bench) as loop:
        await _hold_on_worker(loop, bench)
        loop.freeze()
        got = await _can_hold(bench.second_store, bench.unique_name(), SHORT_LEASE + TIMEOUT)
    expect_true(got, "the key to be free after the lease", "it is held for ever")


@HOLD_RULES.rule("not-before", "The key of a worker that has stopped is kept until its lease is up")
async def _not_before(bench: StoreBench) -> None:
    async with worker_loop(bench) as loop:
        await _hold_on_worker(loop, bench, lease=LONG_LEASE)
        loop.freeze()
        got = await _can_hold(bench.second_store, bench.unique_name(), SHORT_LEASE)
    expect_true(not got, "the key to be kept until the lease is up", "somebody else got it")


@HOLD_RULES.rule("outlived", "A holder whose lease somebody else has now is stopped, and told so")
async def _lease_taken_over(bench: StoreBench) -> None:
    async with worker_loop(bench) as loop:
        ended = await _hold_on_worker(loop, bench)
        loop.freeze()
        async with bench.second_store.hold(bench.unique_name(), lease=LONG_LEASE):
            loop.thaw()
            came_to = await asyncio.wrap_future(ended)
    expect_equal("what came of the first holder", came_to, "HoldLostError")


@HOLD_RULES.rule("not-anothers", "A holder that was outlived does not let go of the key of the next one")
async def _keeps_next_holder(bench: StoreBench) -> None:
    async with worker_loop(bench) as loop:
        ended = await _hold_on_worker(loop, bench)
        loop.freeze()
        async with bench.second_store.hold(bench.unique_name(), lease=LONG_LEASE):
            loop.thaw()
            await asyncio.wrap_future(ended)
            got = await _can_hold(bench.store, bench.unique_name(), SHORT_LEASE)
    expect_true(not got, "the next holder to be alone", "a third one got in")


async def _hold_on_worker(
    worker: WorkerLoop, bench: StoreBench, *, lease: float = SHORT_LEASE
) -> Future[str]:
    """Let another worker hold the key; return the future of what comes of it."""
    inside = threading.Event()

    async def hold() -> str:
        try:
            async with bench.store.hold(bench.unique_name(), lease=lease):
                inside.set()
                await asyncio.sleep(SHORT_LEASE * 6)
        except HoldLostError:
            return "HoldLostError"
        return "it went on"

    ended = worker.start(hold())
    expect_true(
        await asyncio.to_thread(inside.wait, TIMEOUT), "the key to be free at first", "nobody gets it"
    )
    return ended


async def _can_hold(store: SessionStore, key: str, timeout: float) -> bool:
    """Tell whether somebody gets the key within ``timeout``."""
    try:
        async with asyncio.timeout(timeout), store.hold(key, lease=LONG_LEASE):
            return True
    except TimeoutError:
        return False


async def _is_set_within(event: asyncio.Event, timeout: float) -> bool:
    try:
        async with asyncio.timeout(timeout):
            return await event.wait()
    except TimeoutError:
        return False
