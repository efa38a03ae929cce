"""What is remembered of a call, and where."""

from __future__ import annotations

from yemot_ai.sessions.leases import LEASE, Hold, Leases, hold_key
from yemot_ai.sessions.session import Answered, Finished, Session
from yemot_ai.sessions.store import Checked, SessionStore, update
from yemot_ai.sessions.store_url import open_store
from yemot_ai.sessions.stores.json_file import JSONFileStore
from yemot_ai.sessions.stores.memory import MemoryStore
from yemot_ai.sessions.stores.redis import RedisStore
from yemot_ai.sessions.stores.sqlite import SQLiteStore
from yemot_ai.sessions.turn import HEARD, Failure, Status, Turn
from yemot_ai.sessions.visit import NOTHING_TOLD, Told, Visit, continues

__all__ = [
    "HEARD",
    "LEASE",
    "NOTHING_TOLD",
    "Answered",
    "Checked",
    "Failure",
    "Finished",
    "Hold",
    "JSONFileStore",
    "Leases",
    "MemoryStore",
    "RedisStore",
    "SQLiteStore",
    "Session",
    "SessionStore",
    "Status",
    "Told",
    "Turn",
    "Visit",
    "continues",
    "hold_key",
    "open_store",
    "update",
]
