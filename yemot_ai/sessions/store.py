"""What a session store is: load, compare-and-set, delete, hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from yemot_ai.errors import SessionConflictError
from yemot_ai.sessions.session import Session

__all__ = ["SessionStore", "update"]


class SessionStore(Protocol):
    """Keeps the sessions of calls; every method may be called from any event loop.

    Attributes:
        immediate: whether ``load`` and ``save`` return without ever waiting; what is decided
            over such a store needs no hop to the engine.
    """

    @property
    def immediate(self) -> bool:
        """Whether ``load`` and ``save`` never wait."""
        ...

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None when there is none or it has expired."""
        ...

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Store ``session`` if the stored version is still ``session.version`` (0: there is none).

        Args:
            session: what to store.
            ttl: seconds after which it may be dropped unless it is saved again.

        Returns:
            The session as stored, its version one higher.

        Raises:
            SessionConflictError: somebody saved a newer version.
        """
        ...

    async def delete(self, call_id: str) -> None:
        """Drop the session; an unknown one is no error."""
        ...

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        """Be alone under ``key`` until the context is left."""
        ...

    def call_ids(self) -> AsyncIterator[str]:
        """Iterate over the calls that have a session, ended ones included."""
        ...


async def update(
    store: SessionStore, call_id: str, change: Callable[[Session], Session], *, ttl: float
) -> Session:
    """Load a session, change it and save it; again from the start when somebody else was faster.

    Args:
        store: where it is.
        call_id: whose it is; a new session when there is none.
        change: a pure function; returning its argument itself means there is nothing to save.
        ttl: seconds.

    Returns:
        The session as it now stands in the store.
    """
    while True:
        found = await store.load(call_id) or Session(call_id)
        changed = change(found)
        if changed is found:
            return found
        try:
            return await store.save(changed, ttl=ttl)
        except SessionConflictError:
            continue
