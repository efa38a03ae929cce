"""Sessions, the records of calls, and the stores that keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.lazy_names import lazy_names
from yemot_ai.sessions.leases import DEFAULT_LEASE, Hold, LeaseStore, hold_key
from yemot_ai.sessions.serialization import decode, encode
from yemot_ai.sessions.session import CachedResponse, HandlerOutcome, Session
from yemot_ai.sessions.store import CALLER_KEY_PREFIX, SessionStore, SupportsCheck, update_session
from yemot_ai.sessions.store_url import open_store
from yemot_ai.sessions.stores.memory import MemoryStore
from yemot_ai.sessions.turn import TRANSCRIPT_SUFFIX, TURN_PREFIX, ToolUse, Turn, TurnFailure, TurnStatus
from yemot_ai.sessions.visit import NOTHING_SPOKEN, SpokenProgress, Visit

if TYPE_CHECKING:
    from yemot_ai.sessions.stores.json_file import JSONFileStore
    from yemot_ai.sessions.stores.redis import RedisStore
    from yemot_ai.sessions.stores.sqlite import SQLiteStore
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "JSONFileStore": ".stores.json_file",
            "RedisStore": ".stores.redis",
            "SQLiteStore": ".stores.sqlite",
        },
    )

__all__ = [
    "CALLER_KEY_PREFIX",
    "DEFAULT_LEASE",
    "NOTHING_SPOKEN",
    "TRANSCRIPT_SUFFIX",
    "TURN_PREFIX",
    "CachedResponse",
    "HandlerOutcome",
    "Hold",
    "JSONFileStore",
    "LeaseStore",
    "MemoryStore",
    "RedisStore",
    "SQLiteStore",
    "Session",
    "SessionStore",
    "SpokenProgress",
    "SupportsCheck",
    "ToolUse",
    "Turn",
    "TurnFailure",
    "TurnStatus",
    "Visit",
    "decode",
    "encode",
    "hold_key",
    "open_store",
    "update_session",
]
