"""Find the calls that are idle, in a store that may fail for some of them.

What fails for one call is logged, and the other calls must still be ended.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable

from yemot_ai.errors import SessionFormatError, StoreError
from yemot_ai.errors.unexpected import UNEXPECTED, log_without_message
from yemot_ai.sessions import CALLER_KEY_PREFIX, SessionStore

__all__ = ["attempt", "find_idle_calls", "list_until_error"]

log = logging.getLogger("yemot_ai")


async def attempt(work: Awaitable[object], event: str) -> None:
    """Await ``work``; if it fails, log ``event`` with the reason.

    A record of a newer version of this package is no failure: it is left to the workers of that version.
    """
    try:
        await work
    except SessionFormatError as error:
        log.debug("%s: %s", event, error)
    except StoreError as error:
        log.warning("%s: %s", event, error)
    except UNEXPECTED as error:  # foreign code: a store, a callback
        log_without_message(error, event)


async def list_until_error(ids: AsyncIterator[str]) -> list[str]:
    """Return ids of a store; if the listing fails, those that came before."""
    listed: list[str] = []

    async def read() -> None:
        async for call_id in ids:
            listed.append(call_id)  # noqa: PERF401 - what comes before an error is kept

    await attempt(read(), "the calls in the store could not all be listed")
    return listed


async def find_idle_calls(store: SessionStore, ttl: float) -> dict[str, int]:
    """Return the calls without a request for ``ttl`` seconds, with their versions.

    They are listed before and after the versions are read: a call that sends a request in between is not
    returned, and one that sends a request later has another version.

    Raises:
        StoreError: if the store cannot say which calls have ended.
    """
    versions: dict[str, int] = {}

    async def note_version(call_id: str) -> None:
        session = await store.load(call_id)
        if session is not None:
            versions[call_id] = session.version

    before = await _idle_call_ids(store, ttl)
    for call_id in before - await store.ended(before):
        await attempt(note_version(call_id), f"call {call_id} could not be ended")
    after = await _idle_call_ids(store, ttl) if versions else set()
    return {call_id: version for call_id, version in versions.items() if call_id in after}


async def _idle_call_ids(store: SessionStore, ttl: float) -> set[str]:
    listed = await list_until_error(store.call_ids(idle=ttl))
    return {call_id for call_id in listed if not call_id.startswith(CALLER_KEY_PREFIX)}
