"""The SQLite store: sessions in a database file, for any number of processes on one machine."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from yemot_ai.errors import SessionConflictError, SessionDamagedError, StoreError
from yemot_ai.sessions.leases import DEFAULT_LEASE, Hold
from yemot_ai.sessions.serialization import decode, encode
from yemot_ai.sessions.session import Session
from yemot_ai.sessions.stores.blocking import run_blocking
from yemot_ai.sessions.stores.files import PRIVATE_MODE, lock_file

__all__ = ["SQLiteStore"]

log = logging.getLogger("yemot_ai")

SCHEMA_VERSION: Final = 1
"""``PRAGMA user_version`` of the tables below."""

BUSY_TIMEOUT: Final = 5.0
"""Seconds to wait for a write of another process."""

_TABLES: Final = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS sessions (
        call_id TEXT PRIMARY KEY, version INTEGER NOT NULL, ended INTEGER NOT NULL,
        saved REAL NOT NULL, expires REAL NOT NULL, record TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS sessions_by_age ON sessions (saved);
    CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (expires);
    CREATE TABLE IF NOT EXISTS holds (
        key TEXT PRIMARY KEY, token TEXT NOT NULL, expires REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS damaged (call_id TEXT, found REAL, reason TEXT, record TEXT);
    PRAGMA user_version = {SCHEMA_VERSION};
    COMMIT;
"""

# As bytes: a damaged record may not be valid UTF-8.
_LOAD: Final = "SELECT version, CAST(record AS BLOB) FROM sessions WHERE call_id = ? AND expires > ?"
_DELETE_DAMAGED: Final = "DELETE FROM sessions WHERE call_id = ? AND CAST(record AS BLOB) IS ?"
_LIST: Final = "SELECT CAST(call_id AS BLOB) FROM sessions WHERE saved <= ? ORDER BY saved"
_INSERT: Final = """
    INSERT INTO sessions (call_id, version, ended, saved, expires, record)
    VALUES (:call_id, :version, :ended, :now, :expires, :record)
    ON CONFLICT (call_id) DO UPDATE SET version = excluded.version, ended = excluded.ended,
        saved = excluded.saved, expires = excluded.expires, record = excluded.record
        WHERE sessions.expires <= :now
"""
_UPDATE: Final = """
    UPDATE sessions SET version = :version, ended = :ended, saved = :now, expires = :expires,
        record = :record
    WHERE call_id = :call_id AND version = :version - 1 AND expires > :now
"""
_LEASE: Final = """
    INSERT INTO holds (key, token, expires) VALUES (:key, :token, :expires)
    ON CONFLICT (key) DO UPDATE SET token = excluded.token, expires = excluded.expires
        WHERE holds.token = :token OR holds.expires <= :now
"""


