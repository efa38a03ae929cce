"""Detect calls that have hung up at another worker while something runs for them here."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from yemot_ai.errors import StoreError
from yemot_ai.sessions import SessionStore

__all__ = ["HangupWatch"]

log = logging.getLogger("yemot_ai")

CHECK_INTERVAL = 0.2
"""Seconds between two polls: what runs for a call ends within half a second of its hang-up."""


class HangupWatch:
    """Polls the store for all running calls at once, only while a call runs.

    Args:
        store: keeps the sessions.
        on_hangup: called with the id of each call that runs here and has ended.
    """

    def __init__(self, store: SessionStore, on_hangup: Callable[[str], object]) -> None:
        self._store = store
        self._on_hangup = on_hangup
        self._running: Counter[str] = Counter()
        self._reported: set[str] = set()
        self._poll_task: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, call_id: str) -> Iterator[None]:
        """Watch a call while the context is open; on the engine's loop."""
        if self._store.immediate:  # no other worker can see these sessions
            yield
            return
        self._running[call_id] += 1
        loop = asyncio.get_running_loop()
        if self._poll_task is None or self._poll_task.done() or self._poll_task.get_loop() is not loop:
            self._poll_task = loop.create_task(self._poll())
        try:
            yield
        finally:
            self._running[call_id] -= 1
            if not self._running[call_id]:
                del self._running[call_id]
                self._reported.discard(call_id)

    async def _poll(self) -> None:
        while self._running:
            await asyncio.sleep(CHECK_INTERVAL)
            try:
                ended = await self._store.ended(tuple(self._running)) & self._running.keys()
            except StoreError as error:
                log.debug("cannot check for calls that have ended: %s", error)
                continue
            # Once: a second report would interrupt the cleanup.
            for call_id in ended - self._reported:
                self._reported.add(call_id)
                self._on_hangup(call_id)
