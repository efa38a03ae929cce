"""What a session store is: load, compare-and-set, delete, hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol, runtime_checkable

from yemot_ai.errors import SessionConflictError
from yemot_ai.sessions.leases import DEFAULT_LEASE
from yemot_ai.sessions.session import Session

__all__ = ["CALLER_KEY_PREFIX", "SessionStore", "SupportsCheck", "update_session"]


CALLER_KEY_PREFIX: Final = "caller:"
"""Starts the keys of the records of callers, which a store keeps beside sessions; no ``ApiCallId`` has it."""


class SessionStore(Protocol):
    """Keeps the sessions of calls; every method may be called from any event loop.

    A store that cannot do its work raises ``StoreError``, within seconds: a caller waits.

    Attributes:
        immediate: whether ``load`` and ``save`` return without ever waiting, because the sessions are
            in this process and no other can see them.
    """

    @property
    def immediate(self) -> bool:
        """Whether ``load`` and ``save`` never wait."""
        ...

    async def load(self, call_id: str) -> Session | None:
        """Return the newest version, or None when there is none or it has expired.

        Raises:
            SessionFormatError: a newer version of this package wrote it; it is left as it is.
        """
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

    def hold(self, key: str, *, lease: float = DEFAULT_LEASE) -> AbstractAsyncContextManager[None]:
        """Be alone under ``key``, among all processes, until the context is left.

        Args:
            key: what is held; not an ``ApiCallId`` of its own.
            lease: seconds after which a holder that does not renew counts as dead; a holder that
                lives renews by itself.

        Raises:
            HoldLostError: on leaving: the lease ran out meanwhile, and the body was cancelled.
        """
        ...

    def call_ids(self, *, idle: float = 0.0) -> AsyncIterator[str]:
        """Iterate over the calls that have a session, ended ones included.

        Args:
            idle: only those that were not saved for so many seconds.
        """
        ...

    async def ended(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return which of these calls have a session that has ended; in one look, for it is asked often."""
        ...


@runtime_checkable
class SupportsCheck(Protocol):
    """A store that can tell beforehand whether it will work."""

    async def check(self) -> None:
        """Try it.

        Raises:
            StoreError: it will not work; the message says why.
        """
        ...


async def update_session(
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
