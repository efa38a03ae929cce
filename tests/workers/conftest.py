from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.redis_server import RedisServer
from tests.workers.worker_group import PATIENT, Crew, Equip, an_agent, hire
from yemot_ai.sessions import JSONFileStore, RedisStore, SessionStore, SQLiteStore


class Hire(Protocol):
    def __call__(
        self,
        equip: Equip = an_agent,
        *,
        count: int = 2,
        lease: float = 10.0,
        hold: float = PATIENT,
        **settings: object,
    ) -> Crew: ...


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
def hired(make_store: Callable[[], SessionStore]) -> Iterator[Hire]:
    crews: list[Crew] = []

    def hires(
        equip: Equip = an_agent,
        *,
        count: int = 2,
        lease: float = 10.0,
        hold: float = PATIENT,
        **settings: object,
    ) -> Crew:
        crews.append(hire(make_store, equip, count=count, lease=lease, hold=hold, **settings))
        return crews[-1]

    yield hires
    for crew in crews:
        crew.close()
