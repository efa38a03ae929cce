"""Clocks that are set while calls run: Unix time jumps, and the monotonic clock begins again at a restart."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sessions.writer_processes import start_process
from yemot_ai.sessions import JSONFileStore, LeaseStore, RedisStore, Session, SQLiteStore
from yemot_ai.sessions.stores.lease_times import LeaseTimes

HOUR = 3600.0

MAKERS: dict[str, Callable[[Path], JSONFileStore | SQLiteStore]] = {
    "json": lambda folder: JSONFileStore(folder / "calls"),
    "sqlite": lambda folder: SQLiteStore(folder / "calls.db"),
}


@pytest.fixture(params=MAKERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set Unix time of this process by ``seconds``."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


@pytest.mark.slow
@pytest.mark.parametrize("jump", [-HOUR, HOUR, -400 * 24 * HOUR])
def test_the_lease_of_a_killed_worker_ends_in_its_time_although_the_clock_is_set(
    kind: str, jump: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MAKERS[kind](tmp_path)
    place = f"json:{tmp_path}/calls" if kind == "json" else f"sqlite:{tmp_path}/calls.db"
    with start_process("holds", place) as process:
        process.wait(30)
    set_clock(monkeypatch, jump)

    async def run_steps() -> None:
        async with asyncio.timeout(5), store.hold("key"):
            pass

    asyncio.run(run_steps())


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_lease_is_not_lost_although_the_clock_is_set(
    kind: str, jump: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run_steps() -> bool:
        store, other = MAKERS[kind](tmp_path), MAKERS[kind](tmp_path)
        assert await store.acquire("key", "first", 60)
        set_clock(monkeypatch, jump)
        assert [call_id async for call_id in other.call_ids()] == []  # which deletes old leases
        return await other.acquire("key", "second", 60)

    assert not asyncio.run(run_steps())


def test_a_lease_from_before_the_machine_was_started_again_has_ended(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic

    async def run_steps() -> bool:
        store = MAKERS[kind](tmp_path)
        monkeypatch.setattr(time, "monotonic", lambda: now() + 90 * 24 * HOUR)
        assert await store.acquire("key", "first", 10)
        monkeypatch.setattr(time, "monotonic", now)
        return await store.acquire("key", "second", 10)

    assert asyncio.run(run_steps())


@settings(max_examples=200)
@given(
    length=st.floats(0.01, 1e7),
    passed=st.floats(0, 1e7),
    started=st.floats(0, 1e9),
)
def test_a_lease_is_valid_exactly_for_its_length(length: float, passed: float, started: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: started)
        times = LeaseTimes.from_now(length)
        assert times.is_valid()
        patch.setattr(time, "monotonic", lambda: started + passed)
        if abs(passed - length) > 1e-6 * (1 + started):
            assert times.is_valid() == (passed < length)


OPERATIONS = st.one_of(
    st.tuples(st.just("acquire"), st.sampled_from("abc")),
    st.tuples(st.just("release"), st.sampled_from("abc")),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 4.0, 9.0, 11.0])),
    st.tuples(st.just("set"), st.sampled_from([-HOUR, HOUR, -1.0, 5.0])),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(OPERATIONS, max_size=12))
def test_a_key_has_one_holder_and_no_dead_one_for_long_whatever_the_clock_does(
    kind: str, tmp_path: Path, operations: list[tuple[str, str | float]]
) -> None:
    """A model of a lease that knows only how much time has passed."""
    unix, passed = time.time(), time.monotonic()
    holder, ends = "", 0.0

    async def run_steps(store: LeaseStore) -> None:
        nonlocal unix, passed, holder, ends
        for action, value in operations:
            if action == "acquire":
                is_free = passed >= ends or value == holder
                assert await store.acquire("key", str(value), 10.0) == is_free
                if is_free:
                    holder, ends = str(value), passed + 10.0
            elif action == "release":
                await store.release("key", str(value))
                ends = 0.0 if value == holder else ends
            else:
                unix += float(value)
                passed += float(value) if action == "wait" else 0.0

    store = MAKERS[kind](tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: unix)
        patch.setattr(time, "monotonic", lambda: passed)
        asyncio.run(run_steps(store))
        asyncio.run(store.release("key", holder))


@pytest.mark.parametrize("jump", [-HOUR, -1.0])
def test_calls_from_before_the_clock_was_set_back_are_listed(
    kind: str, jump: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run_steps() -> list[str]:
        store = MAKERS[kind](tmp_path)
        await store.save(Session("c1"), ttl=60)
        set_clock(monkeypatch, jump)
        return [call_id async for call_id in store.call_ids()]

    assert asyncio.run(run_steps()) == ["c1"]


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_the_clocks_of_two_machines_may_differ_with_redis(
    redis_url: str, jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run_steps() -> tuple[list[str], list[str]]:
        store = RedisStore(redis_url, prefix=f"clock{jump}:")
        await store.save(Session("c1"), ttl=60)
        set_clock(monkeypatch, jump)
        every = [call_id async for call_id in store.call_ids()]
        idle = [call_id async for call_id in store.call_ids(idle=600)]
        await store.aclose()
        return every, idle

    assert asyncio.run(run_steps()) == (["c1"], [])


def test_a_database_of_the_former_layout_is_used_and_its_leases_are_free(tmp_path: Path) -> None:
    SQLiteStore(tmp_path / "calls.db")._close()
    with sqlite3.connect(tmp_path / "calls.db") as connection:
        connection.execute("DROP TABLE leases")
        connection.execute("CREATE TABLE holds (key TEXT PRIMARY KEY, token TEXT, expires REAL)")
        connection.execute("INSERT INTO holds VALUES ('key', 'old', ?)", (time.time() + HOUR,))
    connection.close()

    assert asyncio.run(SQLiteStore(tmp_path / "calls.db").acquire("key", "new", 10))


def test_a_lease_file_of_the_former_layout_is_free(tmp_path: Path) -> None:
    async def run_steps() -> bool:
        store = JSONFileStore(tmp_path / "calls")
        await store.acquire("key", "old", 10)
        (path,) = (tmp_path / "calls" / "holds").iterdir()
        path.write_text(json.dumps(["old", time.time() + HOUR]))
        return await store.acquire("key", "new", 10)

    assert asyncio.run(run_steps())
