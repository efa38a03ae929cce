"""The platform's ``DownloadFile``, on the loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from yemot_ai.recordings import Recordings

TOKEN = "word-of-the-test"  # noqa: S105 - nobody's


def wav(sound: bytes) -> bytes:
    """Return a whole file with this sound in it: PCM, mono, 8 kHz, 16 bits."""
    form = bytes.fromhex("10000000 0100 0100 401f0000 803e0000 0200 1000")
    chunks = b"WAVEfmt " + form + b"data" + len(sound).to_bytes(4, "little") + sound
    return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks


WAV = wav(bytes(32))


class Platform(ThreadingHTTPServer):
    """Plays DownloadFile: each request gets the next answer; the last one stays."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Download)
        self.answers: list[tuple[int, bytes]] = [(200, WAV)]
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def recordings(self, *, token: str = TOKEN, timeout: float = 10.0, max_bytes: int = 1000) -> Recordings:
        url = f"http://127.0.0.1:{self.server_address[1]}/ym/api/DownloadFile"
        return Recordings(token, url, timeout=timeout, patience=5.0, max_bytes=max_bytes)


class Download(BaseHTTPRequestHandler):
    server: Platform

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.gate.wait(10)
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        if self.headers["authorization"] != TOKEN:
            status, body = 401, b""
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@contextmanager
def served() -> Iterator[Platform]:
    """Serve the platform."""
    with Platform() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.gate.set()
            server.shutdown()
            thread.join()
