from __future__ import annotations

import asyncio
import builtins
import logging
import os
import traceback
from collections.abc import Mapping, Sequence
from types import ModuleType

import pytest

from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ConfigurationError, MissingExtraError, StoreError
from yemot_ai.sessions import RedisStore, Session
from yemot_ai.sessions.stores import redis as redis_store
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

PASSWORD = "open-sesame"  # noqa: S105 - not a real password


def test_a_prefix_keeps_two_applications_apart(redis_url: str) -> None:
    async def run_steps() -> tuple[Session | None, list[str], list[str]]:
        first, second = RedisStore(redis_url, prefix="one:"), RedisStore(redis_url, prefix="other:")
        await first.save(Session("c1", phone="1"), ttl=60)
        async with first.hold("key"), asyncio.timeout(5), second.hold("key"):
            seen = await second.load("c1")
        await second.save(Session("c1", phone="2"), ttl=60)
        await second.delete("c1")
        listed = [[call_id async for call_id in store.call_ids()] for store in (first, second)]
        await first.aclose()
        await second.aclose()
        return seen, *listed  # type: ignore[return-value]  # two stores, two lists

    assert asyncio.run(run_steps()) == (None, ["c1"], [])


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{PASSWORD}@127.0.0.1:1/0",
        f"redis://user:{PASSWORD}@127.0.0.1:1/0",
        f"rediss://user:{PASSWORD}@127.0.0.1:1/0",
        f"redis://127.0.0.1:1/0?password={PASSWORD}",
        f"unix://:{PASSWORD}@/nowhere/redis.sock",
        f"redis://:a@{PASSWORD}@127.0.0.1:1/0",
    ],
)
def test_no_error_of_a_server_that_is_away_shows_the_password(url: str) -> None:
    store = RedisStore(url)

    with pytest.raises(StoreError) as caught:
        asyncio.run(store.check())

    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in repr(store)


@pytest.mark.parametrize(
    "url", [f"redis://:a#{PASSWORD}@host/0", f"redis://:{PASSWORD}@host:door/0", f"http://:{PASSWORD}@host"]
)
def test_what_is_no_redis_url_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a Redis URL") as caught:
        RedisStore(url)

    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_without_redis_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_redis(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - the names that import passes
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if name.partition(".")[0] == "redis" and level == 0:
            raise ModuleNotFoundError("No module named 'redis'")
        return real(name, globals, locals, fromlist or (), level)

    monkeypatch.setattr(builtins, "__import__", without_redis)

    with pytest.raises(MissingExtraError, match=r"pip install 'yemot-ai\[redis\]'"):
        RedisStore("redis://localhost")


def test_one_store_serves_several_event_loops(redis_url: str) -> None:
    store = RedisStore(redis_url, prefix="loops:")

    async def run_steps() -> int:
        session = await store.load("c1") or Session("c1")
        saved = await store.save(session, ttl=60)
        await store.aclose()
        return saved.version

    assert [asyncio.run(run_steps()) for _ in range(3)] == [1, 2, 3]


def test_more_commands_at_once_than_connections_wait_for_one_another(redis_url: str) -> None:
    store = RedisStore(f"{redis_url}?max_connections=3", prefix="busy:")

    async def save_all() -> list[int]:
        saved = await asyncio.gather(*(store.save(Session(f"c{n}"), ttl=60) for n in range(200)))
        await store.aclose()
        return [session.version for session in saved]

    assert asyncio.run(save_all()) == [1] * 200


def test_many_commands_at_once_open_few_connections(redis_url: str) -> None:
    store = RedisStore(redis_url, prefix="busy:")

    async def count_connections() -> int:
        await asyncio.gather(*(store.load(f"c{n}") for n in range(200)))
        pool = store._pool.client.connection_pool
        opened = len(pool._available_connections) + len(pool._in_use_connections)
        await store.aclose()
        return opened

    assert asyncio.run(count_connections()) == redis_store.MAX_CONNECTIONS


def test_a_command_without_a_free_connection_is_an_error_that_says_so(redis_url: str) -> None:
    store = RedisStore(f"{redis_url}?max_connections=1", prefix="busy:", timeout=0.05)

    async def load_while_held() -> None:
        async with store._connection():
            await store.load("c1")

    with pytest.raises(StoreError, match="no connection was free"):
        asyncio.run(load_while_held())


@pytest.mark.parametrize("timeout", [0, -1, "5", True, float("nan")])
def test_a_timeout_is_a_number_of_seconds(timeout: float) -> None:
    with pytest.raises(ConfigurationError, match=r"timeout=.*above 0"):
        RedisStore("redis://127.0.0.1:6379", timeout=timeout)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_worker_uses_its_own_connections(redis_url: str) -> None:
    provider = ScriptedProvider(engine=Engine()).answers("א").answers("ב")
    ai = YemotAI(provider=provider, store=RedisStore(redis_url, prefix="fork:"))
    assert ai.reply("c1", "אחת") == "א"
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if ai.reply("c1", "שתיים") == "ב" and ai.open_calls() == 1 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    ai.end("c1")
    assert ai.open_calls() == 0
    ai.close()


def test_a_lost_record_under_a_kept_version_is_no_endless_conflict(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    import redis  # noqa: PLC0415 - next to its one use

    async def run_steps() -> int:
        store = RedisStore(redis_url, prefix="half:")
        await store.save(Session("c1"), ttl=60)
        with redis.Redis.from_url(redis_url) as client:
            client.hdel("half:session:c1", "record")
        assert await store.load("c1") is None
        saved = await store.save(Session("c1"), ttl=60)
        await store.aclose()
        return saved.version

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(run_steps()) == 1
    assert "missing" in caplog.text
