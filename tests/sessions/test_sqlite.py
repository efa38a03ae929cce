from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from tests.sessions.writer_processes import counted, start_process
from yemot_ai.errors import StoreError
from yemot_ai.sessions import Session, SQLiteStore, update_session


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


@pytest.mark.slow
def test_processes_on_one_file_lose_no_update(file: Path) -> None:
    workers = [start_process("counts", f"sqlite:{file}", 50) for _ in range(4)]
    for worker in workers:
        with worker:
            assert worker.wait(120) == 0

    async def run_steps() -> Session | None:
        store = SQLiteStore(file)
        session = await store.load("c1")
        await store.aclose()
        return session

    session = asyncio.run(run_steps())
    assert session is not None
    assert (session.next_turn, session.version) == (201, 200)


@pytest.mark.slow
def test_eight_processes_can_create_the_same_file_at_once(file: Path) -> None:
    workers = [start_process("opens", str(file)) for _ in range(8)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.close()
    assert [worker.wait(60) for worker in workers] == [0] * 8

    async def run_steps() -> int:
        store = SQLiteStore(file)
        count = len([call_id async for call_id in store.call_ids()])
        await store.aclose()
        return count

    assert asyncio.run(run_steps()) == 8


def test_other_users_cannot_read_what_was_said(file: Path) -> None:
    old = os.umask(0)
    try:

        async def run_steps() -> dict[str, int]:
            store = SQLiteStore(file)
            await store.save(Session("c1"), ttl=60)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
            await store.aclose()
            return modes

        modes = asyncio.run(run_steps())
    finally:
        os.umask(old)
    assert set(modes) >= {"calls.db", "calls.db-wal", "calls.db-shm"}
    assert set(modes.values()) == {0o600}


def test_an_existing_file_is_closed_to_other_users(file: Path) -> None:
    SQLiteStore(file)._close()
    file.chmod(0o660)

    SQLiteStore(file)._close()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_newer_layout_is_refused_and_left_as_it_is(file: Path) -> None:
    SQLiteStore(file)._close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = file.read_bytes()

    with pytest.raises(StoreError, match="newer version of yemot-ai \\(layout 2, this one knows 1\\)"):
        SQLiteStore(file)
    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_a_store_error(file: Path) -> None:
    file.write_text("no database\n" * 100)

    with pytest.raises(StoreError, match="is it a database"):
        SQLiteStore(file)
    assert file.read_text().startswith("no database")


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_store_is_used_on_both_sides_of_a_fork(file: Path) -> None:
    store = SQLiteStore(file)
    asyncio.run(update_session(store, "c1", counted, ttl=60))
    in_use, may_finish = threading.Event(), threading.Event()

    def use() -> None:
        with store._open():
            in_use.set()
            may_finish.wait(10)

    user = threading.Thread(target=use)
    user.start()
    in_use.wait(10)
    # Not asyncio's worker threads: the child has none of its parent's.
    child = os.fork()
    if child == 0:
        os._exit(_child(store))
    may_finish.set()
    user.join(10)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    async def run_steps() -> tuple[int, str]:
        session = await update_session(store, "c1", counted, ttl=60)
        with store._open() as connection:
            (whole,) = connection.execute("PRAGMA integrity_check").fetchone()
        await store.aclose()
        return session.next_turn, whole

    assert asyncio.run(run_steps()) == (4, "ok")


def _child(store: SQLiteStore) -> int:
    session = store._load("c1")
    if session is None:
        return 3
    store._save(counted(session), 60)
    return 0


def test_the_store_opens_again_after_it_was_closed(file: Path) -> None:
    async def run_steps() -> int:
        store = SQLiteStore(file)
        await update_session(store, "c1", counted, ttl=60)
        await store.aclose()
        session = await update_session(store, "c1", counted, ttl=60)
        await store.aclose()
        return session.version

    assert asyncio.run(run_steps()) == 2
