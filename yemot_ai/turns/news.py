"""News of a turn, for whoever waits for it in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["TurnNotifier", "wait_for_event"]

TurnKey = tuple[str, str]


class TurnNotifier:
    """Wakes those who wait for what is written; lives on the engine's loop."""

    def __init__(self) -> None:
        self._waiting: dict[TurnKey, list[asyncio.Event]] = {}

    @contextmanager
    def watch(self, key: TurnKey) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever there is news about ``key``."""
        event = asyncio.Event()
        self._waiting.setdefault(key, []).append(event)
        try:
            yield event
        finally:
            self._waiting[key].remove(event)
            if not self._waiting[key]:
                del self._waiting[key]

    def notify(self, key: TurnKey) -> None:
        """Set the events of those who wait for news about ``key``."""
        for event in self._waiting.get(key, ()):
            event.set()


async def wait_for_event(event: asyncio.Event, *, timeout: float | None) -> None:
    """Wait for ``event``, for as many seconds at most."""
    try:
        async with asyncio.timeout(timeout):
            await event.wait()
    except TimeoutError:
        return
