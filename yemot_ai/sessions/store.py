"""The protocol of session stores: load, compare-and-set save, delete, hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol, runtime_checkable

from yemot_ai.errors import SessionConflictError
from yemot_ai.sessions.leases import DEFAULT_LEASE
from yemot_ai.sessions.session import Session

__all__ = ["CALLER_KEY_PREFIX", "SessionStore", "SupportsCheck", "update_session"]


CALLER_KEY_PREFIX: Final = "caller:"
"""The prefix of the keys of callers' records, which a store keeps beside sessions; reserved: a call id
with it is refused."""


class SessionStore(Protocol):
    """Keeps the sessions of calls; every method may be called from any event loop.

    A store that cannot be used raises ``StoreError`` within seconds, because a caller is waiting.

    Attributes:
        immediate: whether ``load`` and ``save`` return without waiting, because the sessions are in
            this process and no other process can see them.
    """

    @property
    def immediate(self) -> bool:
        """Whether ``load`` and ``save`` never wait."""
        ...

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None if there is none or it has expired.

        Raises:
            SessionFormatError: if a newer version of this package wrote it; it is left unchanged.
        """
        ...

    async def save(self, session: Session, *, ttl: float) -> Session:
        """Store ``session`` if the stored version is still ``session.version`` (0: there is none).

        Args:
            session: the session to store.
            ttl: seconds after which it may be dropped unless it is saved again.

        Returns:
            The session as stored, its version one higher.

        Raises:
            SessionConflictError: if a newer version has been saved.
        """
        ...

    async def delete(self, call_id: str) -> None:
        """Delete the session; do nothing if there is none."""
        ...

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> AbstractAsyncContextManager[None]:
        """Hold ``key`` exclusively, among all processes, while the context is open.

        Args:
            key: the key; independent of the ids of calls.
            lease: seconds without renewal after which the holder counts as dead; the hold renews it.

        Raises:
            HoldLostError: on exit, if the lease ran out and the body was cancelled.
        """
        ...

    def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the calls that have a session, ended ones included.

        Args:
            idle: only those that have not been saved for this many seconds.
        """
        ...

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return the calls among these that have ended; in one query, because it is called often."""
        ...


@runtime_checkable
class SupportsCheck(Protocol):
    """A store that can check whether it works."""

    async def check(self) -> None:
        """Check the store.

        Raises:
            StoreError: if it does not work; the message says why.
        """
        ...


async def update_session(
    store: SessionStore, call_id: str, change: Callable[[Session], Session], *, ttl: float
) -> Session:
    """Load a session, change it and save it; repeat from the start after a conflict.

    Args:
        store: the store.
        call_id: the call; a new session is changed if it has none.
        change: a pure function; if it returns its argument, nothing is saved.
        ttl: seconds after which the store may drop the session.

    Returns:
        The session in the store.
    """
    while True:
        session = await store.load(call_id) or Session(call_id)
        changed = change(session)
        if changed is session:
            return session
        try:
            return await store.save(changed, ttl=ttl)
        except SessionConflictError:
            continue