class SQLiteStore:
    """Keeps sessions in one database file, in WAL mode.

    A write survives the end of the process; after a power cut the last writes may be missing, but the
    database is consistent.

    Args:
        path: the file; created if it is missing. Not on a network file system.

    Raises:
        StoreError: if the file cannot be opened, or a newer version of this package created it.
    """

    immediate = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).expanduser().absolute()
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        _stores.add(self)
        with self._open():
            pass

    def __repr__(self) -> str:
        return f"SQLiteStore({str(self._path)!r})"

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None; quarantine a damaged record."""
        return await run_blocking(self._load, call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Store ``session``; ``ttl`` in seconds.

        Raises:
            SessionConflictError: if a newer version has been saved.
        """
        return await run_blocking(self._save, session, ttl)

    async def delete(self, call_id: str) -> None:
        """Delete the session."""
        await run_blocking(
            self._run, "DELETE FROM sessions WHERE call_id = :call_id", call_id=_encode_key(call_id)
        )

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        """Hold ``key`` exclusively, among all processes of this machine."""
        return Hold(self, key, lease=lease)

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the calls that have a session, saved longest ago first; delete expired ones."""
        for call_id in await run_blocking(self._list_call_ids, idle):
            yield call_id

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return the calls among these that have ended."""
        return await run_blocking(self._ended, tuple(call_ids))

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        """Take or renew a lease."""
        now = time.time()
        changed = await run_blocking(
            self._run, _LEASE, key=_encode_key(key), token=token, now=now, expires=now + seconds
        )
        return changed == 1

    renew = acquire

    async def release(self, key: str, token: str) -> None:
        """Release a lease."""
        await run_blocking(
            self._run,
            "DELETE FROM holds WHERE key = :key AND token = :token",
            key=_encode_key(key),
            token=token,
        )

    async def aclose(self) -> None:
        """Close the file; a later call opens it again."""
        await run_blocking(self._close)

    def _load(self, call_id: str) -> Session | None:
        with self._open() as connection:
            row = connection.execute(_LOAD, (_encode_key(call_id), time.time())).fetchone()
        if row is None:
            return None
        version, record = row
        try:
            return decode((record or b"").decode("ascii", "replace"), call_id=call_id, version=version)
        except SessionDamagedError as error:
            self._quarantine(call_id, record, error)
            return None

    def _save(self, session: Session, ttl: float) -> Session:
        saved, now = replace(session, version=session.version + 1), time.time()
        changed = self._run(
            _UPDATE if session.version else _INSERT,
            call_id=_encode_key(saved.call_id),
            version=saved.version,
            ended=saved.ended,
            now=now,
            expires=now + ttl,
            record=encode(saved),
        )
        if changed != 1:
            raise SessionConflictError(session.call_id, expected=session.version)
        return saved

    def _quarantine(self, call_id: str, record: bytes | None, error: SessionDamagedError) -> None:
        """Move a damaged record to the table ``damaged``, so that it can be inspected."""
        with self._open() as connection:
            moved = connection.execute(_DELETE_DAMAGED, (_encode_key(call_id), record))
            if moved.rowcount == 1:
                connection.execute(
                    "INSERT INTO damaged VALUES (?, ?, ?, ?)",
                    (_encode_key(call_id), time.time(), str(error), record),
                )
        log.error("session %s: %s; kept in the table 'damaged', the call starts without it", call_id, error)

    def _list_call_ids(self, idle: float) -> list[str]:
        now = time.time()
        with self._open() as connection:
            connection.execute("DELETE FROM sessions WHERE expires <= ?", (now,))
            connection.execute("DELETE FROM holds WHERE expires <= ?", (now - DEFAULT_LEASE,))
            rows = connection.execute(_LIST, (now - idle,)).fetchall()
        return [call_id for (key,) in rows if (call_id := _decode_key(key)) is not None]

    def _ended(self, call_ids: tuple[str, ...]) -> frozenset[str]:
        with self._open() as connection:
            query = "SELECT 1 FROM sessions WHERE call_id = ? AND ended"
            rows = [connection.execute(query, (_encode_key(call_id),)).fetchone() for call_id in call_ids]
        return frozenset(call_id for call_id, row in zip(call_ids, rows, strict=True) if row)

    def _run(self, statement: str, **values: object) -> int:
        """Execute one statement; return how many rows it changed."""
        with self._open() as connection:
            return connection.execute(statement, values).rowcount

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Lock the connection of this process and run one transaction."""
        with self._lock, self._translate_errors():
            if self._connection is None:
                self._connection = self._connect()
            with self._connection as connection:
                yield connection

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # One process at a time creates the file: SQLite does not wait while it switches to WAL. The lock is a
        # separate file: closing a descriptor of the database would drop SQLite's own locks.
        with lock_file(self._path.with_name(f"{self._path.name}-lock")):
            # SQLite creates files, also those beside the database, that every user can read.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE_MODE))
            connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT, check_same_thread=False)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        if layout > SCHEMA_VERSION:
            raise StoreError(
                f"{self._path} was created by a newer version of yemot-ai (layout {layout}, this one knows "
                f"{SCHEMA_VERSION}): upgrade, or give another file"
            )
        if layout < SCHEMA_VERSION:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_TABLES)
        connection.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self._path}: {error} (is it a database, and writable?)") from error

    def _reset_after_fork(self) -> None:
        # SQLite forbids to use or close a connection after a fork; the lock may be held by a lost thread.
        if self._connection is not None:
            _parent_connections.append(self._connection)
        self._connection, self._lock = None, threading.Lock()

    def _close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with contextlib.suppress(sqlite3.Error):  # it is not used again
                    connection.close()


_stores: weakref.WeakSet[SQLiteStore] = weakref.WeakSet()
_parent_connections: list[sqlite3.Connection] = []


def _after_fork() -> None:
    for store in list(_stores):
        store._reset_after_fork()  # noqa: SLF001 - the same module


os.register_at_fork(after_in_child=_after_fork)


def _encode_key(call_id: str) -> str:
    """Return a key that SQLite can store for any text; UTF-8 cannot encode a lone surrogate."""
    return call_id if _is_plain(call_id) else json.dumps(call_id)


def _decode_key(key: bytes) -> str | None:
    """Return the call id of a key; None for a damaged one, which must not hide other rows."""
    try:
        text = key.decode()
        return str(json.loads(text)) if text.startswith('"') else text
    except (RecursionError, ValueError):
        return None


def _is_plain(text: str) -> bool:
    return not text.startswith('"') and text.isprintable()
