"""An HTTP proxy that refuses every request and reports its target.

An audit hook does not see what child processes do, but nearly all HTTP clients use the proxy variables.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

__all__ = ["refusing_proxy"]

_FORBIDDEN = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 48\r\nConnection: close\r\n\r\n"
    b"network access is blocked in isolated test runs\n"
)


@contextmanager
def refusing_proxy(on_request: Callable[[str], object]) -> Iterator[str]:
    """Run a proxy that refuses every request, and yield its URL for the proxy variables.

    Args:
        on_request: called with ``host:port`` for each request.
    """
    with _Server(on_request) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


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
