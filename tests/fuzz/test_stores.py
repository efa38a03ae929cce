"""Whatever lies where a store keeps its sessions, its call goes on or is left alone, and the others go on."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.budget import fuzz
from tests.fuzz.mutations import altered_bytes, altered_json, junk_json, written
from tests.support.redis_server import RedisServer
from tests.support.stored_records import Database, Files, Server, Shelf
from yemot_ai.errors import SessionFormatError, StoreError
from yemot_ai.providers.provider import Usage
from yemot_ai.sessions import RedisStore, Session, SessionStore, SQLiteStore, Turn, Visit
from yemot_ai.sessions.serialization import encode

SESSION = Session(
    "c1",
    version=1,
    phone="0501234567",
    visit=Visit(1, "1", seen=(("ai_1", "שלום"),)),
    turns=(Turn("ai_1", "שלום", answer="כן", usage=Usage(3, 1)),),
    threads={"codex": "t1"},
    state={"size": ["גדולה", 3.5, None]},
)
RECORD = json.loads(encode(SESSION))
OTHER = Session("c2", ended=True)
GREAT = [0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**400, int("9" * 4_300)]
DEEP = b"[" * 100_000


def _with(**fields: Any) -> bytes:  # noqa: ANN401 - JSON
    return written({**RECORD, **fields})


def nested(depth: int) -> bytes:
    return _with(state={"a": "…"}).replace(written("…"), b"[" * depth + b"]" * depth)


records = st.one_of(
    altered_json(RECORD).map(written),
    altered_bytes(encode(SESSION).encode()),
    junk_json.map(written),
    st.binary(max_size=40),
    st.sampled_from(["version", "next_turn", "faults", "started", "visit", "format"]).flatmap(
        lambda name: st.sampled_from(GREAT).map(lambda number: _with(**{name: number}))
    ),
    st.integers(2, 10**30).map(lambda newer: _with(format=newer)),
)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    started = RedisServer().start()
    yield started
    started.close()


@pytest.fixture(scope="module", params=["json", "sqlite", "redis"])
def shelf(
    request: pytest.FixtureRequest, loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("shelf")
    made: Shelf
    if request.param == "json":
        made = Files(folder / "sessions")
    elif request.param == "sqlite":
        made = Database(folder / "sessions.db")
    else:
        made = Server(request.getfixturevalue("server").url, "fuzz:")
    loop.run(made.store.save(OTHER, ttl=3600))
    yield made
    loop.run(closed(made.store))


async def closed(store: SessionStore) -> None:
    if isinstance(store, RedisStore | SQLiteStore):
        await store.aclose()


async def begun(store: SessionStore) -> None:
    """Put the session there, as it is before something happens to it."""
    await store.delete("c1")
    await store.save(replace(SESSION, version=0), ttl=3600)


async def lived_through(store: SessionStore) -> Session | None:
    """Go on with the call, and return what was found of it.

    Raises:
        SessionFormatError: it is left to a newer version.
    """
    try:
        found = await store.load("c1")
        changed = replace(found or Session("c1"), faults=1)
        saved = await store.save(changed, ttl=3600)
        assert saved == replace(changed, version=changed.version + 1)
        assert await store.load("c1") == saved
        return found
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
def test_a_call_goes_on_whatever_its_record_became_or_is_left_to_a_newer_version(
    shelf: Shelf, loop: asyncio.Runner, record: bytes
) -> None:
    loop.run(begun(shelf.store))
    before = len(shelf.aside())
    shelf.write("c1", record)
    stored = shelf.read("c1")
    try:
        found = loop.run(lived_through(shelf.store))
    except SessionFormatError:
        assert shelf.read("c1") == stored
    else:
        assert len(shelf.aside()) == before + (found is None)


@pytest.fixture(scope="module")
def files(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Files:
    made = Files(tmp_path_factory.mktemp("files"))
    loop.run(made.store.save(OTHER, ttl=3600))
    return made


ENVELOPE: Any = {"saved": 1.7e9, "expires": 9.9e9, "session": RECORD}


@fuzz(150)
@given(altered_json(ENVELOPE).map(written) | altered_bytes(written(ENVELOPE)) | st.binary(max_size=40))
@example(b"")
@example(b"\x00" * 4096)
@example(written({**ENVELOPE, "expires": 10**400}))
@example(written({**ENVELOPE, "saved": float("nan")}))
def test_a_call_goes_on_whatever_its_file_became(files: Files, loop: asyncio.Runner, data: bytes) -> None:
    loop.run(begun(files.store))
    files.path("c1").write_bytes(data)
    with suppress(SessionFormatError):
        loop.run(lived_through(files.store))


@fuzz(80)
@given(st.binary(max_size=20) | junk_json.map(written))
@example(b"")
@example(DEEP)
def test_a_lease_that_cannot_be_read_is_nobodys_or_somebodys(
    files: Files, loop: asyncio.Runner, data: bytes
) -> None:
    leases: Any = files.store
    assert loop.run(leases.acquire("k", "mine", 60.0))
    (lease,) = (files.folder / "holds").glob("*.json")
    lease.write_bytes(data)
    assert loop.run(leases.acquire("k", "another", 60.0)) in {True, False}
    loop.run(leases.release("k", "another"))
    lease.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def database(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(tmp_path_factory.mktemp("database") / "sessions.db")
    loop.run(made.store.save(OTHER, ttl=3600))
    yield made
    loop.run(closed(made.store))


cells = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=6), st.binary(max_size=6), st.just('"')
)


@fuzz(150)
@given(st.sampled_from(["version", "ended", "saved", "expires", "record", "call_id"]), cells)
@example("version", 0)
@example("call_id", '"')
@example("call_id", b"\xff")
@example("call_id", 5)
def test_a_call_goes_on_whatever_its_row_became(
    database: Database, loop: asyncio.Runner, column: str, cell: object
) -> None:
    loop.run(begun(database.store))
    database.ask("DELETE FROM sessions WHERE call_id <> 'c1' AND call_id <> 'c2'")
    with suppress(sqlite3.IntegrityError):  # NaN is NULL to SQLite, which no column takes
        database.ask(f"UPDATE sessions SET {column} = ? WHERE call_id = 'c1'", cell)  # noqa: S608 - a name of ours
    with suppress(SessionFormatError):
        loop.run(lived_through(database.store))


def database_bytes(loop: asyncio.Runner, folder: Path) -> bytes:
    store = SQLiteStore(folder / "whole.db")
    loop.run(store.save(replace(SESSION, version=0), ttl=3600))
    loop.run(store.save(OTHER, ttl=3600))
    loop.run(store.aclose())
    return (folder / "whole.db").read_bytes()


@pytest.fixture(scope="module")
def whole(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return database_bytes(loop, tmp_path_factory.mktemp("whole"))


@fuzz(100)
@given(data=st.data())
def test_of_a_damaged_database_comes_nothing_but_an_error_of_ours(
    whole: bytes, loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.db"
    for left in path.parent.glob("damaged.db*"):
        left.unlink()
    path.write_bytes(data.draw(altered_bytes(whole) | st.binary(max_size=200)))

    async def used() -> None:
        with suppress(StoreError):
            store = SQLiteStore(path)
            try:
                with suppress(StoreError):
                    await lived_through(store)
                async with store.hold("c1"):
                    await store.delete("c1")
            finally:
                await store.aclose()

    with suppress(AssertionError):  # a database may be damaged so that it has lost what it had
        loop.run(used())


@pytest.fixture(scope="module")
def remote(loop: asyncio.Runner, server: RedisServer) -> Iterator[Server]:
    made = Server(server.url, "row:")
    loop.run(made.store.save(OTHER, ttl=3600))
    yield made
    loop.run(closed(made.store))


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
def test_a_call_goes_on_whatever_its_fields_in_redis_became(
    remote: Server, loop: asyncio.Runner, fields: dict[str, bytes | None], listed: bytes
) -> None:
    loop.run(begun(remote.store))
    with redis.Redis.from_url(remote.url) as client:
        client.zadd("row:saved", {listed: 1.0})
        for name, value in fields.items():
            if value is None:
                client.hdel("row:session:c1", name)
            else:
                client.hset("row:session:c1", name, value)
    with suppress(SessionFormatError):
        loop.run(lived_through(remote.store))
