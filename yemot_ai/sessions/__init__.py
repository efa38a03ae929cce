"""What is remembered of a call, and where."""

from __future__ import annotations

from yemot_ai.sessions.memory import MemoryStore
from yemot_ai.sessions.session import Answered, Session
from yemot_ai.sessions.store import SessionStore, update
from yemot_ai.sessions.turn import Failure, Status, Turn
from yemot_ai.sessions.visit import Visit, continues

__all__ = [
    "Answered",
    "Failure",
    "MemoryStore",
    "Session",
    "SessionStore",
    "Status",
    "Turn",
    "Visit",
    "continues",
    "update",
]
