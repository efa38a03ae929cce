from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stores import store_factory
from yemot_ai.sessions import JSONFileStore, MemoryStore, RedisStore, SessionStore, SQLiteStore
from yemot_ai_testing.conformance.stores.bench import StoreFactory


@pytest.fixture(params=["memory", "json", "sqlite", "redis"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> StoreFactory:
    return store_factory(request, tmp_path)


@pytest.fixture
def make_other(make_store: StoreFactory, tmp_path: Path) -> StoreFactory:
    """Open the store of another application, on the same server or in the same folder."""
    store, memory = make_store(), MemoryStore()

    def make() -> SessionStore:
        if isinstance(store, RedisStore):
            return RedisStore(store._url, prefix=f"{store._prefix}other:", timeout=20)
        if isinstance(store, JSONFileStore):
            return JSONFileStore(tmp_path / "other")
        return SQLiteStore(tmp_path / "other.db") if isinstance(store, SQLiteStore) else memory

    return make
