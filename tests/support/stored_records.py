"""Persistent stores, with direct access to their stored records."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import redis

from yemot_ai.sessions import JSONFileStore, RedisStore, SessionStore, SQLiteStore

__all__ = ["Database", "Files", "Server", "StoredRecords"]


class StoredRecords(ABC):
    """A store, with direct access to its stored records."""

    store: SessionStore

    @abstractmethod
    def read(self, call_id: str) -> bytes: ...

    @abstractmethod
    def write(self, call_id: str, record: bytes) -> None: ...

    @abstractmethod
    def damaged_records(self) -> list[bytes]: ...


@dataclass
class Files(StoredRecords):
    folder: Path

    def __post_init__(self) -> None:
        self.store = JSONFileStore(self.folder)

    def path(self, call_id: str) -> Path:
        (path,) = (self.folder / "sessions").glob(f"{call_id}-*.json")
        return path

    def read(self, call_id: str) -> bytes:
        text = self.path(call_id).read_bytes()
        return text[text.index(b'"session":') + 10 : -1]

    def write(self, call_id: str, record: bytes) -> None:
        before = self.path(call_id).read_bytes()
        self.path(call_id).write_bytes(before[: before.index(b'"session":') + 10] + record + b"}")

    def damaged_records(self) -> list[bytes]:
        found = [path.read_bytes() for path in (self.folder / "sessions").glob("*.damaged")]
        return [text[text.index(b'"session":') + 10 : -1] for text in found]


@dataclass
class Database(StoredRecords):
    file: Path

    def __post_init__(self) -> None:
        self.store = SQLiteStore(self.file)

    def execute(self, statement: str, *values: object) -> list[bytes]:
        with sqlite3.connect(self.file) as connection:
            found = [row[0] for row in connection.execute(statement, values)]
        connection.close()
        return found

    def read(self, call_id: str) -> bytes:
        (record,) = self.execute("SELECT CAST(record AS BLOB) FROM sessions WHERE call_id = ?", call_id)
        return record

    def write(self, call_id: str, record: bytes) -> None:
        self.execute("UPDATE sessions SET record = CAST(? AS TEXT) WHERE call_id = ?", record, call_id)

    def damaged_records(self) -> list[bytes]:
        return self.execute("SELECT CAST(record AS BLOB) FROM damaged")


@dataclass
class Server(StoredRecords):
    url: str
    prefix: str

    def __post_init__(self) -> None:
        self.store = RedisStore(self.url, prefix=self.prefix)

    def read(self, call_id: str) -> bytes:
        with redis.Redis.from_url(self.url) as client:
            record: bytes = client.hget(f"{self.prefix}session:{call_id}", "record")
        return record

    def write(self, call_id: str, record: bytes) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.hset(f"{self.prefix}session:{call_id}", "record", record)

    def damaged_records(self) -> list[bytes]:
        with redis.Redis.from_url(self.url) as client:
            names = client.keys(f"{self.prefix}damaged:*")
            return [client.hget(name, "record") for name in names]
