from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.redis_server import RedisServer
from tests.workers.worker_group import WorkerGroup, start_workers
from yemot_ai.sessions import JSONFileStore, RedisStore, SessionStore, SQLiteStore

StartGroup = Callable[..., WorkerGroup]
"""``start_workers``, over the store of the test; the groups are closed at its end."""


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    server = RedisServer().start()
    yield server.url
    server.close()


@pytest.fixture(params=["json", "sqlite", "redis"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], SessionStore]:
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        return lambda: RedisStore(url, prefix=f"{tmp_path.name}:")
    if request.param == "json":
        return lambda: JSONFileStore(tmp_path / "sessions")
    return lambda: SQLiteStore(tmp_path / "sessions.db")


@pytest.fixture
def start_group(make_store: Callable[[], SessionStore]) -> Iterator[StartGroup]:
    with ExitStack() as stack:

        def start(*arguments: Any, **settings: Any) -> WorkerGroup:  # noqa: ANN401 - those of start_workers
            group = start_workers(make_store, *arguments, **settings)
            stack.callback(group.close)
            return group

        yield start
