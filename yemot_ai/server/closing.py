"""Close a connection so that its client gets the response.

A socket that is closed with unread data resets the connection, and the client may lose a response that it
has not read yet (RFC 9112, 9.6). So the server ends its own side first, and drops what still arrives.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

__all__ = ["LINGER_SECONDS", "ClosingTransport"]

LINGER_SECONDS: Final = 1.0
"""How long a client may still send after its response."""


class ClosingTransport:
    """A transport for uvicorn, whose ``close`` waits for what the client still sends.

    Args:
        transport: the transport of the connection; everything but closing is passed on to it.

    Attributes:
        is_lingering: whether the connection is closed for uvicorn, and what still arrives is dropped.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_lingering = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the attributes of a transport
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Return whether it is closed, or was closed by uvicorn."""
        return self.is_lingering or self._transport.is_closing()

    def close(self) -> None:
        """End the response; close when the client ends its side, at the latest after ``LINGER_SECONDS``.

        A second call closes at once.
        """
        if self.is_closing():
            self._transport.close()
            return
        self.is_lingering = True
        try:
            self._transport.write_eof()
        except OSError:  # the client has gone
            self._transport.close()
            return
        self._transport.resume_reading()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.close)
