"""The rules of sessions in a store: long records, long lives, and values that a format may change."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any, Final

from yemot_ai.sessions import Session, Turn, TurnStatus
from yemot_ai_testing.conformance.rule import RuleGroup, expect_equal, expect_true
from yemot_ai_testing.conformance.stores.bench import StoreBench

__all__ = ["SIZE_RULES"]

SIZE_RULES: Final[RuleGroup[StoreBench]] = RuleGroup("session")

LARGE_TEXTS: Final = (16_000, 33_000, 66_000)
"""Characters: records around 32,767 and 65,535 bytes, which columns and buffers are limited to."""

HUGE_TEXT: Final = 1_100_000
"""Characters: a record of more than 1 MB, and of less than the 16 MB that some services accept."""

MANY_VERSIONS: Final = 2_100
LEAST_VERSIONS: Final = 300
"""More than a byte or two digits can count, and so many more as are saved in ``VERSIONS_TIME``."""

VERSIONS_TIME: Final = 3.0
"""Seconds."""

NUMBERS: Final[dict[str, Any]] = {
    "whole": [0, -1, 2**31, 2**32, 2**53 + 1, 2**63, -(2**70), 10**30],
    "fractions": [0.1, 1e-300, 1.7976931348623157e308, 1e16, 3.0],
    "logic": [True, False, None, 0, 1],
    "texts": ["", "0", "1e3", "null", "true", "NaN", "2026-01-01T00:00:00Z", " a ", "a\r\nb\n", "\\u05d0"],
    "": {"": [], "a.b": {}, "$set": 1, "__class__": "x", "0": [[[]]]},
}
"""Values that a format can turn into others."""


async def _expect_kept(bench: StoreBench, session: Session, what: str) -> Session:
    """Save a session; raise ``Breach`` if another worker loads another one. It is too long to be printed."""
    await bench.save(session)
    loaded, expected = await bench.second_store.load(session.call_id), session.version + 1
    is_kept = loaded == replace(session, version=expected)
    expect_true(is_kept, f"{what} to be loaded as it was saved", _measure(loaded))
    return replace(session, version=expected)


def _measure(session: Session | None) -> str:
    if session is None:
        return "there is no session"
    return f"version {session.version} with {sum(len(turn.answer) for turn in session.turns)} characters"


def _spoken(length: int) -> tuple[Turn, ...]:
    return (Turn("ai_1", "?", "call", TurnStatus.ANSWERED, answer="x" * (length - 1) + "."),)


@SIZE_RULES.rule("large", "Records around 32,767 and 65,535 bytes are kept whole")
async def _large(bench: StoreBench) -> None:
    session = bench.new_session()
    for length in LARGE_TEXTS:
        spoken = replace(session, turns=_spoken(length))
        session = await _expect_kept(bench, spoken, f"a session with {length} characters")


@SIZE_RULES.rule("huge", "A record of more than 1 MB is kept whole")
async def _huge(bench: StoreBench) -> None:
    session = bench.new_session(turns=_spoken(HUGE_TEXT))
    await _expect_kept(bench, session, f"a session with {HUGE_TEXT} characters")


@SIZE_RULES.rule("shorter", "A record that has become shorter has nothing of the longer one")
async def _shorter(bench: StoreBench) -> None:
    session = await bench.save_new(turns=_spoken(9_000))
    await _expect_kept(bench, replace(session, turns=_spoken(10)), "a session that has become shorter")


@SIZE_RULES.rule("many-versions", "A session that is saved hundreds or thousands of times keeps its count")
async def _many_versions(bench: StoreBench) -> None:
    session, deadline = bench.new_session(), time.monotonic() + VERSIONS_TIME
    for version in range(1, MANY_VERSIONS + 1):
        if version > LEAST_VERSIONS and time.monotonic() > deadline:
            break
        session = await bench.save(replace(session, next_turn=version))
        expect_equal("the version", session.version, version)
    expect_equal("the session", await bench.second_store.load(session.call_id), session)
    expect_equal("the calls", await bench.listed_names(), {"call"})


@SIZE_RULES.rule("values", "Numbers, texts and names in ``state`` keep their values and types")
async def _values(bench: StoreBench) -> None:
    session = await bench.save_new(state=NUMBERS)
    loaded = await bench.second_store.load(session.call_id)
    # By ``repr``: 1 and True and 1.0 are equal.
    expect_equal("the state", repr(loaded and dict(loaded.state)), repr(NUMBERS))


@SIZE_RULES.rule("own-answers", "Sixty concurrent loads and saves of many calls are not mixed up")
async def _own_answers(bench: StoreBench) -> None:
    saved = await asyncio.gather(*(bench.save_new(f"c{number}", phone=str(number)) for number in range(60)))
    loaded = await asyncio.gather(
        *(store.load(session.call_id) for session in saved for store in (bench.store, bench.second_store))
    )
    expect_equal(
        "the phones", [session and session.phone for session in loaded[::2]], [one.phone for one in saved]
    )
    expect_true(loaded[::2] == loaded[1::2], "the same sessions in both views", "others")


@SIZE_RULES.rule("cancelled", "Cancelled commands leave nothing behind: the next ones get their own answers")
async def _cancelled_commands(bench: StoreBench) -> None:
    calls = [await bench.save_new(f"c{number}", phone=str(number)) for number in range(4)]
    for steps in range(24):
        session = calls[steps % 4]
        task = asyncio.create_task(_save_and_load(bench, session))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        loaded = [await bench.store.load(one.call_id) for one in calls]
        expect_equal(
            "the phones after a cancellation",
            [one and one.phone for one in loaded],
            [one.phone for one in calls],
        )
        calls = [one for one in loaded if one is not None]


async def _save_and_load(bench: StoreBench, session: Session) -> None:
    await bench.save(session)
    await bench.store.load(session.call_id)
