"""An HTTP proxy that refuses every request and reports its target.

An audit hook does not see what child processes do, but nearly all HTTP clients use the proxy variables.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

__all__ = ["RefusingProxy"]

_FORBIDDEN = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 48\r\nConnection: close\r\n\r\n"
    b"network access is blocked in isolated test runs\n"
)


class RefusingProxy:
    """Refuses every request; a context manager.

    Args:
        on_request: called with ``host:port`` for each request.
    """

    def __init__(self, on_request: Callable[[str], object]) -> None:
        self._server = _Server(on_request)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def url(self) -> str:
        """The value for the proxy variables."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, on_request: Callable[[str], object]) -> None:
        self.on_request = on_request
        super().__init__(("127.0.0.1", 0), _Request)


class _Request(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 5.0

    def handle(self) -> None:
        words = self.rfile.readline(65536).decode("latin-1").split()
        if len(words) < 2:  # noqa: PLR2004 - method and target
            return
        self.server.on_request(_requested_address(words[0], words[1]))
        self.wfile.write(_FORBIDDEN)


def _requested_address(method: str, target: str) -> str:
    if method == "CONNECT":
        return target
    parts = urlsplit(target)
    return f"{parts.hostname or target}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
