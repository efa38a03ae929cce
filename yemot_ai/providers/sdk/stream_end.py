"""Notice the end of a stream that the SDK keeps to itself: the event ``[DONE]``.

It ends an answer whose server never says why the model stopped (``finish_reason`` is null in every chunk).
Events without data, with which proxies keep a connection open, are left out: the SDK takes them for JSON.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

__all__ = ["DoneWatch", "watch_done"]

_DONE: Final = "[DONE]"
_NO_DATA: Final = frozenset({"", "null"})


class DoneWatch:
    """Passes on the events of a decoder of the SDK.

    Args:
        decoder: makes server-sent events of the bytes of a response.

    Attributes:
        seen: whether ``[DONE]`` was there.
    """

    def __init__(self, decoder: Any) -> None:  # noqa: ANN401 - a private type of the SDK
        self.seen = False
        self._decoder = decoder
        self._events: AsyncGenerator[Any] | None = None

    def aiter_bytes(self, chunks: AsyncGenerator[bytes]) -> AsyncGenerator[Any]:
        """Return the events in the bytes of a response."""
        self._events = self._read(chunks)
        return self._events

    async def aclose(self) -> None:
        """Close the iteration over the bytes.

        The SDK leaves it open where an event is an error. The garbage collector would close its generators
        from any thread, each while the event loop may be closing it too.
        """
        if self._events is not None:
            await self._events.aclose()

    async def _read(self, chunks: AsyncGenerator[bytes]) -> AsyncGenerator[Any]:
        async with aclosing(chunks), aclosing(self._decoder.aiter_bytes(chunks)) as events:
            async for event in events:
                data = event.data.strip()
                self.seen = self.seen or data.strip('"').upper() == _DONE
                if data in _NO_DATA:
                    continue
                if self.seen and not data.startswith(_DONE):  # the SDK knows only the usual form
                    return
                yield event


def watch_done(events: Any) -> DoneWatch:  # noqa: ANN401 - the SDK's stream
    """Return what notices the ``[DONE]`` of a stream of which nothing was read yet."""
    watch = DoneWatch(events._decoder)  # noqa: SLF001 - the SDK has no other place for it
    events._decoder = watch  # noqa: SLF001
    return watch
