"""The Redis store: sessions for any number of machines."""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import (
    ConfigurationError,
    MissingExtraError,
    SessionConflictError,
    SessionDamagedError,
    StoreError,
)
from yemot_ai.redaction import redact_url
from yemot_ai.sessions.leases import DEFAULT_LEASE, Hold
from yemot_ai.sessions.serialization import decode, encode
from yemot_ai.sessions.session import Session
from yemot_ai.validation import check_number

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisStore"]

log = logging.getLogger("yemot_ai")

COMMAND_TIMEOUT: Final = 2.0
"""Seconds for one command, unless the store is given others."""

MAX_CONNECTIONS: Final = 16
"""Connections of one event loop; more commands wait for a free one.

To open a connection costs more than a command: sixty commands at once over new connections take 109 ms with
60 of them, 18 ms with 16, and on a busy machine the 60 time out. redis-py's own bound, 100 since version 8,
makes the next command fail, and a caller would hear an apology.
"""

PAGE_SIZE: Final = 500

DAMAGED_TTL: Final = 7 * 24 * 60 * 60 * 1000
"""Milliseconds for which a damaged record is kept for inspection."""

_SAVE: Final = """
    if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 0 end
    redis.call('HSET', KEYS[1], 'version', ARGV[2], 'ended', ARGV[3], 'record', ARGV[4])
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
    local now = redis.call('TIME')
    redis.call('ZADD', KEYS[2], now[1] + now[2] / 1000000, ARGV[6])
    return 1
"""
# One script: a session that another worker saves in between would be left out of the index.
_DELETE: Final = """
    redis.call('DEL', KEYS[1])
    redis.call('ZREM', KEYS[2], ARGV[1])
"""
_DROP_EXPIRED: Final = """
    for number, name in ipairs(ARGV) do
        if redis.call('EXISTS', KEYS[number + 1]) == 0 then redis.call('ZREM', KEYS[1], name) end
    end
"""
_ACQUIRE: Final = """
    local holder = redis.call('GET', KEYS[1])
    if holder and holder ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1
"""
_RELEASE: Final = """
    if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
_QUARANTINE: Final = """
    if (redis.call('HGET', KEYS[1], 'record') or '') ~= ARGV[1] then return end
    redis.call('RENAME', KEYS[1], KEYS[2])
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
"""


@dataclass(frozen=True, slots=True)
class _Pool:
    """The connections of one event loop: those of another loop would fail."""

    client: Redis
    free: asyncio.Semaphore


class RedisStore:
    """Keeps sessions in a Redis server.

    Needs the extra ``redis``, and Redis 5 or later. Keys and leases expire by the server's clock. Each event
    loop has its own connection pool, so the store may be used from any loop.

    Args:
        url: ``redis://[:password@]host[:port][/database]``, ``rediss://`` or ``unix://``.
        prefix: the prefix of every key.
        timeout: seconds for one command, and for a free connection; short, because a caller is waiting.

    Raises:
        MissingExtraError: if redis is not installed.
        ConfigurationError: if ``url`` is not a Redis URL, or ``timeout`` no number above 0.
    """

    immediate = False

    def __init__(self, url: str, *, prefix: str = "yemot-ai:", timeout: float = COMMAND_TIMEOUT) -> None:
        try:
            from redis import asyncio as redis  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtraError(package="redis", extra="redis") from error
        check_number("timeout", timeout, "a number of seconds above 0")
        self._module = redis
        self._url = url
        self._prefix = prefix
        self._timeout = timeout
        self._pools: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Pool] = weakref.WeakKeyDictionary()
        try:
            redis.ConnectionPool.from_url(url)
        except ValueError:
            # Its message may quote a part of the password.
            raise ConfigurationError(
                f"{redact_url(url)} is not a Redis URL: write redis://:password@host:6379/0, and the "
                "password's characters such as @ # / ? as %40 %23 %2F %3F"
            ) from None

    def __repr__(self) -> str:
        return f"RedisStore({redact_url(self._url)!r})"

    async def check(self) -> None:
        """Ping the server.

        Raises:
            StoreError: if it cannot be reached, or refuses the connection.
        """
        async with self._connection() as client:
            await _execute(client.ping())

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None; quarantine a damaged record."""
        async with self._connection() as client:
            version, record = await _execute(client.hmget(self._session_key(call_id), "version", "record"))
        if version is None and record is None:
            return None
        try:
            return _decode_session(call_id, version, record)
        except SessionDamagedError as error:
            await self._quarantine(call_id, record or b"", error)
            return None

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Store ``session``; ``ttl`` in seconds.

        Raises:
            SessionConflictError: if a newer version has been saved.
        """
        saved = replace(session, version=session.version + 1)
        done = await self._eval(
            _SAVE,
            [self._session_key(session.call_id), self._index_key],
            [
                session.version,
                saved.version,
                int(saved.ended),
                encode(saved),
                max(int(ttl * 1000), 1),
                _encode(session.call_id),
            ],
        )
        if not done:
            raise SessionConflictError(session.call_id, expected=session.version)
        return saved

    async def delete(self, call_id: str) -> None:
        """Delete the session."""
        await self._eval(_DELETE, [self._session_key(call_id), self._index_key], [_encode(call_id)])

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        """Hold ``key`` exclusively, among all processes that use this server and prefix."""
        return Hold(self, key, lease=lease)

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the calls that have a session, the one saved longest ago first."""
        latest = await self._server_time() - idle if idle else "+inf"
        listed: set[bytes] = set()
        at_least: set[bytes] = set()
        least: float | str = "-inf"
        while True:
            size = PAGE_SIZE + len(at_least)
            async with self._connection() as client:
                page: list[tuple[bytes, float]] = await _execute(
                    client.zrangebyscore(self._index_key, least, latest, start=0, num=size, withscores=True)
                )
            # A call that is saved meanwhile is found a second time, at the end.
            new = [name for name, _ in page if name not in listed]
            listed.update(new)
            for call_id in await self._drop_expired(new):
                yield call_id
            if len(page) < size:
                return
            least = page[-1][1]
            at_least = {name for name, saved in page if saved == least}

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return the calls among these that have ended."""
        ids = tuple(call_ids)
        pages = [ids[begin : begin + PAGE_SIZE] for begin in range(0, len(ids), PAGE_SIZE)]
        return frozenset().union(*[await self._ended(page) for page in pages])

    async def _ended(self, call_ids: tuple[str, ...]) -> frozenset[str]:
        async with self._connection() as client, client.pipeline(transaction=False) as pipeline:
            for call_id in call_ids:
                pipeline.hget(self._session_key(call_id), "ended")
            # A key of another type must not hide the other calls.
            flags = await _execute(pipeline.execute(raise_on_error=False))
        return frozenset(call_id for call_id, ended in zip(call_ids, flags, strict=True) if ended == b"1")

    async def _server_time(self) -> float:
        """Return the time of the server: those of the workers' machines may differ."""
        async with self._connection() as client:
            seconds, microseconds = await _execute(client.time())
        return float(seconds) + float(microseconds) / 1e6

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        """Take or renew a lease."""
        return bool(await self._eval(_ACQUIRE, [self._hold_key(key)], [token, max(int(seconds * 1000), 1)]))

    renew = acquire

    async def release(self, key: str, token: str) -> None:
        """Release a lease."""
        await self._eval(_RELEASE, [self._hold_key(key)], [token])

    async def aclose(self) -> None:
        """Close this loop's connections; a later command opens new ones."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.client.aclose()

    @property
    def _pool(self) -> _Pool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            client = self._module.Redis.from_url(
                self._url, socket_timeout=self._timeout, socket_connect_timeout=self._timeout
            )
            size = min(client.connection_pool.max_connections, MAX_CONNECTIONS)
            pool = self._pools[loop] = _Pool(client, asyncio.Semaphore(size))
        return pool

    @property
    def _index_key(self) -> str:
        return f"{self._prefix}saved"

    def _session_key(self, call_id: str) -> bytes:
        return f"{self._prefix}session:".encode() + _encode(call_id)

    def _hold_key(self, key: str) -> bytes:
        return f"{self._prefix}hold:".encode() + _encode(key)

    async def _eval(self, script: str, keys: list[Any], arguments: list[Any]) -> Any:  # noqa: ANN401 - the result of a script
        async with self._connection() as client:
            return await _execute(client.eval(script, len(keys), *keys, *arguments))

    async def _drop_expired(self, names: list[bytes]) -> list[str]:
        """Return the calls that have not expired, in order; drop the other names from the index."""
        calls = {name: call_id for name in names if (call_id := _decode_call_id(name)) is not None}
        async with self._connection() as client:
            async with client.pipeline(transaction=False) as pipeline:
                for call_id in calls.values():
                    pipeline.exists(self._session_key(call_id))
                exist = await _execute(pipeline.execute())
            existing = dict(compress(calls.items(), exist))
            expired = [name for name in names if name not in existing]
        if expired:
            session_keys = [f"{self._prefix}session:".encode() + name for name in expired]
            await self._eval(_DROP_EXPIRED, [self._index_key, *session_keys], expired)
        return list(existing.values())

    async def _quarantine(self, call_id: str, record: bytes, error: SessionDamagedError) -> None:
        """Rename the key of a damaged record, so that it can be inspected."""
        quarantine = f"{self._prefix}damaged:{time.time_ns()}:".encode() + _encode(call_id)
        await self._eval(_QUARANTINE, [self._session_key(call_id), quarantine], [record, DAMAGED_TTL])
        log.error(
            "session %s: %s; kept for a week as %r, the call starts without it", call_id, error, quarantine
        )

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Redis]:
        """Wait for a free connection, and raise what Redis raises as a ``StoreError``."""
        from redis import exceptions  # noqa: PLC0415 - an extra

        pool = self._pool
        try:
            async with asyncio.timeout(self._timeout):
                await pool.free.acquire()
        except TimeoutError:
            raise StoreError(
                f"Redis at {redact_url(self._url)}: no connection was free for {self._timeout:g} s"
            ) from None
        try:
            yield pool.client
        except (exceptions.RedisError, OSError) as error:
            raise StoreError(f"Redis at {redact_url(self._url)} does not answer: {error}") from error
        finally:
            pool.free.release()


async def _execute(command: Any) -> Any:  # noqa: ANN401 - redis-py's hints mix its blocking and its async API
    """Await a command.

    redis-py uses ``asyncio.wait_for``, which before Python 3.12 can drop a cancellation that arrives when
    the command has just been sent; it is raised again here.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    result = await command
    if task and task.cancelling() > before:
        raise asyncio.CancelledError
    return result


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decode_call_id(name: bytes) -> str | None:
    """Return the call id of a name in the index; None if it is not a valid name."""
    try:
        return name.decode("utf-8", "surrogatepass")
    except ValueError:
        return None


def _decode_session(call_id: str, version: bytes | None, record: bytes | None) -> Session:
    if record is None:
        raise SessionDamagedError("its record is missing")
    session = decode(record.decode("ascii", "replace"), call_id=call_id)
    if version != b"%d" % session.version:  # compared as the save script does
        raise SessionDamagedError("it is not the version that was saved")
    return session
