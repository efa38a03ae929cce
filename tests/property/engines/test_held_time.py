"""A store waits for the lock of another process while virtual time stands still: the run goes on."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from yemot_ai.sessions import JSONFileStore, MemoryStore, Session, SessionStore, SQLiteStore
from yemot_ai.sessions.stores.files import lock_file
from yemot_ai_testing import virtual_time
from yemot_ai_testing.history import History, RecordedStore
from yemot_ai_testing.property.engines import ordered
from yemot_ai_testing.property.engines.ordered import OrderedEngine

LOCKED_FOR = 0.1  # real seconds
MAX_REAL_SECONDS = 20


def save_beside_a_thread(store: SessionStore) -> Session:
    """Save a session while a thread waits until the loop is idle."""
    engine = OrderedEngine()
    recorded = RecordedStore(store, History(now=engine.clock.now), hold_time=engine.hold_time)

    async def both() -> Session:
        saved, _ = await asyncio.gather(
            recorded.save(Session("c1"), ttl=60), engine.run_in_thread(lambda: None)
        )
        return saved

    saved: list[Session] = []
    running = threading.Thread(target=lambda: saved.append(engine.run(both())), daemon=True)
    running.start()
    running.join(MAX_REAL_SECONDS)
    assert not running.is_alive()
    return saved[0]


def test_a_file_that_is_locked_for_a_moment_is_written(tmp_path: Path) -> None:
    store = JSONFileStore(tmp_path)
    with ExitStack() as locks:
        for number in range(64):
            locks.enter_context(lock_file(tmp_path / "locks" / f"{number:02}"))
        threading.Timer(LOCKED_FOR, locks.pop_all().close).start()

        assert save_beside_a_thread(store).version == 1


def test_a_database_that_is_locked_for_a_moment_is_written(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "sessions.db")
    other = sqlite3.connect(tmp_path / "sessions.db", check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(LOCKED_FOR, other.close).start()

    assert save_beside_a_thread(store).version == 1


class SleepingStore(MemoryStore):
    """Sleeps on the loop before it saves, as a store that tries again does."""

    immediate = False

    async def save(self, session: Session, *, ttl: float) -> Session:
        await asyncio.sleep(0.01)
        return await super().save(session, ttl=ttl)


def test_a_store_that_sleeps_on_the_loop_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (virtual_time, ordered):
        monkeypatch.setattr(module, "STALL_SECONDS", 0.01)

    assert save_beside_a_thread(SleepingStore()).version == 1
