"""Damaged and newer records in the three stores that outlive a process."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.stored_records import Database, Files, Server, StoredRecords
from yemot_ai.errors import SessionConflictError, SessionFormatError
from yemot_ai.sessions import RedisStore, Session, SessionStore, SQLiteStore, update_session
from yemot_ai.sessions.serialization import encode

SPOKEN = "what was said"


@pytest.fixture(params=["json", "sqlite", "redis"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> StoredRecords:
    if request.param == "json":
        return Files(tmp_path / "sessions")
    if request.param == "sqlite":
        return Database(tmp_path / "sessions.db")
    return Server(request.getfixturevalue("redis_url"), f"{tmp_path.name}:")


async def closed(store: SessionStore) -> None:
    if isinstance(store, RedisStore | SQLiteStore):
        await store.aclose()


NEWER = json.dumps({**json.loads(encode(Session("c1", version=1, phone="050"))), "format": 2, "mood": "new"})


def newer(shelf: StoredRecords) -> bytes:
    async def run_steps() -> None:
        await shelf.store.save(Session("c1", phone="050"), ttl=60)
        await closed(shelf.store)

    asyncio.run(run_steps())
    shelf.write("c1", NEWER.encode())
    return shelf.read("c1")


def test_a_newer_record_is_refused_by_load_and_left_as_it_is(shelf: StoredRecords) -> None:
    before = newer(shelf)

    async def run_steps() -> None:
        with pytest.raises(SessionFormatError):
            await shelf.store.load("c1")
        await closed(shelf.store)

    asyncio.run(run_steps())
    assert (shelf.read("c1"), shelf.damaged_records()) == (before, [])


def test_a_newer_record_is_not_overwritten_by_a_save(shelf: StoredRecords) -> None:
    before = newer(shelf)

    async def run_steps() -> None:
        with pytest.raises((SessionFormatError, SessionConflictError)):
            await shelf.store.save(Session("c1"), ttl=60)
        with pytest.raises(SessionFormatError):
            await update_session(shelf.store, "c1", lambda session: replace(session, faults=1), ttl=60)
        await closed(shelf.store)

    asyncio.run(run_steps())
    assert (shelf.read("c1"), shelf.damaged_records()) == (before, [])


def test_a_newer_record_does_not_hide_the_other_calls_from_the_sweeper(shelf: StoredRecords) -> None:
    newer(shelf)

    async def run_steps() -> tuple[set[str], frozenset[str]]:
        await shelf.store.save(Session("c2", ended=True), ttl=60)
        listed = {call_id async for call_id in shelf.store.call_ids()}
        ended = await shelf.store.ended(["c1", "c2"])
        await closed(shelf.store)
        return listed, ended

    listed, ended = asyncio.run(run_steps())
    assert "c2" in listed
    assert ended == {"c2"}


DAMAGED = {
    "half": encode(Session("c1", version=1, phone=SPOKEN))[:-20].encode(),
    "nothing": b"",
    "no-text": b"\xff\xfe\x80",
    "no-record": b'{"format":1,"words":"what was said"}',
    "wrong-kind": json.dumps({**json.loads(encode(Session("c1", version=1))), "turns": SPOKEN}).encode(),
    "too-great": b'{"format":1,"call_id":"c1","version":1e999}',
    "another-call": encode(Session("c2", version=1, phone=SPOKEN)).encode(),
}


@pytest.mark.parametrize("record", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_is_quarantined_and_the_call_starts_without_it(
    shelf: StoredRecords, record: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def run_steps() -> Session:
        await shelf.store.save(Session("c1", phone=SPOKEN), ttl=60)
        shelf.write("c1", record)
        assert await shelf.store.load("c1") is None
        updated = await update_session(shelf.store, "c1", lambda session: replace(session, faults=1), ttl=60)
        await closed(shelf.store)
        return updated

    assert asyncio.run(run_steps()) == Session("c1", version=1, faults=1)
    assert shelf.damaged_records() == [record]
    (logged,) = [entry for entry in caplog.records if entry.levelno == logging.ERROR]
    assert "starts without it" in logged.getMessage()
    assert SPOKEN not in caplog.text


def test_a_record_of_another_version_than_its_place_says_is_no_endless_conflict(
    tmp_path: Path, redis_url: str
) -> None:
    shelves: list[StoredRecords] = [Database(tmp_path / "s.db"), Server(redis_url, f"{tmp_path.name}:")]

    async def run_steps(shelf: StoredRecords) -> Session:
        await shelf.store.save(Session("c1"), ttl=60)
        shelf.write("c1", encode(Session("c1", version=9)).encode())
        async with asyncio.timeout(10):
            updated = await update_session(
                shelf.store, "c1", lambda session: replace(session, faults=1), ttl=60
            )
        await closed(shelf.store)
        return updated

    assert [asyncio.run(run_steps(shelf)).version for shelf in shelves] == [1, 1]


def test_two_damaged_records_of_one_call_are_both_kept(shelf: StoredRecords) -> None:
    async def run_steps() -> None:
        for junk in (b"first", b"second"):
            await shelf.store.save(Session("c1"), ttl=60)
            shelf.write("c1", junk)
            assert await shelf.store.load("c1") is None
        await closed(shelf.store)

    asyncio.run(run_steps())
    assert sorted(shelf.damaged_records()) == [b"first", b"second"]
