"""What a store does with sessions."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Final

from yemot_ai.errors import RateLimitedError
from yemot_ai.providers.provider import Usage
from yemot_ai.runtime.engine import run_without_waiting
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
from yemot_ai_testing.conformance.rule import same, that
from yemot_ai_testing.conformance.stores.bench import Bench, Rules, eventually, is_refused, loop_of_its_own

__all__ = ["FULL", "SESSIONS"]

SESSIONS: Final = Rules("session")

BRIEF: Final = 0.3
"""Seconds: a time to live that a trial can wait for."""

A_WHILE: Final = 1.5
"""Seconds: longer than anything else takes between two steps of a trial."""

FULL: Final = Session(
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
"""A session with something in every field."""


@SESSIONS.rule("unknown", "A call that was never saved has no session")
async def _unknown(bench: Bench) -> None:
    same("the session", await bench.store.load(bench.name()), None)


@SESSIONS.rule("saved", "What one worker saves, another one loads, with version 1")
async def _saved(bench: Bench) -> None:
    new = bench.session(phone="050")
    same("what save returns", await bench.save(new), replace(new, version=1))
    same("what the other worker loads", await bench.other.load(new.call_id), replace(new, version=1))


@SESSIONS.rule("whole", "Every field comes back as it was saved, odd characters and nested state included")
async def _whole(bench: Bench) -> None:
    full = replace(FULL, call_id=bench.name())
    await bench.save(full)
    loaded = await bench.other.load(full.call_id)
    same("the session", loaded, replace(full, version=1))


@SESSIONS.rule("counted", "Each save counts the version up by one")
async def _counted(bench: Bench) -> None:
    session = await bench.saved()
    for version in (2, 3, 4):
        session = await bench.save(session)
        same("the version", session.version, version)


@SESSIONS.rule(
    "new-over-old", "A new session is not saved over one that is there; the error says whose, and since when"
)
async def _new_over_old(bench: Bench) -> None:
    stored = await bench.saved(phone="050")
    error = await is_refused(
        bench.other.save(bench.session(phone="051"), ttl=60), "a new session over an old one"
    )
    same("the error's data", (error.call_id, error.expected), (stored.call_id, 0))
    same("what is stored", await bench.store.load(stored.call_id), stored)


@SESSIONS.rule("lost-update", "A save from an outdated version is refused, and what is newer stays")
async def _lost_update(bench: Bench) -> None:
    first = await bench.saved()
    newer = await bench.other.save(replace(first, phone="051"), ttl=60)
    await is_refused(bench.save(replace(first, phone="052")), "a save from version 1 over version 2")
    same("what is stored", await bench.store.load(first.call_id), newer)


@SESSIONS.rule("from-the-future", "A save from a version that was never stored is refused")
async def _from_the_future(bench: Bench) -> None:
    await is_refused(bench.save(bench.session(version=3)), "a save from version 3 of nothing")


@SESSIONS.rule("stale-read", "A load sees what another worker saved a moment ago")
async def _stale_read(bench: Bench) -> None:
    session = await bench.saved()
    for number in range(5):
        await bench.store.load(session.call_id)
        session = await bench.other.save(replace(session, phone=str(number)), ttl=60)
        same("what the first worker loads", await bench.store.load(session.call_id), session)


@SESSIONS.rule("together", "Forty updates by two workers at once: none is lost")
async def _together(bench: Bench) -> None:
    def count(session: Session) -> Session:
        return replace(session, next_turn=session.next_turn + 1)

    name = bench.name()
    each = (
        update_session(store, name, count, ttl=60) for store in (bench.store, bench.other) for _ in range(20)
    )
    await asyncio.gather(*each)
    stored = await bench.store.load(name)
    same("updates that arrived", stored and (stored.next_turn - 1, stored.version), (40, 40))


@SESSIONS.rule("own-copy", "What a developer changes in a loaded session does not change the stored one")
async def _own_copy(bench: Bench) -> None:
    session = await bench.saved()
    await bench.save(replace(session, phone="051"))
    same("what was returned before", session.phone, "")


ODD: Final = (
    "a", "A", "a/b", "a_b", "a b", "a%2Fb", "../a", "..", ".", "/etc/a", "a.json", "", " ", "a\n", "a\x00b",
    "*", "?", "%", "אבג", "אבַג", "\ud800", "é", "e\u0301", "x" * 300, "x" * 301, "nul", '"a"', "a:b", "{a}",
)  # fmt: skip
"""Ids that a line never sends, and anybody who knows the address may."""


@SESSIONS.rule("odd-ids", "Any text is an id: none is mixed up with another, none leads anywhere else")
async def _odd_ids(bench: Bench) -> None:
    names = [f"{odd}{bench.name('')}" for odd in ODD] + [f"{bench.name('')}{odd}" for odd in ODD if odd]
    for number, name in enumerate(names):
        await bench.save(Session(name, phone=str(number)))
    loaded = [await bench.other.load(name) for name in names]
    same(
        "who was loaded",
        [one and (one.call_id, one.phone) for one in loaded],
        [(n, str(i)) for i, n in enumerate(names)],
    )
    listed = [one async for one in bench.other.call_ids()]
    that(set(names) <= set(listed), "all of them listed by their own names", sorted(set(names) - set(listed)))


@SESSIONS.rule("deleted", "A deleted session is gone for every worker, and may begin anew")
async def _deleted(bench: Bench) -> None:
    session = await bench.saved()
    await bench.other.delete(session.call_id)
    same("the session", await bench.store.load(session.call_id), None)
    await is_refused(bench.save(session), "a save over what was deleted")
    same("the version of a new one", (await bench.saved()).version, 1)


@SESSIONS.rule("deleted-twice", "Deleting what is not there is no error, and harms no neighbour")
async def _deleted_twice(bench: Bench) -> None:
    kept = await bench.saved("kept")
    await bench.store.delete(bench.name())
    await bench.store.delete(bench.name())
    same("the neighbour", await bench.store.load(kept.call_id), kept)


@SESSIONS.rule("expires", "A session is gone when its time to live is up")
async def _expires(bench: Bench) -> None:
    session = await bench.saved(ttl=BRIEF)

    async def is_gone() -> bool:
        return await bench.other.load(session.call_id) is None

    await eventually(is_gone, "a session with a brief time to live is gone")


@SESSIONS.rule("lives", "Before its time is up a session is there")
async def _lives(bench: Bench) -> None:
    session = await bench.saved(ttl=60)
    await bench.saved("brief", ttl=BRIEF)
    await asyncio.sleep(BRIEF * 2)
    same("a session that may live longer", await bench.other.load(session.call_id), session)


@SESSIONS.rule("lives-on", "A save renews the time to live")
async def _lives_on(bench: Bench) -> None:
    session = await bench.save(await bench.saved(ttl=BRIEF * 3), ttl=60)
    await asyncio.sleep(BRIEF * 4)
    same("the session", await bench.store.load(session.call_id), session)


@SESSIONS.rule("expired-anew", "What has expired is no obstacle: the call begins anew, with version 1")
async def _expired_anew(bench: Bench) -> None:
    old = await bench.save(await bench.saved(ttl=BRIEF), ttl=BRIEF)
    await asyncio.sleep(BRIEF * 2)
    await is_refused(bench.save(replace(old, phone="051")), "a save from a version that has expired")
    same("the new session", (await bench.saved()).version, 1)


@SESSIONS.rule("listed", "All sessions are listed, ended ones too, but none that was deleted or has expired")
async def _listed(bench: Bench) -> None:
    await bench.saved("open")
    await bench.saved("ended", ended=True)
    await bench.saved("expired", ttl=BRIEF)
    await bench.saved("deleted")
    await bench.store.delete(bench.name("deleted"))
    await asyncio.sleep(BRIEF * 2)
    same("the calls", await bench.listed(), {"open", "ended"})


@SESSIONS.rule("many-listed", "A thousand sessions are listed, each once")
async def _many_listed(bench: Bench) -> None:
    words = {f"c{number}" for number in range(1000)}
    for begin in range(0, 1000, 50):
        await asyncio.gather(*(bench.saved(f"c{number}") for number in range(begin, begin + 50)))
    same("how many calls are listed", len(await bench.listed() & words), 1000)


@SESSIONS.rule("idle", "Only those that were not saved for a while are listed where that is asked")
async def _idle(bench: Bench) -> None:
    await bench.saved("silent")
    speaking = await bench.saved("speaking")
    await asyncio.sleep(A_WHILE)
    began = time.monotonic()
    await bench.save(speaking)
    # However slow the disk was just now: the one is older than this, the other younger.
    idle = time.monotonic() - began + A_WHILE / 2
    same("the idle calls", await bench.listed(idle=idle), {"silent"})
    same("those idle for ten minutes", await bench.listed(idle=600), set())


@SESSIONS.rule("ended", "Which calls have ended is told in one look: those, and no others")
async def _ended(bench: Bench) -> None:
    over = await bench.save((await bench.saved("over")).tombstone())
    running = await bench.saved("running")
    asked = [over.call_id, running.call_id, bench.name("unknown")]
    same("those that have ended", await bench.other.ended(asked), frozenset({over.call_id}))
    same("of no calls", await bench.other.ended([]), frozenset())


@SESSIONS.rule("any-loop", "A store serves every event loop, one after the other and at once")
async def _any_loop(bench: Bench) -> None:
    session = await bench.saved()
    async with loop_of_its_own(bench) as loop:
        for _ in range(3):
            session = await loop.run(bench.save(session))
            same("what this loop loads", await bench.store.load(session.call_id), session)
            session = await bench.save(session)
            same("what the other loop loads", await loop.run(bench.store.load(session.call_id)), session)
    async with loop_of_its_own(bench) as loop:
        same("what a further loop loads", await loop.run(bench.store.load(session.call_id)), session)


@SESSIONS.rule("immediate", "A store that calls itself immediate never waits in load and save")
async def _immediate(bench: Bench) -> None:
    if not bench.store.immediate:
        return
    saved = run_without_waiting(bench.store.save(bench.session(), ttl=60))
    same("what was saved", run_without_waiting(bench.store.load(bench.name())), saved)
