from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.redis_server import RedisServer
from tests.workers.worker_group import PATIENT, AddRoutes, WorkerGroup, add_agent, start_workers
from yemot_ai.sessions import JSONFileStore, RedisStore, SessionStore, SQLiteStore


class StartGroup(Protocol):
    def __call__(
        self,
        add_routes: AddRoutes = add_agent,
        *,
        count: int = 2,
        lease: float = 10.0,
        hold: float = PATIENT,
        **settings: object,
    ) -> WorkerGroup: ...


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
    groups: list[WorkerGroup] = []

    def start(
        add_routes: AddRoutes = add_agent,
        *,
        count: int = 2,
        lease: float = 10.0,
        hold: float = PATIENT,
        **settings: object,
    ) -> WorkerGroup:
        groups.append(start_workers(make_store, add_routes, count=count, lease=lease, hold=hold, **settings))
        return groups[-1]

    yield start
    for group in groups:
        group.close()
