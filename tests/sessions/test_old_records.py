"""Records that were written before classes and errors got their present names are read by every store.

``fixtures/sessions/before-renames`` was written by the stores of that version: a folder of JSON files, a dump
of an SQLite database, and what a Redis server held.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from yemot_ai import errors
from yemot_ai.errors import ProviderError
from yemot_ai.sessions import JSONFileStore, RedisStore, Session, SessionStore, SQLiteStore
from yemot_ai_testing.conformance.stores.session_rules import FULL_SESSION

WRITTEN: Final = Path(__file__).parents[2] / "fixtures" / "sessions" / "before-renames"


def from_json_files(folder: Path, _redis_url: str) -> SessionStore:
    shutil.copytree(WRITTEN / "json", folder / "json")
    return JSONFileStore(folder / "json")


def from_sqlite(folder: Path, _redis_url: str) -> SessionStore:
    database = sqlite3.connect(folder / "sessions.db")
    database.executescript((WRITTEN / "sqlite.sql").read_text(encoding="utf-8"))
    database.close()
    return SQLiteStore(folder / "sessions.db")


def from_redis(_folder: Path, redis_url: str) -> SessionStore:
    url = f"{redis_url}?db=3"  # the records have the default prefix
    client = redis.Redis.from_url(url)
    client.flushdb()
    for row in json.loads((WRITTEN / "redis.json").read_text(encoding="utf-8")):
        _put(client, row["key"], row["value"])
    client.close()
    return RedisStore(url)


def _put(client: redis.Redis, key: str, value: Any) -> None:  # noqa: ANN401 - a value of JSON
    if isinstance(value, dict):
        client.hset(key, mapping=value)
    elif isinstance(value, list):
        client.zadd(key, dict(value))
    else:
        client.set(key, value)


NEWER_ERRORS: Final = frozenset({
    errors.AnswerCutError,
    errors.RefusedRequestError,
    errors.ToolFailedError,
    errors.ToolNotConfirmedError,
    errors.ToolUnknownError,
})  # fmt: skip
"""Errors that did not exist when the records were written."""


@pytest.fixture(params=[from_json_files, from_sqlite, from_redis])
def old_store(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> SessionStore:
    open_written: Callable[[Path, str], SessionStore] = request.param
    return open_written(tmp_path, redis_url)


async def _load(store: SessionStore, call_id: str) -> Session:
    session = await store.load(call_id)
    assert session is not None
    return session


def run_closing(store: SessionStore, work: Coroutine[Any, Any, Session]) -> Session:
    """Run ``work`` in an event loop, and close the connections that the store has opened in it."""

    async def work_and_close() -> Session:
        try:
            return await work
        finally:
            if isinstance(store, RedisStore | SQLiteStore):
                await store.aclose()

    return asyncio.run(work_and_close())


def load(store: SessionStore, call_id: str) -> Session:
    return run_closing(store, _load(store, call_id))


def test_every_field_is_read(old_store: SessionStore) -> None:
    assert load(old_store, "full") == replace(FULL_SESSION, version=1)


def test_the_progress_within_an_answer_is_read(old_store: SessionStore) -> None:
    visit = load(old_store, "failures").visit

    assert visit is not None
    assert (visit.spoken_progress.turn, visit.spoken_progress.polls) == (3, ((1, 2), (2, 4)))


def test_a_failure_of_every_kind_is_the_same_error(old_store: SessionStore) -> None:
    every = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds = [kind for kind in every if issubclass(kind, ProviderError) and kind not in NEWER_ERRORS]
    failures = [turn.failure for turn in load(old_store, "failures").turns]

    assert [type(failure.to_error()) for failure in failures if failure is not None] == kinds


def test_an_old_record_is_saved_in_the_present_form(old_store: SessionStore) -> None:
    async def change_state() -> Session:
        session = await _load(old_store, "full")
        await old_store.save(replace(session, state={"size": 2}), ttl=60)
        return await _load(old_store, "full")

    changed = run_closing(old_store, change_state())
    assert (changed.state, changed.version) == ({"size": 2}, 2)
