"""The stores on which tests run, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai.sessions import JSONFileStore, MemoryStore, RedisStore, SQLiteStore
from yemot_ai_testing.conformance.stores.bench import StoreFactory

__all__ = ["store_factory"]


def store_factory(request: pytest.FixtureRequest, folder: Path) -> StoreFactory:
    """Return a function that opens the store ``request.param``, always over the same data."""
    memory = MemoryStore()
    makers: dict[str, StoreFactory] = {
        "memory": lambda: memory,
        "json": lambda: JSONFileStore(folder / "sessions"),
        "sqlite": lambda: SQLiteStore(folder / "sessions.db"),
    }
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        # Several workers of pytest on a few cores can stop a process for longer than a caller should wait.
        return lambda: RedisStore(url, prefix=f"{folder.name}:", timeout=20)
    return makers[request.param]
