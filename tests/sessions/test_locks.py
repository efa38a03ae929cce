"""A lock that another process holds: all callers wait at the same time, and none for long."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sessions.held_locks import Lockable, lockable_store
from tests.sessions.writer_processes import counted
from tests.support.slowness import allowance
from yemot_ai.errors import StoreError
from yemot_ai.sessions import RedisStore, Session, SessionStore, SQLiteStore, open_store, update_session
from yemot_ai.sessions.stores import blocking
from yemot_ai.sessions.stores.blocking import STORE_TIMEOUT, BusyError

WRITERS = 200


@pytest.fixture(params=["json", "sqlite", "redis"])
def lockable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lockable]:
    with lockable_store(request.param, tmp_path) as lockable:
        yield lockable


async def closed(store: SessionStore) -> None:
    if isinstance(store, RedisStore | SQLiteStore):
        await store.aclose()


async def save_many(store: SessionStore) -> list[Session | BaseException]:
    saves = (store.save(Session(f"c{number}"), ttl=60) for number in range(WRITERS))
    return await asyncio.gather(*saves, return_exceptions=True)


@pytest.mark.slow
def test_two_hundred_writers_wait_together_and_fail_in_time(lockable: Lockable) -> None:
    async def run_steps() -> tuple[set[str], float, int]:
        store = open_store(lockable.url)
        await store.save(Session("c1000"), ttl=60)
        with lockable.locked():
            started, threads = time.monotonic(), threading.active_count()
            outcomes = await save_many(store)
            seconds, more_threads = time.monotonic() - started, threading.active_count() - threads
        await closed(store)
        return {type(one).__name__ for one in outcomes}, seconds, more_threads

    outcomes, seconds, more_threads = asyncio.run(run_steps())

    assert outcomes <= {"BusyError", "StoreError"}
    assert seconds < STORE_TIMEOUT + 3 * allowance()  # one after the other they would wait for ten minutes
    assert more_threads < 60


@pytest.mark.slow
def test_writers_that_wait_are_served_when_the_lock_is_released(lockable: Lockable) -> None:
    async def run_steps() -> list[Session | BaseException]:
        store = open_store(lockable.url)
        await store.save(Session("c1000"), ttl=60)
        with lockable.locked():
            saving = asyncio.create_task(save_many(store))
            await asyncio.wait({saving}, timeout=0.5)
        outcomes = await saving
        await closed(store)
        return outcomes

    assert [one.version for one in asyncio.run(run_steps()) if isinstance(one, Session)] == [1] * WRITERS


@pytest.mark.parametrize("kind", ["json", "sqlite"])
def test_a_load_does_not_wait_behind_writers(kind: str, tmp_path: Path) -> None:
    async def run_steps(lockable: Lockable) -> bool:
        store = open_store(lockable.url)
        await store.save(Session("c1000"), ttl=60)
        with lockable.locked():
            saving = asyncio.create_task(save_many(store))
            await asyncio.wait({saving}, timeout=0.2)
            await store.load("c1000")
            is_before = not saving.done()
            saving.cancel()
            await asyncio.wait({saving})
        await closed(store)
        return is_before

    with lockable_store(kind, tmp_path) as lock:
        assert asyncio.run(run_steps(lock))


@pytest.mark.parametrize("kind", ["json", "sqlite"])
def test_a_writer_that_is_cancelled_while_it_waits_writes_nothing(kind: str, tmp_path: Path) -> None:
    async def run_steps(lockable: Lockable) -> Session | None:
        store = open_store(lockable.url)
        session = await store.save(Session("c1"), ttl=60)
        with lockable.locked():
            saving = asyncio.create_task(store.save(session, ttl=60))
            await asyncio.wait({saving}, timeout=0.1)
            saving.cancel()
            await asyncio.wait({saving})
        await update_session(store, "c2", counted, ttl=60)  # and the others continue
        stored = await store.load("c1")
        await closed(store)
        return stored

    with lockable_store(kind, tmp_path) as lock:
        assert asyncio.run(run_steps(lock)) == Session("c1", version=1)


@pytest.mark.parametrize("kind", ["json", "sqlite"])
def test_the_error_names_the_file_that_is_locked(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking, "STORE_TIMEOUT", 0.1)

    async def run_steps(lockable: Lockable) -> None:
        store = open_store(lockable.url)
        with lockable.locked():
            await store.save(Session("c1"), ttl=60)

    with (
        lockable_store(kind, tmp_path) as lock,
        pytest.raises(BusyError, match=f"{tmp_path}/.* is locked by another process"),
    ):
        asyncio.run(run_steps(lock))


def test_a_database_that_is_locked_while_it_is_opened_is_an_error_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking, "OPEN_TIMEOUT", 0.1)
    with lockable_store("sqlite", tmp_path) as lockable, lockable.locked(), pytest.raises(StoreError):
        open_store(lockable.url)
