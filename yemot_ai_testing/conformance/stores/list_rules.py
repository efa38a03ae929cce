"""The rules of lists in a store: many calls, and calls that change while they are listed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from yemot_ai_testing.conformance.rule import RuleGroup, expect_equal, expect_true
from yemot_ai_testing.conformance.stores.bench import StoreBench

__all__ = ["LIST_RULES"]

LIST_RULES: Final[RuleGroup[StoreBench]] = RuleGroup("session")

MANY_CALLS: Final = 1_030
"""More than a page of 1,000."""

CHANGING_CALLS: Final = 250
"""More than two pages of 100."""

MANY_IDS: Final = 33_000
"""More variables than a statement of SQLite (32,766 and, before 3.32, 999) can have."""


async def _save_many(bench: StoreBench) -> set[str]:
    words = [f"c{number}" for number in range(MANY_CALLS)]
    for begin in range(0, MANY_CALLS, 50):
        await asyncio.gather(*(bench.save_new(word) for word in words[begin : begin + 50]))
    return {bench.unique_name(word) for word in words}


@LIST_RULES.rule("listed-while-deleted", "All calls are listed although each is deleted as it is listed")
async def _listed_while_deleted(bench: StoreBench) -> None:
    calls, listed = await _save_many(bench), set()
    async for call_id in bench.second_store.call_ids():
        if call_id in calls:
            listed.add(call_id)
            await bench.store.delete(call_id)
    expect_equal("the calls that were not listed", len(calls - listed), 0)
    expect_equal("the calls afterwards", await bench.listed_names(), set())


@LIST_RULES.rule(
    "listed-while-saved", "All calls are listed, each once, although others are saved at the same time"
)
async def _listed_while_saved(bench: StoreBench) -> None:
    sessions = {
        session.call_id: session
        for begin in range(0, CHANGING_CALLS, 50)
        for session in await asyncio.gather(*(bench.save_new(f"c{n}") for n in range(begin, begin + 50)))
    }
    calls, listed = list(sessions), []
    async for call_id in bench.second_store.call_ids():
        if call_id in sessions:
            listed.append(call_id)
            if len(listed) % 4 == 1:  # those that are listed last, and one that was listed
                for changed in (calls[-(len(listed) % (CHANGING_CALLS // 2)) - 1], call_id):
                    sessions[changed] = await bench.save(sessions[changed])
    expect_equal(
        "how often each is listed", (len(listed), len(set(listed))), (CHANGING_CALLS, CHANGING_CALLS)
    )


@LIST_RULES.rule("list-abandoned", "A list that is abandoned in the middle does not block others")
async def _list_abandoned(bench: StoreBench) -> None:
    for number in range(5):
        await bench.save_new(f"c{number}")
    for _ in range(7):
        calls = bench.store.call_ids()
        async for _call_id in calls:
            break
        if isinstance(calls, AsyncGenerator):  # an iterator of another kind has no end
            await calls.aclose()
    async with asyncio.timeout(20):
        await bench.second_store.delete(bench.unique_name("c1"))
        await bench.save_new("new")
    expect_equal("the calls", await bench.listed_names(), {"c0", "c2", "c3", "c4", "new"})


@LIST_RULES.rule("ended-thousand", "``ended`` takes more than 999 calls at once")
async def _ended_thousand(bench: StoreBench) -> None:
    await _expect_ended_among(bench, 1_100)


@LIST_RULES.rule("ended-many", "``ended`` takes more than 32,766 calls at once")
async def _ended_many(bench: StoreBench) -> None:
    await _expect_ended_among(bench, MANY_IDS)


async def _expect_ended_among(bench: StoreBench, count: int) -> None:
    first, last = await bench.save_new("first", ended=True), await bench.save_new("last", ended=True)
    running = await bench.save_new("running")
    unknown = (bench.unique_name(f"unknown{number}") for number in range(count))
    ended = await bench.second_store.ended([first.call_id, *unknown, running.call_id, last.call_id])
    expect_true(ended == {first.call_id, last.call_id}, "the first and the last call", f"{len(ended)} calls")
