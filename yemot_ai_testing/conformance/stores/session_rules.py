"""The rules of sessions in a store: versions, expiry, lists."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from yemot_ai.errors import RateLimitedError
from yemot_ai.providers.provider import Usage
from yemot_ai.sessions import (
    CachedResponse,
    HandlerOutcome,
    Session,
    Turn,
    TurnFailure,
    TurnStatus,
    Visit,
    update_session,
)
from yemot_ai_testing.conformance.rule import Breach, RuleGroup, expect_equal, expect_true
from yemot_ai_testing.conformance.stores.bench import (
    StoreBench,
    eventually,
    expect_conflict,
    worker_loop,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["FULL_SESSION", "SESSION_RULES"]

T = TypeVar("T")

SESSION_RULES: Final[RuleGroup[StoreBench]] = RuleGroup("session")

SHORT_TTL: Final = 0.3
"""Seconds: a time to live whose end a check can wait for."""

IDLE_TIME: Final = 1.5
"""Seconds: longer than any other step of a check takes."""

FULL_SESSION: Final = Session(
    "full",
    phone="0501234567",
    started=1_767_225_600.25,
    visit=Visit(
        2, "ai/agent", 3, ("menu",), (("menu", "1"), ("menu", "")), silences=1, decided=(3, "read=t-א=b")
    ),
    next_turn=7,
    names={"menu": "menu", "menu_2": "menu"},
    turns=(
        Turn("ai_1", "שָׁלוֹם 😀", "call", TurnStatus.ANSWERED, answer='א "ב" \\ \n', usage=Usage(1, 2, 3, 4)),
        Turn("ai_2", "", status=TurnStatus.RUNNING, owner="w1"),
        Turn(
            "ai_3",
            "\u200f\ud800\x00",
            status=TurnStatus.FAILED,
            failure=TurnFailure.from_error(RateLimitedError("לאט", retry_after=1.5)),
            duration=0.125,
            forgotten=True,
        ),
    ),
    earlier=(Turn("ai_9", "אתמול", "call", TurnStatus.ANSWERED, answer="כן", session_id="t-1"),),
    recalled=True,
    restarted=("call",),
    threads={"call": {"thread_id": "t", "deep": [1, None, True, 1.5, "ת"]}, "other": "x"},
    retired=(("call", "gone"),),
    recent=(CachedResponse("mark", None, "noop"), CachedResponse("ab", 17, "go_to_folder=..", left=True)),
    finished=(HandlerOutcome("run/1/x", "id_list_message=t-א"), HandlerOutcome("run/1/y", failed=True)),
    state={"size": "גדולה", "items": [{"n": 1}], "none": None},
    faults=2,
)
"""A session with a value in every field."""


@SESSION_RULES.rule("unknown", "A call that was never saved has no session")
async def _unknown(bench: StoreBench) -> None:
    expect_equal("the session", await bench.store.load(bench.unique_name()), None)


@SESSION_RULES.rule("saved", "A session saved by one worker is loaded by another one, with version 1")
async def _saved(bench: StoreBench) -> None:
    new = bench.new_session(phone="050")
    expect_equal("what save returns", await bench.save(new), replace(new, version=1))
    expect_equal(
        "what the other worker loads", await bench.second_store.load(new.call_id), replace(new, version=1)
    )


@SESSION_RULES.rule(
    "whole", "Every field is loaded as it was saved, including unusual characters and nested state"
)
async def _all_fields(bench: StoreBench) -> None:
    full = replace(FULL_SESSION, call_id=bench.unique_name())
    await bench.save(full)
    loaded = await bench.second_store.load(full.call_id)
    expect_equal("the session", loaded, replace(full, version=1))


@SESSION_RULES.rule("counted", "Each save increments the version by one")
async def _version_counts(bench: StoreBench) -> None:
    session = await bench.save_new()
    for version in (2, 3, 4):
        session = await bench.save(session)
        expect_equal("the version", session.version, version)


@SESSION_RULES.rule(
    "new-over-old", "A new session does not replace a stored one; the error has the call and the version"
)
async def _new_over_old(bench: StoreBench) -> None:
    stored = await bench.save_new(phone="050")
    error = await expect_conflict(
        bench.second_store.save(bench.new_session(phone="051"), ttl=60), "a new session over an old one"
    )
    expect_equal("the error's data", (error.call_id, error.expected), (stored.call_id, 0))
    expect_equal("the stored session", await bench.store.load(stored.call_id), stored)


@SESSION_RULES.rule("lost-update", "A save from an outdated version is refused, and the newer one is kept")
async def _lost_update(bench: StoreBench) -> None:
    first = await bench.save_new()
    newer = await bench.second_store.save(replace(first, phone="051"), ttl=60)
    await expect_conflict(bench.save(replace(first, phone="052")), "a save from version 1 over version 2")
    expect_equal("the stored session", await bench.store.load(first.call_id), newer)


@SESSION_RULES.rule("from-the-future", "A save from a version that was never stored is refused")
async def _from_the_future(bench: StoreBench) -> None:
    await expect_conflict(bench.save(bench.new_session(version=3)), "a save from version 3 of nothing")


@SESSION_RULES.rule("stale-read", "A load returns what another worker has just saved")
async def _stale_read(bench: StoreBench) -> None:
    session = await bench.save_new()
    for number in range(5):
        await bench.store.load(session.call_id)
        session = await bench.second_store.save(replace(session, phone=str(number)), ttl=60)
        expect_equal("what the first worker loads", await bench.store.load(session.call_id), session)


@SESSION_RULES.rule("together", "Forty concurrent updates of two workers: none is lost")
async def _concurrent_updates(bench: StoreBench) -> None:
    def count(session: Session) -> Session:
        return replace(session, next_turn=session.next_turn + 1)

    name = bench.unique_name()
    each = (
        update_session(store, name, count, ttl=60)
        for store in (bench.store, bench.second_store)
        for _ in range(20)
    )
    await asyncio.gather(*each)
    stored = await bench.store.load(name)
    expect_equal("stored updates", stored and (stored.next_turn - 1, stored.version), (40, 40))


@SESSION_RULES.rule("own-copy", "Saving a changed copy does not change a session that was returned before")
async def _own_copy(bench: StoreBench) -> None:
    session = await bench.save_new()
    await bench.save(replace(session, phone="051"))
    expect_equal("what was returned before", session.phone, "")


ODD_IDS: Final = (
    "a", "A", "a/b", "a_b", "a b", "a%2Fb", "../a", "..", ".", "/etc/a", "a.json", "", " ", "a\n", "a\x00b",
    "*", "?", "%", "אבג", "אבַג", "\ud800", "é", "e\u0301", "x" * 300, "x" * 301, "nul", '"a"', "a:b", "{a}",
)  # fmt: skip
"""Ids that Yemot never sends, but a client that knows the URL can."""


@SESSION_RULES.rule("odd-ids", "Any text is an id: ids are not mixed up, and none is used as a path")
async def _odd_ids(bench: StoreBench) -> None:
    names = [f"{odd}{bench.unique_name('')}" for odd in ODD_IDS] + [
        f"{bench.unique_name('')}{odd}" for odd in ODD_IDS if odd
    ]
    for number, name in enumerate(names):
        await bench.save(Session(name, phone=str(number)))
    loaded = [await bench.second_store.load(name) for name in names]
    expect_equal(
        "the loaded sessions",
        [session and (session.call_id, session.phone) for session in loaded],
        [(name, str(number)) for number, name in enumerate(names)],
    )
    listed = [one async for one in bench.second_store.call_ids()]
    expect_true(
        set(names) <= set(listed), "all of them to be listed by name", sorted(set(names) - set(listed))
    )


@SESSION_RULES.rule("deleted", "A deleted session is removed for every worker, and can be created again")
async def _deleted(bench: StoreBench) -> None:
    session = await bench.save_new()
    await bench.second_store.delete(session.call_id)
    expect_equal("the session", await bench.store.load(session.call_id), None)
    await expect_conflict(bench.save(session), "a save over a deleted session")
    expect_equal("the version of a new one", (await bench.save_new()).version, 1)


@SESSION_RULES.rule("deleted-twice", "Deleting a missing session is no error, and keeps the others")
async def _deleted_twice(bench: StoreBench) -> None:
    other = await bench.save_new("other")
    await bench.store.delete(bench.unique_name())
    await bench.store.delete(bench.unique_name())
    expect_equal("the other session", await bench.store.load(other.call_id), other)


@SESSION_RULES.rule("expires", "A session is removed when its time to live has expired")
async def _expires(bench: StoreBench) -> None:
    session = await bench.save_new(ttl=SHORT_TTL)

    async def is_gone() -> bool:
        return await bench.second_store.load(session.call_id) is None

    await eventually(is_gone, "a session with a short time to live is removed")


@SESSION_RULES.rule("lives", "A session is kept until its time to live has expired")
async def _not_expired(bench: StoreBench) -> None:
    session = await bench.save_new(ttl=60)
    await bench.save_new("brief", ttl=SHORT_TTL)
    await asyncio.sleep(SHORT_TTL * 2)
    expect_equal("a session that has not expired", await bench.second_store.load(session.call_id), session)


@SESSION_RULES.rule("lives-on", "A save renews the time to live")
async def _ttl_renewed(bench: StoreBench) -> None:
    session = await bench.save(await bench.save_new(ttl=SHORT_TTL * 3), ttl=60)
    await asyncio.sleep(SHORT_TTL * 4)
    expect_equal("the session", await bench.store.load(session.call_id), session)


@SESSION_RULES.rule(
    "new-after-expiry", "After its session has expired, a call can start again with version 1"
)
async def _restarted_after_expiry(bench: StoreBench) -> None:
    old = await bench.save(await bench.save_new(ttl=SHORT_TTL), ttl=SHORT_TTL)
    await asyncio.sleep(SHORT_TTL * 2)
    await expect_conflict(bench.save(replace(old, phone="051")), "a save from a version that has expired")
    expect_equal("the new session", (await bench.save_new()).version, 1)


@SESSION_RULES.rule(
    "listed", "All sessions are listed, including ended ones, but not deleted or expired ones"
)
async def _listed(bench: StoreBench) -> None:
    await bench.save_new("open")
    await bench.save_new("ended", ended=True)
    await bench.save_new("expired", ttl=SHORT_TTL)
    await bench.save_new("deleted")
    await bench.store.delete(bench.unique_name("deleted"))
    await asyncio.sleep(SHORT_TTL * 2)
    expect_equal("the calls", await bench.listed_names(), {"open", "ended"})


@SESSION_RULES.rule("many-listed", "A thousand sessions are listed, each once")
async def _many_listed(bench: StoreBench) -> None:
    words = {f"c{number}" for number in range(1000)}
    for begin in range(0, 1000, 50):
        await asyncio.gather(*(bench.save_new(f"c{number}") for number in range(begin, begin + 50)))
    expect_equal("the number of listed calls", len(await bench.listed_names() & words), 1000)


@SESSION_RULES.rule("idle", "With ``idle``, only sessions that were not saved for that time are listed")
async def _idle(bench: StoreBench) -> None:
    await bench.save_new("silent")
    speaking = await bench.save_new("speaking")
    await asyncio.sleep(IDLE_TIME)
    start = time.monotonic()
    await bench.save(speaking)
    # The limit is between the ages of the two sessions, also if the save was slow.
    idle = time.monotonic() - start + IDLE_TIME / 2
    expect_equal("the idle calls", await bench.listed_names(idle=idle), {"silent"})
    expect_equal("those idle for ten minutes", await bench.listed_names(idle=600), set())


@SESSION_RULES.rule("ended", "One query returns which of the given calls have ended")
async def _ended(bench: StoreBench) -> None:
    ended = await bench.save((await bench.save_new("ended")).tombstone())
    running = await bench.save_new("running")
    call_ids = [ended.call_id, running.call_id, bench.unique_name("unknown")]
    expect_equal("the ended calls", await bench.second_store.ended(call_ids), frozenset({ended.call_id}))
    expect_equal("of no calls", await bench.second_store.ended([]), frozenset())


@SESSION_RULES.rule("any-loop", "A store works on every event loop, also on several at the same time")
async def _any_loop(bench: StoreBench) -> None:
    session = await bench.save_new()
    async with worker_loop(bench) as loop:
        for _ in range(3):
            session = await loop.run(bench.save(session))
            expect_equal("what this loop loads", await bench.store.load(session.call_id), session)
            session = await bench.save(session)
            expect_equal(
                "what the other loop loads", await loop.run(bench.store.load(session.call_id)), session
            )
    async with worker_loop(bench) as loop:
        expect_equal("what a further loop loads", await loop.run(bench.store.load(session.call_id)), session)


@SESSION_RULES.rule("immediate", "A store with ``immediate`` never waits in load and save")
async def _immediate(bench: StoreBench) -> None:
    if not bench.store.immediate:
        return
    saved = _run_without_waiting(bench.store.save(bench.new_session(), ttl=60))
    expect_equal("what was saved", _run_without_waiting(bench.store.load(bench.unique_name())), saved)


def _run_without_waiting(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in one step; raise ``Breach`` if it waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # the value of a coroutine is untyped here
    coroutine.close()
    raise Breach("load and save that never wait", f"{coroutine!r} waits")
