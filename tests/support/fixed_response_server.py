"""A server that answers every request with the same bytes, valid or not; written without a library."""

from __future__ import annotations

import socket
import socketserver
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class FixedResponseServer:
    """Serve ``status`` and ``body``, without the last ``missing`` bytes of the content length.

    Args:
        body: the bytes of the response; None to send nothing.
        trickle: seconds between one byte and the next.
    """

    def __init__(
        self,
        body: bytes | None,
        *,
        status: int = 200,
        kind: str = "application/json",
        missing: int = 0,
        trickle: float = 0.0,
    ) -> None:
        self.response: tuple[bytes, bytes] | None = None
        self.missing = 0
        if body is not None:
            self.answers(body, status=status, kind=kind, missing=missing)
        self.trickle = trickle
        self.connections = 0
        self.requests: list[bytes] = []
        self.request_received = threading.Event()
        self.disconnected = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def answers(
        self, body: bytes, *, status: int = 200, kind: str = "application/json", missing: int = 0
    ) -> None:
        """Answer later requests with other bytes."""
        length = len(body) + missing
        head = f"HTTP/1.1 {status} Fixed\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
        self.response, self.missing = (head.encode(), body), missing

    def response_to(self, head: bytes, request: bytes) -> tuple[bytes, bytes] | None:
        """Return head and body of the response to a request with this head and body; None to send nothing."""
        return self.response

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, owner: FixedResponseServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        owner = self.server.owner
        owner.connections += 1
        try:
            while (request := self._read()) is not None:
                owner.request_received.set()
                self._answer(*request)
        except ConnectionError:
            pass  # the client disconnected before the response was sent
        owner.disconnected.set()

    def _read(self) -> tuple[bytes, bytes] | None:
        """Read one whole request; return its head and body, or None after the client has disconnected."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := self.request.recv(65536)):
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = [line.lower().split(b":") for line in head.split(b"\r\n")]
        length = next((int(line[1]) for line in lines if line[0] == b"content-length"), 0)
        while len(body) < length:
            body += self.request.recv(65536)
        self.server.owner.requests.append(body)
        return head, body

    def _answer(self, head: bytes, request: bytes) -> None:
        owner = self.server.owner
        response = owner.response_to(head, request)
        if response is None:
            return
        head, body = response
        if not owner.trickle:
            self.request.sendall(head + body)
        else:
            self.request.sendall(head)
            never = threading.Event()
            for byte in body:
                self.request.sendall(bytes([byte]))
                never.wait(owner.trickle)
        if owner.missing:
            self.request.shutdown(socket.SHUT_RDWR)
