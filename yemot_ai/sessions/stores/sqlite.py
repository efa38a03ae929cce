"""The SQLite store: sessions in a database file, for any number of processes on one machine."""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import math
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
from yemot_ai.sessions.stores import sqlite_statements as statements
from yemot_ai.sessions.stores.blocking import BlockingCalls, BusyError, retry_while_busy
from yemot_ai.sessions.stores.eraser import Eraser
from yemot_ai.sessions.stores.files import lock_file
from yemot_ai.sessions.stores.permissions import (
    PRIVATE_FOLDER_MODE,
    PRIVATE_MODE,
    check_parents,
    close_file,
    give_to_owner_of,
)

__all__ = ["SQLiteStore"]

log = logging.getLogger("yemot_ai")


VACUUM_INTERVAL: Final = 600.0
"""Seconds between two rewritings of the database, which wear out a disk."""

MAX_VACUUM_SIZE: Final = 16_000_000
"""Bytes of a database that is rewritten: it takes 0.1 s, in which callers wait."""


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
        # A link to a database elsewhere: the files beside the database are there.
        self._path = Path(path).expanduser().resolve()
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._deleted = True  # perhaps by a process that was killed
        self._vacuumed = -math.inf
        self._calls = BlockingCalls()
        self._eraser = Eraser(functools.partial(self._calls.run, self._erase))
        _stores.add(self)
        retry_while_busy(self._open_first)

    def __repr__(self) -> str:
        return f"SQLiteStore({str(self._path)!r})"

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None; quarantine a damaged record."""
        return await self._calls.run(self._load, call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Store ``session``; ``ttl`` in seconds.

        Raises:
            SessionConflictError: if a newer version has been saved.
        """
        saved = await self._calls.run(self._save, session, ttl)
        if saved.ended:
            self._start_erasing()
        return saved

    async def delete(self, call_id: str) -> None:
        """Delete the session."""
        await self._calls.run(
            self._run, "DELETE FROM sessions WHERE call_id = :call_id", call_id=statements.encode_key(call_id)
        )
        self._start_erasing()

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> Hold:
        """Hold ``key`` exclusively, among all processes of this machine."""
        return Hold(self, key, lease=lease)

    async def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the calls that have a session, saved longest ago first; delete expired ones."""
        expired, call_ids = await self._calls.run(self._list_call_ids, idle)
        if expired or self._is_vacuum_due():
            self._start_erasing()
        for call_id in call_ids:
            yield call_id

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return the calls among these that have ended."""
        return await self._calls.run(self._ended, tuple(call_ids))

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        """Take or renew a lease."""
        return await self._calls.run(self._acquire, key, token, seconds)

    renew = acquire

    async def release(self, key: str, token: str) -> None:
        """Release a lease."""
        await self._calls.run(
            self._run,
            "DELETE FROM leases WHERE key = :key AND token = :token",
            key=statements.encode_key(key),
            token=token,
        )

    async def aclose(self) -> None:
        """Close the file; a later call opens it again."""
        await self._calls.run(self._close)

    def _load(self, call_id: str) -> Session | None:
        with self._open() as connection:
            row = connection.execute(
                statements.LOAD, (statements.encode_key(call_id), time.time())
            ).fetchone()
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
            statements.UPDATE if session.version else statements.INSERT,
            call_id=statements.encode_key(saved.call_id),
            version=saved.version,
            ended=saved.ended,
            now=now,
            expires=now + ttl,
            record=encode(saved),
        )
        if changed != 1:
            raise SessionConflictError(session.call_id, expected=session.version)
        return saved

    def _acquire(self, key: str, token: str, seconds: float) -> bool:
        now = time.monotonic()
        values = {"key": statements.encode_key(key), "token": token, "now": now, "ends": now + seconds}
        return self._run(statements.LEASE, **values, length=seconds) == 1

    def _quarantine(self, call_id: str, record: bytes | None, error: SessionDamagedError) -> None:
        """Move a damaged record to the table ``damaged``, so that it can be inspected."""
        with self._open() as connection:
            moved = connection.execute(statements.DELETE_DAMAGED, (statements.encode_key(call_id), record))
            if moved.rowcount == 1:
                connection.execute(
                    "INSERT INTO damaged VALUES (?, ?, ?, ?)",
                    (statements.encode_key(call_id), time.time(), str(error), record),
                )
        log.error("session %s: %s; kept in the table 'damaged', the call starts without it", call_id, error)

    def _list_call_ids(self, idle: float) -> tuple[int, list[str]]:
        """Return how many sessions had expired, and the calls."""
        now = time.time()
        # Without ``idle`` all of them, also those from before the clock was set back.
        latest = now - idle if idle else math.inf
        with self._open() as connection:
            expired = connection.execute("DELETE FROM sessions WHERE expires <= ?", (now,)).rowcount
            connection.execute(f"DELETE FROM leases WHERE {statements.HAS_ENDED}", {"now": time.monotonic()})  # noqa: S608 - constants
            rows = connection.execute(statements.LIST, (latest,)).fetchall()
        return expired, [call_id for (key,) in rows if (call_id := statements.decode_key(key)) is not None]

    def _ended(self, call_ids: tuple[str, ...]) -> frozenset[str]:
        with self._open() as connection:
            query, now = "SELECT 1 FROM sessions WHERE call_id = ? AND ended AND expires > ?", time.time()
            rows = [
                connection.execute(query, (statements.encode_key(one), now)).fetchone() for one in call_ids
            ]
        return frozenset(call_id for call_id, row in zip(call_ids, rows, strict=True) if row)

    def _run(self, statement: str, **values: object) -> int:
        """Execute one statement; return how many rows it changed."""
        with self._open() as connection:
            return connection.execute(statement, values).rowcount

    def _open_first(self) -> None:
        with self._open():
            check_parents(self._path)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Lock the connection of this process and run one transaction."""
        with self._lock, self._translate_errors():
            if self._connection is None:
                self._connection = self._connect()
            with self._connection as connection:
                yield connection

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
        # One process at a time creates the file: SQLite does not wait while it switches to WAL. The lock is a
        # separate file: closing a descriptor of the database would drop SQLite's own locks.
        with lock_file(self._beside("lock")):
            for path in (self._path, *map(self._beside, ("wal", "shm", "lock"))):
                close_file(path)
            # SQLite creates files, also those beside the database, that every user can read.
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
                give_to_owner_of(self._path.parent, descriptor)
                os.close(descriptor)
            # Without a timeout: it would wait in SQLite, with the lock of the other threads.
            connection = sqlite3.connect(self._path, timeout=0, check_same_thread=False)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        if layout > statements.SCHEMA_VERSION:
            raise StoreError(
                f"{self._path} was created by a newer version of yemot-ai (layout {layout}, this one knows "
                f"{statements.SCHEMA_VERSION}): upgrade, or give another file"
            )
        if layout < statements.SCHEMA_VERSION or not connection.execute(statements.HAS_LEASES).fetchone()[0]:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(statements.TABLES)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA temp_store = MEMORY")  # not a copy of the database in a folder for all
        if connection.execute("PRAGMA secure_delete = ON").fetchone() != (1,):
            log.warning("%s: this build of SQLite cannot overwrite what is deleted", self._path)
        # What a process that was killed has deleted is still in its log.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for name in ("wal", "shm"):  # made with the mode of the database, which may be another user's
            close_file(self._beside(name))

    def _beside(self, name: str) -> Path:
        return self._path.with_name(f"{self._path.name}-{name}")

    def _start_erasing(self) -> None:
        self._deleted = True
        self._eraser.start()

    def _erase(self) -> bool:
        """Write the log to the database and empty it; return False if another process uses it."""
        with self._lock, self._translate_errors():
            if self._connection is None:  # closed, which does the same
                return True
            if self._is_vacuum_due():
                self._vacuum(self._connection)
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def _is_vacuum_due(self) -> bool:
        return self._deleted and time.monotonic() >= self._vacuumed + VACUUM_INTERVAL

    def _vacuum(self, connection: sqlite3.Connection) -> None:
        """Rewrite a small database: what SQLite has moved within a page leaves a copy behind."""
        if self._path.stat().st_size <= MAX_VACUUM_SIZE:
            connection.execute("VACUUM")
        self._deleted, self._vacuumed = False, time.monotonic()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise BusyError(f"{self._path} is locked by another process") from error
            raise self._unusable(error) from error
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(f"{self._path}: {error} (is it a database, and writable?)")

    def _reset_after_fork(self) -> None:
        # SQLite forbids to use or close a connection after a fork; the lock may be held by a lost thread.
        if self._connection is not None:
            _parent_connections.append(self._connection)
        self._connection, self._lock = None, threading.Lock()

    def _close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with contextlib.suppress(sqlite3.Error, OSError):  # it is not used again
                    if self._deleted:
                        self._vacuum(connection)
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                with contextlib.suppress(sqlite3.Error):
                    connection.close()


_stores: weakref.WeakSet[SQLiteStore] = weakref.WeakSet()
_parent_connections: list[sqlite3.Connection] = []


def _after_fork() -> None:
    for store in list(_stores):
        store._reset_after_fork()  # noqa: SLF001 - the same module


os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _close_all() -> None:
    for store in list(_stores):
        store._close()  # noqa: SLF001 - the same module
