from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redis_server import RedisServer
from yemot_ai.sessions import JSONFileStore, MemoryStore, RedisStore, SQLiteStore
from yemot_ai_testing.conformance.stores.bench import StoreFactory


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    server = RedisServer().start()
    yield server.url
    server.close()


@pytest.fixture(params=["memory", "json", "sqlite", "redis"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> StoreFactory:
    memory = MemoryStore()
    makers: dict[str, StoreFactory] = {
        "memory": lambda: memory,
        "json": lambda: JSONFileStore(tmp_path / "sessions"),
        "sqlite": lambda: SQLiteStore(tmp_path / "sessions.db"),
    }
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        return lambda: RedisStore(url, prefix=f"{tmp_path.name}:")
    return makers[request.param]
