"""What a store does with keys that are held."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from yemot_ai.errors import HoldLostError
from yemot_ai.sessions import SessionStore
from yemot_ai_testing.conformance.rule import same, that
from yemot_ai_testing.conformance.stores.bench import SOON, Bench, Loop, Rules, loop_of_its_own

__all__ = ["HOLDS"]

HOLDS: Final = Rules("hold")

BRIEF: Final = 0.4
"""Seconds: a lease that a trial can wait for."""

STEADY: Final = 1.2
"""Seconds: a lease that is renewed in time on a busy machine, too."""

LONG: Final = 60.0


@HOLDS.rule("excludes", "While a key is held, nobody else gets it; afterwards the next one does")
async def _excludes(bench: Bench) -> None:
    key, inside = bench.name(), asyncio.Event()

    async def next_one() -> None:
        async with bench.other.hold(key, lease=LONG):
            inside.set()

    async with bench.store.hold(key, lease=LONG):
        waiting = asyncio.create_task(next_one())
        that(not await _within(inside, 0.3), "the next one to wait", "both hold the key")
    that(await _within(inside, SOON), "the next one to get the key", "nobody does")
    await waiting


@HOLDS.rule("same-view", "Two tasks of one worker exclude each other too")
async def _same_view(bench: Bench) -> None:
    async with bench.store.hold(bench.name(), lease=LONG):
        got = await _gets(bench.store, bench.name(), 0.3)
    that(not got, "a second task of the same worker to wait", "both hold the key")


@HOLDS.rule("apart", "Keys that look alike are different keys")
async def _apart(bench: Bench) -> None:
    async with bench.store.hold(bench.name("k"), lease=LONG):
        for other in ("K", "k/", "k ", "../k", "", "כ", "k\x00", "\ud800"):
            that(await _gets(bench.other, bench.name(other), SOON), f"{other!r} to be free", "it is held")


@HOLDS.rule("released-after-error", "A holder that fails lets go")
async def _released_after_error(bench: Bench) -> None:
    with suppress(LookupError):
        async with bench.store.hold(bench.name(), lease=LONG):
            {}.popitem()
    that(await _gets(bench.other, bench.name(), SOON), "the key to be free", "it is held")


@HOLDS.rule("released-after-cancel", "A holder that is cancelled lets go")
async def _released_after_cancel(bench: Bench) -> None:
    inside = asyncio.Event()

    async def hold() -> None:
        async with bench.store.hold(bench.name(), lease=LONG):
            inside.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await asyncio.wait_for(inside.wait(), SOON)
    holder.cancel()
    await asyncio.wait({holder})
    that(holder.cancelled(), "the cancellation to come through", holder)
    that(await _gets(bench.other, bench.name(), SOON), "the key to be free", "it is held")


@HOLDS.rule("given-up", "One that gives up waiting leaves nothing behind")
async def _given_up(bench: Bench) -> None:
    async with bench.store.hold(bench.name(), lease=LONG):
        for _ in range(5):
            that(not await _gets(bench.other, bench.name(), 0.05), "the others to wait", "both hold the key")
    that(await _gets(bench.other, bench.name(), SOON), "the key to be free", "it is held")


@HOLDS.rule("crowd", "Twelve contenders of two workers: one at a time, and each gets its turn")
async def _crowd(bench: Bench) -> None:
    inside, most, served = 0, 0, 0

    async def contend(store: SessionStore) -> None:
        nonlocal inside, most, served
        async with store.hold(bench.name(), lease=LONG):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1
            served += 1

    stores = (bench.store, bench.other)
    async with asyncio.timeout(SOON * 4):
        await asyncio.gather(*(contend(stores[number % 2]) for number in range(12)))
    same("at most inside at once, and served", (most, served), (1, 12))


@HOLDS.rule("no-session", "A key that is held is no session, even if it has a call's name")
async def _no_session(bench: Bench) -> None:
    async with bench.store.hold(bench.name(), lease=LONG):
        same("the session", await bench.other.load(bench.name()), None)
        same("the calls", await bench.listed(), set())
        session = await bench.saved()
    same("the session afterwards", await bench.other.load(bench.name()), session)


@HOLDS.rule("renewed", "A holder that lives keeps the key for longer than its lease")
async def _renewed(bench: Bench) -> None:
    async with bench.store.hold(bench.name(), lease=STEADY):
        got = await _gets(bench.other, bench.name(), STEADY * 1.75)
    that(not got, "the key to be kept while its holder lives", "somebody else got it")


@HOLDS.rule("dead", "The key of a worker that has stopped is free when its lease is up")
async def _dead(bench: Bench) -> None:
    async with loop_of_its_own(bench) as loop:
        await _hold_there(loop, bench)
        loop.freeze()
        got = await _gets(bench.other, bench.name(), BRIEF + SOON)
    that(got, "the key to be free after the lease", "it is held for ever")


@HOLDS.rule("not-before", "The key of a worker that has stopped is kept until its lease is up")
async def _not_before(bench: Bench) -> None:
    async with loop_of_its_own(bench) as loop:
        await _hold_there(loop, bench, lease=LONG)
        loop.freeze()
        got = await _gets(bench.other, bench.name(), BRIEF)
    that(not got, "the key to be kept until the lease is up", "somebody else got it")


@HOLDS.rule("outlived", "A holder whose lease somebody else has now is stopped, and told so")
async def _outlived(bench: Bench) -> None:
    async with loop_of_its_own(bench) as loop:
        ended = await _hold_there(loop, bench)
        loop.freeze()
        async with bench.other.hold(bench.name(), lease=LONG):
            loop.thaw()
            came_to = await asyncio.wrap_future(ended)
    same("what came of the first holder", came_to, "HoldLostError")


@HOLDS.rule("not-anothers", "A holder that was outlived does not let go of the key of the next one")
async def _not_anothers(bench: Bench) -> None:
    async with loop_of_its_own(bench) as loop:
        ended = await _hold_there(loop, bench)
        loop.freeze()
        async with bench.other.hold(bench.name(), lease=LONG):
            loop.thaw()
            await asyncio.wrap_future(ended)
            got = await _gets(bench.store, bench.name(), BRIEF)
    that(not got, "the next holder to be alone", "a third one got in")


async def _hold_there(loop: Loop, bench: Bench, *, lease: float = BRIEF) -> Future[str]:
    """Let another worker hold the key; return the future of what comes of it."""
    inside = threading.Event()

    async def hold() -> str:
        try:
            async with bench.store.hold(bench.name(), lease=lease):
                inside.set()
                await asyncio.sleep(BRIEF * 6)
        except HoldLostError:
            return "HoldLostError"
        return "it went on"

    ended = loop.start(hold())
    that(await asyncio.to_thread(inside.wait, SOON), "the key to be free at first", "nobody gets it")
    return ended


async def _gets(store: SessionStore, key: str, seconds: float) -> bool:
    """Tell whether somebody gets the key within ``seconds``."""
    try:
        async with asyncio.timeout(seconds), store.hold(key, lease=LONG):
            return True
    except TimeoutError:
        return False


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
