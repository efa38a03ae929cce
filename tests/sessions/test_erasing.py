"""What was deleted is gone from the files: words, numbers, and the pages that held them."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sessions.writer_processes import start_process
from yemot_ai.sessions import JSONFileStore, Session, SessionStore, SQLiteStore, Turn, TurnStatus
from yemot_ai.sessions.stores import sqlite as sqlite_store

WORDS = "purple-umbrella"
NUMBER = "0509876543"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


def spoken(call_id: str, *, turns: int = 1, size: int = 1) -> Session:
    said = tuple(
        Turn(f"ai_{number}", WORDS * size, "call", TurnStatus.ANSWERED, answer=f"{WORDS} {number}" * size)
        for number in range(turns)
    )
    return Session(call_id, phone=NUMBER, turns=said)


def found(folder: Path) -> dict[str, int]:
    """Return how often the words and the number are in each file."""
    counts = {
        path.name: path.read_bytes().count(WORDS.encode()) + path.read_bytes().count(NUMBER.encode())
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {name: count for name, count in counts.items() if count}


def size(file: Path) -> int:
    return file.stat().st_size


async def until_erased(folder: Path) -> None:
    async with asyncio.timeout(20):
        while found(folder):  # noqa: ASYNC110 - files have no event
            await asyncio.sleep(0.05)


async def talk(store: SessionStore, call_id: str, *, size: int = 1) -> Session:
    """Save a call that grows by one turn at a time; return it as stored."""
    session = await store.save(spoken(call_id, turns=0), ttl=60)
    for turns in range(1, 8):
        session = await store.save(
            replace(session, turns=spoken(call_id, turns=turns, size=size).turns), ttl=60
        )
    return session


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 40, 2000])
@pytest.mark.parametrize("way", ["ended", "deleted", "expired"])
def test_nothing_is_left_a_moment_after_a_call_while_other_calls_continue(
    file: Path, way: str, size: int
) -> None:
    async def run_steps() -> None:
        store, other = SQLiteStore(file), SQLiteStore(file)
        for number in range(20):
            session = await talk(store, f"c{number}", size=size)
            await other.save(Session(f"open{number}"), ttl=600)
            if way == "ended":
                await store.save(session.tombstone(), ttl=60)
            elif way == "deleted":
                await store.delete(session.call_id)
            else:
                await store.save(session, ttl=-1)
                assert session.call_id not in [one async for one in store.call_ids()]
        assert await other.load("open3")
        await until_erased(file.parent)
        await store.aclose()
        await other.aclose()

    asyncio.run(run_steps())


def test_nothing_is_left_when_the_store_is_closed_at_once(file: Path) -> None:
    async def run_steps() -> dict[str, int]:
        store, other = SQLiteStore(file), SQLiteStore(file)
        await store.save((await talk(store, "c1")).tombstone(), ttl=60)
        await store.aclose()
        left = found(file.parent)
        await other.aclose()
        return left

    assert asyncio.run(run_steps()) == {}


@pytest.mark.slow
def test_what_a_killed_process_has_deleted_is_erased_when_the_next_one_opens_the_file(file: Path) -> None:
    with start_process("ends_and_dies", str(file)) as process:
        assert process.wait(30) == -9
    assert found(file.parent)

    SQLiteStore(file)

    assert found(file.parent) == {}


@pytest.mark.slow
def test_what_a_process_has_deleted_is_erased_when_it_exits(file: Path) -> None:
    with start_process("ends", str(file)) as process:
        assert process.wait(30) == 0

    assert found(file.parent) == {}


@pytest.mark.slow
def test_a_reader_in_another_process_delays_it_only(file: Path) -> None:
    async def run_steps() -> bool:
        store = SQLiteStore(file)
        session = await talk(store, "c1")
        reader = sqlite3.connect(file, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sessions").fetchone()
        await store.save(session.tombstone(), ttl=60)
        is_done = await store._calls.run(store._erase)
        reader.close()
        await until_erased(file.parent)
        await store.aclose()
        return is_done

    assert not asyncio.run(run_steps())


def test_a_loop_that_ends_before_it_is_erased_logs_no_error(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run_steps() -> SQLiteStore:
        store = SQLiteStore(file)
        await store.save((await talk(store, "c1")).tombstone(), ttl=60)
        loop = asyncio.get_running_loop()
        await loop.shutdown_default_executor()  # as asyncio.run does, before the loop ends
        await store._eraser._run(loop, 1)
        return store

    asyncio.run(run_steps())._close()

    assert found(file.parent) == {}
    assert caplog.text == ""


def test_deleted_content_is_overwritten_whatever_the_build_does_by_default(file: Path) -> None:
    store = SQLiteStore(file)
    with store._open() as connection:
        assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
    store._close()


def test_the_json_store_keeps_nothing_of_a_call_that_has_ended(tmp_path: Path) -> None:
    async def run_steps() -> dict[str, int]:
        store = JSONFileStore(tmp_path)
        await store.save((await talk(store, "c1")).tombstone(), ttl=60)
        await talk(store, "c2")
        await store.delete("c2")
        return found(tmp_path)

    assert asyncio.run(run_steps()) == {}


@pytest.mark.parametrize("when", ["erased", "closed", "listed"])
def test_a_small_database_is_rewritten_without_what_was_moved_within_its_pages(
    file: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run_steps() -> int:
        store = SQLiteStore(file)
        if when != "erased":
            assert await store._calls.run(store._erase)  # the next one is due in ten minutes
        for number in range(30):
            await store.save(spoken(f"c{number}", size=300), ttl=60)
        for number in range(30):
            await store.delete(f"c{number}")
        if when == "listed":
            monkeypatch.setattr(sqlite_store, "VACUUM_INTERVAL", 0.0)
            assert [call_id async for call_id in store.call_ids()] == []
        if when == "closed":
            await store.aclose()
            return size(file)
        async with asyncio.timeout(10):
            while size(file) > 60_000:  # noqa: ASYNC110 - files have no event
                await asyncio.sleep(0.05)
        await store.aclose()
        return size(file)

    assert asyncio.run(run_steps()) < 60_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_left_of_many_calls_in_any_order(file: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test

    async def run_steps() -> dict[str, int]:
        store = SQLiteStore(file)
        calls: dict[str, Session] = {}
        for _ in range(300):
            call_id = f"c{chance.randrange(30)}"
            session = calls.pop(call_id, None)
            if session and chance.random() < 0.3:
                await store.delete(call_id)
                continue
            turns = spoken(call_id, size=chance.choice([1, 3, 30, 300])).turns
            session = session or Session(call_id, phone=NUMBER)
            calls[call_id] = await store.save(replace(session, turns=(*session.turns, *turns)), ttl=60)
        for session in calls.values():
            await store.save(session.tombstone(), ttl=60)
        await store.aclose()
        return found(file.parent)

    assert asyncio.run(run_steps()) == {}
