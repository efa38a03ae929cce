"""News of a turn, for whoever waits for it in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["News", "come"]

Key = tuple[str, str]


class News:
    """Wakes those who wait for what is written; lives on the engine's loop."""

    def __init__(self) -> None:
        self._waiting: dict[Key, list[asyncio.Event]] = {}

    @contextmanager
    def about(self, key: Key) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever there is news about ``key``."""
        event = asyncio.Event()
        self._waiting.setdefault(key, []).append(event)
        try:
            yield event
        finally:
            self._waiting[key].remove(event)
            if not self._waiting[key]:
                del self._waiting[key]

    def tell(self, key: Key) -> None:
        """Set the events of those who wait for news about ``key``."""
        for event in self._waiting.get(key, ()):
            event.set()


async def come(event: asyncio.Event, *, within: float | None) -> None:
    """Wait for ``event``, for as many seconds at most."""
    try:
        async with asyncio.timeout(within):
            await event.wait()
    except TimeoutError:
        return
