"""A server for the platform's ``DownloadFile`` API, on the loopback.

>>> with PlatformServer() as platform:
...     audio = platform.recordings().fetch("/1/000.wav")
>>> audio == SILENT_WAV, platform.requests
(True, ['/ym/api/DownloadFile?path=ivr2:/1/000.wav'])
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from yemot_ai.transcription import Recordings

__all__ = ["SILENT_WAV", "TOKEN", "PlatformServer", "wav_file"]

TOKEN: Final = "word-of-the-test"  # noqa: S105 - a token for this server only
"""The token that the server accepts."""


def wav_file(sound: bytes) -> bytes:
    """Return a WAV file with the samples ``sound``: PCM, mono, 8 kHz, 16 bits a sample."""
    form = bytes.fromhex("10000000 0100 0100 401f0000 803e0000 0200 1000")
    chunks = b"WAVEfmt " + form + b"data" + len(sound).to_bytes(4, "little") + sound
    return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks


SILENT_WAV: Final = wav_file(bytes(320))
"""20 ms of silence."""


class PlatformServer:
    """Serve ``DownloadFile`` until ``close``; a context manager.

    Attributes:
        responses: status and body of each response, in order; the last one is repeated.
        requests: the targets of the requests so far.
    """

    def __init__(self) -> None:
        self.responses: list[tuple[int, bytes]] = [(200, SILENT_WAV)]
        self.requests: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self._server = _HTTPServer(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address of ``DownloadFile``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/ym/api/DownloadFile"

    def recordings(
        self, *, token: str = TOKEN, timeout: float = 10.0, patience: float = 5.0, max_bytes: int = 100_000
    ) -> Recordings:
        """Return a downloader for this server; the arguments are those of ``Recordings``."""
        return Recordings(token, self.url, timeout=timeout, ready_timeout=patience, max_bytes=max_bytes)

    def hold(self) -> None:
        """Let every later request wait, after it has been recorded, until ``release``."""
        self.gate.clear()

    def release(self) -> None:
        """Let the waiting requests through."""
        self.gate.set()

    def next_response(self) -> tuple[int, bytes]:
        """Return status and body of the next response."""
        return self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]

    def close(self) -> None:
        """Stop serving."""
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, platform: PlatformServer) -> None:
        self.platform = platform
        super().__init__(("127.0.0.1", 0), _DownloadHandler)


class _DownloadHandler(BaseHTTPRequestHandler):
    server: _HTTPServer

    def do_GET(self) -> None:
        """Send a recording; 401 for a wrong token."""
        platform = self.server.platform
        platform.requests.append(self.path)
        platform.gate.wait()
        status, body = platform.next_response() if self.headers["authorization"] == TOKEN else (401, b"")
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Log nothing: ``requests`` has them."""
