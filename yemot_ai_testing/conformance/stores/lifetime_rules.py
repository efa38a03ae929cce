"""The rules of time in a store: lives that change, and clocks that are set."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Final

from yemot_ai_testing.conformance.rule import RuleGroup, expect_equal, expect_true
from yemot_ai_testing.conformance.stores.bench import TIMEOUT, StoreBench, eventually, worker_loop
from yemot_ai_testing.conformance.stores.hold_rules import LONG_LEASE, SHORT_LEASE, can_hold, hold_on_worker

__all__ = ["LEASE_CLOCK_RULES", "LIFETIME_RULES"]

LIFETIME_RULES: Final[RuleGroup[StoreBench]] = RuleGroup("session")
LEASE_CLOCK_RULES: Final[RuleGroup[StoreBench]] = RuleGroup("hold")

SHORT_TTL: Final = 0.3
DAY: Final = 86_400.0
HOUR: Final = 3_600.0

_clock_offset: ContextVar[float] = ContextVar("clock_offset", default=0.0)
_clock_lock: Final = threading.Lock()
_unset_clocks: Final[list[Callable[[], float]]] = []


@contextmanager
def clock_set(seconds: float) -> Iterator[None]:
    """Set Unix time by ``seconds`` for this context and what it starts; other rules run at the same time.

    With a later time a check must not list calls: the store would delete those of the other rules as expired.
    """
    with _clock_lock:
        _unset_clocks.append(unset := time.time)
        if len(_unset_clocks) == 1:
            time.time = lambda: unset() + _clock_offset.get()
    token = _clock_offset.set(seconds)
    try:
        yield
    finally:
        _clock_offset.reset(token)
        with _clock_lock:
            time.time = _unset_clocks[0] if len(_unset_clocks) == 1 else time.time
            _unset_clocks.pop()


@LIFETIME_RULES.rule("long-ttl", "A time to live of a month or ten years is kept, also in milliseconds")
async def _long_ttl(bench: StoreBench) -> None:
    for word, days in (("month", 31), ("quarter", 90), ("years", 3_653)):
        session = await bench.save_new(word, ttl=days * DAY)
        expect_equal(f"a session for {days} days", await bench.second_store.load(session.call_id), session)
    expect_equal("the calls", await bench.listed_names(), {"month", "quarter", "years"})


@LIFETIME_RULES.rule("ttl-shortened", "A save with a shorter time to live ends it sooner")
async def _ttl_shortened(bench: StoreBench) -> None:
    session = await bench.save(await bench.save_new(ttl=600), ttl=SHORT_TTL)

    async def is_gone() -> bool:
        return await bench.second_store.load(session.call_id) is None

    await eventually(is_gone, "a session whose time to live was shortened is removed")


@LIFETIME_RULES.rule("reused-ttl", "The end of a deleted session's time to live is not that of the next one")
async def _reused_ttl(bench: StoreBench) -> None:
    old = await bench.save_new(ttl=SHORT_TTL)
    await bench.store.delete(old.call_id)
    new = await bench.save_new(ttl=60)
    await asyncio.sleep(SHORT_TTL * 2)
    expect_equal("the new session", await bench.second_store.load(new.call_id), new)


@LIFETIME_RULES.rule("ended-expired", "A call whose session has expired has not ended")
async def _ended_expired(bench: StoreBench) -> None:
    session = await bench.save_new(ended=True, ttl=SHORT_TTL)
    await asyncio.sleep(SHORT_TTL * 2)
    expect_equal("the ended calls", await bench.second_store.ended([session.call_id]), frozenset())


@LIFETIME_RULES.rule("clock-back", "After the clock was set back an hour, calls are kept, listed and updated")
async def _clock_back(bench: StoreBench) -> None:
    session = await bench.save_new(ttl=600)
    with clock_set(-HOUR):
        expect_equal("the session", await bench.second_store.load(session.call_id), session)
        expect_equal("the calls", await bench.listed_names(), {"call"})
        session = await bench.save(replace(session, phone="050"), ttl=600)
        expect_equal("the updated session", await bench.second_store.load(session.call_id), session)
        expect_equal("the idle calls", await bench.listed_names(idle=600), set())


@LEASE_CLOCK_RULES.rule(
    "clock-back", "A dead worker's key is free after its lease, also if the clock was set back"
)
async def _lease_clock_back(bench: StoreBench) -> None:
    async with worker_loop(bench) as loop:
        await hold_on_worker(loop, bench)
        loop.freeze()
        with clock_set(-HOUR):
            got = await can_hold(bench.second_store, bench.unique_name(), SHORT_LEASE + TIMEOUT)
    expect_true(got, "the key to be free after the lease", "it is held, since the clock was set back")


@LEASE_CLOCK_RULES.rule(
    "clock-forward", "A key is kept until its lease has ended, also if the clock was set forward"
)
async def _lease_clock_forward(bench: StoreBench) -> None:
    async with bench.store.hold(bench.unique_name(), lease=LONG_LEASE):
        with clock_set(HOUR):
            got = await can_hold(bench.second_store, bench.unique_name(), SHORT_LEASE)
    expect_true(not got, "the key to be kept", "another worker got it, since the clock was set forward")
