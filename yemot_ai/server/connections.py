"""The connections of the server: a bounded number, and none that waits for ever.

uvicorn ends a connection that is idle after a response. It has no deadline for the first request, nor for
headers that never end, and closes nothing when there are too many. It answers what is no HTTP also after the
response, where h11 refuses a second one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final

import h11

from yemot_ai.server.closing import ClosingTransport

__all__ = ["BoundedConnection", "Connections"]

log = logging.getLogger("yemot_ai")

BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

MakeProtocol = Callable[..., Any]
"""Makes one of uvicorn's protocols; ``cycle`` of such a protocol is its newest request, or None."""


class Connections:
    """The open connections, oldest first.

    Args:
        limit: how many may be open.
        header_seconds: how long one may wait for the headers of a request.
        refused: how many more may be open that get their refusal.
    """

    def __init__(self, limit: int, header_seconds: float, refused: int = 1) -> None:
        self.header_seconds = header_seconds
        self._limit = limit
        self._refused_limit = refused
        self._open: dict[BoundedConnection, None] = {}
        self._refused: dict[BoundedConnection, None] = {}
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def add(self, connection: BoundedConnection) -> bool:
        """Add a connection; close another one if there are too many. Return False if none can be closed."""
        if len(self._open) >= self._limit:
            unserved = next((other for other in self._open if other.is_unserved), None)
            if unserved is None:
                return False
            unserved.abort()
        self._open[connection] = None
        return True

    def add_refused(self, connection: BoundedConnection) -> None:
        """Add a connection that is refused; close the oldest of them if there are too many."""
        if len(self._refused) >= self._refused_limit:
            next(iter(self._refused)).abort()
        self._refused[connection] = None

    def remove(self, connection: BoundedConnection) -> None:
        """Remove a connection that was closed."""
        self._open.pop(connection, None)
        self._refused.pop(connection, None)
        self._changed.set()

    def note_data(self) -> None:
        """Note that a connection got data."""
        self._changed.set()

    async def wait_for_requests(self, seconds: float) -> None:
        """Wait until each connection has had a request, at most ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(connection.is_arriving for connection in self._open):
                    self._changed.clear()
                    await self._changed.wait()

    def close_unread(self) -> None:
        """Close the connections whose request has not arrived completely."""
        for connection in tuple(self._open):
            if connection.is_unserved:
                connection.abort()


class BoundedConnection(asyncio.Protocol):
    """One connection: passes everything on to uvicorn's protocol, and closes what waits too long.

    Args:
        connections: the open connections.
        make_protocol: makes uvicorn's protocol.
        options: its arguments.
    """

    def __init__(self, connections: Connections, make_protocol: MakeProtocol, **options: object) -> None:
        self._connections = connections
        self._protocol = make_protocol(**options)
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._closing: ClosingTransport | None = None
        self._is_refused = False

    @property
    def is_waiting(self) -> bool:
        """Whether it has no request whose response is not complete."""
        cycle = self._protocol.cycle
        return cycle is None or bool(cycle.response_complete)

    @property
    def is_arriving(self) -> bool:
        """Whether its first request, or the body of its newest one, has not arrived."""
        cycle = self._protocol.cycle
        return cycle is None or bool(not cycle.response_complete and cycle.more_body)

    @property
    def is_unserved(self) -> bool:
        """Whether it waits, or the body of its request has not arrived."""
        return self.is_waiting or bool(self._protocol.cycle.more_body)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the deadline of the first request; refuse the connection if all others are busy."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a server's connection
        self._transport = transport
        self._closing = ClosingTransport(transport)
        if not self._connections.add(self):
            self._is_refused = True
            log.warning("a connection is refused: all %d are busy", len(self._connections))
            self._connections.add_refused(self)
            transport.write(BUSY)
            self._closing.close()
            return
        self._protocol.connection_made(self._closing)
        self._start_deadline()

    def data_received(self, data: bytes) -> None:
        """Pass on ``data``; the deadline runs from the first bytes of a request to the end of its headers."""
        assert self._closing is not None  # noqa: S101 - a connection was made
        if self._closing.is_lingering:
            return
        try:
            self._protocol.data_received(data)
        except h11.LocalProtocolError:
            self._closing.close()
        self._connections.note_data()
        if self._closing.is_lingering:
            self._drop_request()
        elif not self.is_waiting:
            self._stop_deadline()
        elif self._deadline is None:
            self._start_deadline()

    def eof_received(self) -> bool | None:
        """Pass on the end of what the client sends."""
        return None if self._is_refused else self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the end of the connection."""
        self._stop_deadline()
        self._stop_unread()
        self._connections.remove(self)
        if not self._is_refused:
            self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass on that the client does not read; if it does not for too long, the connection is closed."""
        self._protocol.pause_writing()
        self._unread = asyncio.get_running_loop().call_later(self._connections.header_seconds, self.abort)

    def resume_writing(self) -> None:
        """Pass on that the client reads again."""
        self._stop_unread()
        self._protocol.resume_writing()

    def abort(self) -> None:
        """Close the connection at once."""
        self._stop_deadline()
        self._stop_unread()
        self._connections.remove(self)
        if self._transport is not None:
            self._transport.abort()

    def _drop_request(self) -> None:
        """Let the application wait no longer for a body whose rest was no HTTP: it was answered."""
        if not self.is_waiting:
            self._protocol.cycle.disconnected = True
            self._protocol.cycle.message_event.set()

    def _start_deadline(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._connections.header_seconds, self.abort)

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
