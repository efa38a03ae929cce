"""The calls without a turn: a process keeps a bounded number of them, in bounded memory.

A stranger can send requests with ids of calls that do not exist. Their sessions would be
kept until they are idle for ``session_ttl``. A call without a turn and without ``call.state`` loses nothing
when it is dropped: the line sends all its values again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from typing import Final, Protocol

from yemot_ai.sessions import Session, SessionStore
from yemot_ai.web import RequestLimits

__all__ = ["KeepsCalls", "UnansweredCalls"]

SESSION_BYTES: Final = 2000
FIELD_BYTES: Final = 300
"""Cost of a session and of each of its values, without the texts."""

LARGE: Final = 64 * 1024
"""Bytes above which a call is dropped before all that are smaller."""


class KeepsCalls(Protocol):
    """What a process keeps of calls that is not in the sessions of the store."""

    def ids(self) -> Collection[str]:
        """Return the ids of the calls."""
        ...

    def drop(self, call_id: str) -> object:
        """Forget a call, unless it runs; on the engine's loop."""
        ...


class UnansweredCalls:
    """The calls without a turn that this process has begun, first those to drop first.

    Args:
        store: has their sessions.
        local_calls: what this process keeps of calls, too.

    Attributes:
        limits: how many, and how many bytes.
    """

    def __init__(self, store: SessionStore, local_calls: Collection[KeepsCalls]) -> None:
        self.limits = RequestLimits()
        self._local_calls = local_calls
        self._store = store
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._bytes = 0

    def note(self, session: Session) -> list[str]:
        """Record a session as it was saved; return the ids of the calls to drop."""
        call_id = session.call_id
        is_known = call_id in self._sizes
        if not is_known and session.version > 1:
            return []  # answered before, or begun by another process
        with self._lock:
            self._bytes -= self._sizes.pop(call_id, 0)
            if _is_unanswered(session):
                self._add(call_id, _size(session))
            return self._excess()

    async def drop(self, call_id: str) -> None:
        """Delete the session of a call that still has no turn."""
        session = await self._store.load(call_id)
        if session is not None and _is_unanswered(session):
            for calls in self._local_calls:
                calls.drop(call_id)
            await self._store.delete(call_id)

    def _add(self, call_id: str, size: int) -> None:
        self._sizes[call_id] = size
        self._bytes += size
        if size > LARGE:
            self._sizes.move_to_end(call_id, last=False)

    def _excess(self) -> list[str]:
        dropped = []
        while len(self._sizes) > self.limits.unanswered_calls or self._bytes > self.limits.unanswered_bytes:
            call_id, size = self._sizes.popitem(last=False)
            self._bytes -= size
            dropped.append(call_id)
        return dropped


def _is_unanswered(session: Session) -> bool:
    """Return whether a session has nothing that the line would not send again."""
    return not session.turns and not session.state


def _size(session: Session) -> int:
    values = session.visit.seen if session.visit else ()
    return SESSION_BYTES + sum(FIELD_BYTES + len(name) + 2 * len(value) for name, value in values)
