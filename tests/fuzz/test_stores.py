"""A damaged record affects its own call only, which starts again; a record of a newer version is kept."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.budget import fuzz
from tests.fuzz.mutations import SESSION, altered_bytes, altered_json, encode_loosely, junk_json
from tests.support.stored_records import Database, Files, Server, StoredRecords
from yemot_ai.errors import SessionFormatError, StoreError
from yemot_ai.sessions import RedisStore, Session, SessionStore, SQLiteStore
from yemot_ai.sessions.serialization import encode

RECORD = json.loads(encode(SESSION))
OTHER = Session("c2", ended=True)
LARGE_NUMBERS = [0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**400, int("9" * 4_300)]
DEEP = b"[" * 100_000

Stored = TypeVar("Stored", bound=StoredRecords)


def _with(**fields: Any) -> bytes:  # noqa: ANN401 - JSON
    return encode_loosely({**RECORD, **fields})


def nested(depth: int) -> bytes:
    return _with(state={"a": "…"}).replace(encode_loosely("…"), b"[" * depth + b"]" * depth)


records = st.one_of(
    altered_json(RECORD).map(encode_loosely),
    altered_bytes(encode(SESSION).encode()),
    junk_json.map(encode_loosely),
    st.binary(max_size=40),
    st.sampled_from(["version", "next_turn", "faults", "started", "visit", "format"]).flatmap(
        lambda name: st.sampled_from(LARGE_NUMBERS).map(lambda number: _with(**{name: number}))
    ),
    st.integers(2, 10**30).map(lambda newer: _with(format=newer)),
)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@contextmanager
def opened(stored: Stored, loop: asyncio.Runner) -> Iterator[Stored]:
    """Save the other call first; close the store at the end."""
    loop.run(stored.store.save(OTHER, ttl=3600))
    yield stored
    if isinstance(stored.store, RedisStore | SQLiteStore):
        loop.run(stored.store.aclose())


@pytest.fixture(scope="module")
def files(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    with opened(Files(tmp_path_factory.mktemp("files") / "sessions"), loop) as files:
        yield files


@pytest.fixture(scope="module")
def database(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with opened(Database(tmp_path_factory.mktemp("database") / "sessions.db"), loop) as database:
        yield database


@pytest.fixture(scope="module")
def remote(loop: asyncio.Runner, redis_url: str) -> Iterator[Server]:
    with opened(Server(redis_url, "row:"), loop) as remote:
        yield remote


@pytest.fixture(scope="module", params=["json", "sqlite", "redis"])
def stored(
    request: pytest.FixtureRequest, loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StoredRecords]:
    folder = tmp_path_factory.mktemp("records")
    made: dict[str, Callable[[], StoredRecords]] = {
        "json": lambda: Files(folder / "sessions"),
        "sqlite": lambda: Database(folder / "sessions.db"),
        "redis": lambda: Server(request.getfixturevalue("redis_url"), "fuzz:"),
    }
    with opened(made[request.param](), loop) as stored:
        yield stored


async def save_session(store: SessionStore) -> None:
    """Save the undamaged session."""
    await store.delete("c1")
    await store.save(replace(SESSION, version=0), ttl=3600)


async def continue_call(store: SessionStore) -> Session | None:
    """Continue the call; return the session that was loaded.

    Raises:
        SessionFormatError: the record has a newer format.
    """
    try:
        loaded = await store.load("c1")
        changed = replace(loaded or Session("c1"), faults=1)
        saved = await store.save(changed, ttl=3600)
        assert saved == replace(changed, version=changed.version + 1)
        assert await store.load("c1") == saved
        return loaded
    finally:
        assert "c2" in {call_id async for call_id in store.call_ids()}
        assert await store.ended(["c1", "c2"]) >= {"c2"}


@fuzz(150)
@given(record=records)
@example(record=b"")
@example(record=DEEP)
@example(record=nested(99))
@example(record=nested(100))
@example(record=nested(2_000))
@example(record=_with(state={"a": "\ud800\x00"}))
@example(record=_with(version=0))
@example(record=_with(next_turn=int("9" * 4_300)))
def test_a_call_survives_a_damaged_record(stored: StoredRecords, loop: asyncio.Runner, record: bytes) -> None:
    loop.run(save_session(stored.store))
    before = len(stored.damaged_records())
    stored.write("c1", record)
    before_load = stored.read("c1")
    try:
        loaded = loop.run(continue_call(stored.store))
    except SessionFormatError:
        assert stored.read("c1") == before_load
    else:
        assert len(stored.damaged_records()) == before + (loaded is None)


ENVELOPE: Any = {"saved": 1.7e9, "expires": 9.9e9, "session": RECORD}


@fuzz(150)
@given(
    altered_json(ENVELOPE).map(encode_loosely)
    | altered_bytes(encode_loosely(ENVELOPE))
    | st.binary(max_size=40)
)
@example(b"")
@example(b"\x00" * 4096)
@example(encode_loosely({**ENVELOPE, "expires": 10**400}))
@example(encode_loosely({**ENVELOPE, "saved": float("nan")}))
def test_a_call_survives_a_damaged_file(files: Files, loop: asyncio.Runner, data: bytes) -> None:
    loop.run(save_session(files.store))
    files.path("c1").write_bytes(data)
    with suppress(SessionFormatError):
        loop.run(continue_call(files.store))


@fuzz(80)
@given(st.binary(max_size=20) | junk_json.map(encode_loosely))
@example(b"")
@example(DEEP)
def test_a_damaged_lease_is_free_or_held(files: Files, loop: asyncio.Runner, data: bytes) -> None:
    leases: Any = files.store
    assert loop.run(leases.acquire("k", "mine", 60.0))
    (lease,) = (files.folder / "holds").glob("*.json")
    lease.write_bytes(data)
    assert loop.run(leases.acquire("k", "another", 60.0)) in {True, False}
    loop.run(leases.release("k", "another"))
    lease.unlink(missing_ok=True)


cells = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=6), st.binary(max_size=6), st.just('"')
)


@fuzz(150)
@given(st.sampled_from(["version", "ended", "saved", "expires", "record", "call_id"]), cells)
@example("version", 0)
@example("call_id", '"')
@example("call_id", b"\xff")
@example("call_id", 5)
def test_a_call_survives_a_damaged_row(
    database: Database, loop: asyncio.Runner, column: str, cell: object
) -> None:
    loop.run(save_session(database.store))
    database.execute("DELETE FROM sessions WHERE call_id <> 'c1' AND call_id <> 'c2'")
    with suppress(sqlite3.IntegrityError):  # SQLite stores NaN as NULL, which no column allows
        database.execute(f"UPDATE sessions SET {column} = ? WHERE call_id = 'c1'", cell)  # noqa: S608 - a constant
    with suppress(SessionFormatError):
        loop.run(continue_call(database.store))


def database_bytes(loop: asyncio.Runner, folder: Path) -> bytes:
    store = SQLiteStore(folder / "whole.db")
    loop.run(store.save(replace(SESSION, version=0), ttl=3600))
    loop.run(store.save(OTHER, ttl=3600))
    loop.run(store.aclose())
    return (folder / "whole.db").read_bytes()


@pytest.fixture(scope="module")
def whole(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return database_bytes(loop, tmp_path_factory.mktemp("whole"))


@settings(fuzz(100), database=None)  # the bytes of a database hold times: no example fits another run
@given(data=st.data())
def test_a_damaged_database_raises_only_store_errors(
    whole: bytes, loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.db"
    for old in path.parent.glob("damaged.db*"):
        old.unlink()
    path.write_bytes(data.draw(altered_bytes(whole) | st.binary(max_size=200)))

    async def use_store() -> None:
        with suppress(StoreError):
            store = SQLiteStore(path)
            try:
                with suppress(StoreError):
                    await continue_call(store)
                async with store.hold("c1"):
                    await store.delete("c1")
            finally:
                await store.aclose()

    with suppress(AssertionError):  # a damaged database may have lost its sessions
        loop.run(use_store())


@fuzz(150)
@given(
    st.dictionaries(
        st.sampled_from(["version", "ended", "record"]),
        st.none() | st.binary(max_size=6) | st.integers().map(lambda number: str(number).encode()),
    ),
    st.binary(max_size=6),
)
@example({"version": b"9" * 5_000}, b"")
@example({"version": b"01"}, b"")
@example({"version": None}, b"\xff")
def test_a_call_survives_damaged_fields_in_redis(
    remote: Server, loop: asyncio.Runner, fields: dict[str, bytes | None], listed: bytes
) -> None:
    loop.run(save_session(remote.store))
    with redis.Redis.from_url(remote.url) as client:
        client.zadd("row:saved", {listed: 1.0})
        for name, value in fields.items():
            if value is None:
                client.hdel("row:session:c1", name)
            else:
                client.hset("row:session:c1", name, value)
    with suppress(SessionFormatError):
        loop.run(continue_call(remote.store))
