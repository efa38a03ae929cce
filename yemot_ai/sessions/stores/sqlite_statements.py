"""The tables of the SQLite store, its statements, and the keys of its rows."""

from __future__ import annotations

import json
from typing import Final

from yemot_ai.sessions.stores.lease_times import MAX_ROUNDING

SCHEMA_VERSION: Final = 1
"""``PRAGMA user_version`` of the tables below."""

TABLES: Final = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS sessions (
        call_id TEXT PRIMARY KEY, version INTEGER NOT NULL, ended INTEGER NOT NULL,
        saved REAL NOT NULL, expires REAL NOT NULL, record TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS sessions_by_age ON sessions (saved);
    CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (expires);
    CREATE TABLE IF NOT EXISTS leases (
        key TEXT PRIMARY KEY, token TEXT NOT NULL, ends REAL NOT NULL, length REAL NOT NULL
    ) WITHOUT ROWID;
    DROP TABLE IF EXISTS holds;
    CREATE TABLE IF NOT EXISTS damaged (call_id TEXT, found REAL, reason TEXT, record TEXT);
    PRAGMA user_version = {SCHEMA_VERSION};
    COMMIT;
"""

# As bytes: a damaged record may not be valid UTF-8.
LOAD: Final = "SELECT version, CAST(record AS BLOB) FROM sessions WHERE call_id = ? AND expires > ?"
DELETE_DAMAGED: Final = "DELETE FROM sessions WHERE call_id = ? AND CAST(record AS BLOB) IS ?"
LIST: Final = "SELECT CAST(call_id AS BLOB) FROM sessions WHERE saved <= ? ORDER BY saved"
INSERT: Final = """
    INSERT INTO sessions (call_id, version, ended, saved, expires, record)
    VALUES (:call_id, :version, :ended, :now, :expires, :record)
    ON CONFLICT (call_id) DO UPDATE SET version = excluded.version, ended = excluded.ended,
        saved = excluded.saved, expires = excluded.expires, record = excluded.record
        WHERE sessions.expires <= :now
"""
UPDATE: Final = """
    UPDATE sessions SET version = :version, ended = :ended, saved = :now, expires = :expires,
        record = :record
    WHERE call_id = :call_id AND version = :version - 1 AND expires > :now
"""
HAS_LEASES: Final = "SELECT count(*) FROM sqlite_master WHERE name = 'leases'"
HAS_ENDED: Final = f"(leases.ends <= :now OR leases.ends > :now + leases.length + {MAX_ROUNDING})"
"""As ``LeaseTimes.is_valid``, negated."""
LEASE: Final = f"""
    INSERT INTO leases (key, token, ends, length) VALUES (:key, :token, :ends, :length)
    ON CONFLICT (key) DO UPDATE SET token = excluded.token, ends = excluded.ends, length = excluded.length
        WHERE leases.token = :token OR {HAS_ENDED}
"""  # noqa: S608 - constants


def encode_key(call_id: str) -> str:
    """Return a key that SQLite can store for any text; UTF-8 cannot encode a lone surrogate."""
    return call_id if _is_plain(call_id) else json.dumps(call_id)


def decode_key(key: bytes) -> str | None:
    """Return the call id of a key; None for a damaged one, which must not hide other rows."""
    try:
        text = key.decode()
        return str(json.loads(text)) if text.startswith('"') else text
    except (RecursionError, ValueError):
        return None


def _is_plain(text: str) -> bool:
    return not text.startswith('"') and text.isprintable()
