"""A server for the platform's API, on the loopback: recordings, text files, settings of extensions, uploads.

>>> with PlatformServer() as platform:
...     audio = platform.recordings().fetch("/1/000.wav")
>>> audio == SILENT_WAV, platform.requests
(True, ['/ym/api/DownloadFile?path=ivr2:/1/000.wav'])

What the double does and how sure each fact is: ``docs/platform-api.md`` and ``platform_commands``.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from yemot_ai.transcription import Recordings
from yemot_ai_testing.doubles.platform_commands import (
    INVALID_TOKEN,
    VERSION,
    Files,
    Refused,
    run_command,
)
from yemot_ai_testing.doubles.platform_parameters import Parameters, read_parameters

__all__ = ["SILENT_WAV", "SWITCH_ID", "TOKEN", "PlatformCall", "PlatformServer", "refusal", "wav_file"]

TOKEN: Final = "word-of-the-test"  # noqa: S105 - a token for this server only
"""The token that the server accepts."""

SWITCH_ID: Final = "line-of-the-test"
"""The switch id that the server accepts at the address of the newer gateway."""

API_PATH: Final = "/ym/api/"
GATEWAY_PATH: Final = "/api/v1/switch/"

_CONTENT_TYPES: Final = {b"{": "application/json; charset=utf-8", b"<": "text/html; charset=utf-8"}
"""By the first byte of a body; ``application/octet-stream`` for a file [LIB]."""

Response = tuple[int, bytes]
"""Status and body."""


def wav_file(sound: bytes) -> bytes:
    """Return a WAV file with the samples ``sound``: PCM, mono, 8 kHz, 16 bits a sample."""
    form = bytes.fromhex("10000000 0100 0100 401f0000 803e0000 0200 1000")
    chunks = b"WAVEfmt " + form + b"data" + len(sound).to_bytes(4, "little") + sound
    return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks


SILENT_WAV: Final = wav_file(bytes(320))
"""20 ms of silence."""


def refusal(message: str, *, status: str = "ERROR", code: int | None = None) -> Response:
    """Return a refusal as the platform sends it: JSON with status 200 [LIVE].

    >>> refusal("session is expired", status="FORBIDDEN")[1]
    b'{"yemotAPIVersion": 7, "responseStatus": "FORBIDDEN", "message": "session is expired"}'

    Args:
        message: the words of the platform.
        status: ``ERROR``, ``FORBIDDEN`` or ``EXCEPTION`` [OFF].
        code: its ``messageCode``, if it has one.
    """
    body: dict[str, Any] = {"yemotAPIVersion": VERSION, "responseStatus": status, "message": message}
    return 200, json.dumps(body if code is None else body | {"messageCode": code}).encode()


@dataclass(frozen=True, slots=True)
class PlatformCall:
    """A command that was received.

    Attributes:
        command: its name, such as ``UpdateExtension``.
        parameters: its parameters, without the token.
        is_gateway: whether it came to the address of the newer gateway.
    """

    command: str
    parameters: dict[str, str] = field(default_factory=dict)
    is_gateway: bool = False


class PlatformServer:
    """Serve the platform's API until ``close``; a context manager.

    Attributes:
        responses: status and body of each response to ``DownloadFile`` whose file is not in ``files``, in
            order; the last one is repeated.
        scripted: for other commands, responses to send in place of their own, each once.
        files: the files of the line by their paths from the root, such as ``1/2/ext.ini``. Tests put files
            here, and find here what was written.
        requests: the targets of the requests so far.
        calls: the commands so far that had a valid token.
    """

    def __init__(self) -> None:
        self.responses: list[Response] = [(200, SILENT_WAV)]
        self.scripted: dict[str, list[Response]] = {}
        self.files: Files = {}
        self.requests: list[str] = []
        self.calls: list[PlatformCall] = []
        self.gate = threading.Event()
        self.gate.set()
        self._commands = threading.Lock()
        self._server = _HTTPServer(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def api_url(self) -> str:
        """The address before the name of a command."""
        return f"{self._origin}{API_PATH}"

    @property
    def gateway_url(self) -> str:
        """The same at the newer gateway, which wants ``Bearer`` and ``switch-id`` [LIB]."""
        return f"{self._origin}{GATEWAY_PATH}"

    @property
    def url(self) -> str:
        """The address of ``DownloadFile``."""
        return f"{self.api_url}DownloadFile"

    @property
    def _origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def recordings(
        self,
        *,
        token: str = TOKEN,
        timeout: float = 10.0,
        patience: float = 5.0,
        max_bytes: int = 100_000,
        switch_id: str = "",
    ) -> Recordings:
        """Return a downloader for this server; the arguments are those of ``Recordings``."""
        url = f"{self.gateway_url}DownloadFile" if switch_id else self.url
        return Recordings(token, url, timeout, patience, max_bytes, switch_id)

    def hold(self) -> None:
        """Let every later request wait, after it has been recorded, until ``release``."""
        self.gate.clear()

    def release(self) -> None:
        """Let the waiting requests through."""
        self.gate.set()

    def next_response(self) -> Response:
        """Return status and body of the next response to ``DownloadFile``."""
        return self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]

    def answer(self, call: PlatformCall, uploads: Sequence[bytes] = ()) -> Response:
        """Run a command and return status and body of its response.

        Args:
            call: the command.
            uploads: the files that came with it.
        """
        with self._commands:
            self.calls.append(call)
            if scripted := self.scripted.get(call.command):
                return scripted.pop(0)
            if call.command == "DownloadFile" and not self._has(call):
                return self.next_response()
            try:
                return run_command(self.files, call.command, call.parameters, uploads)
            except Refused as refused:
                return refusal(refused.message, status=refused.status, code=refused.code)

    def _has(self, call: PlatformCall) -> bool:
        return call.parameters.get("path", "").removeprefix("ivr2:").strip("/") in self.files

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
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's signature
        """Print a traceback, but not of a client that has hung up: that is no fault of the server."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _HTTPServer

    def do_GET(self) -> None:
        """Answer one command."""
        self._send(self._answer())

    do_POST = do_GET  # noqa: N815 - the base's name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Log nothing: ``requests`` has them."""

    def _answer(self) -> Response:
        platform = self.server.platform
        platform.requests.append(self.path)
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        platform.gate.wait()
        parameters = read_parameters(urlsplit(self.path).query, body, self.headers["content-type"] or "")
        path = urlsplit(self.path).path
        command = path.rpartition("/")[2]
        if path == f"{GATEWAY_PATH}{command}":
            return self._gateway_answer(command, parameters)
        if path != f"{API_PATH}{command}":
            return 404, b""
        token = self.headers["authorization"] or parameters.values.get("token")
        if token != TOKEN:
            return refusal(INVALID_TOKEN, status="EXCEPTION")
        return platform.answer(PlatformCall(command, _without_token(parameters)), parameters.files)

    def _gateway_answer(self, command: str, parameters: Parameters) -> Response:
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            return _gateway_refusal(401, "UNAUTHORIZED", "invalid API key")
        if self.headers["switch-id"] != SWITCH_ID:
            return _gateway_refusal(400, "SWITCH_ID_REQUIRED", "switch-id is missing or unknown")
        call = PlatformCall(command, _without_token(parameters), is_gateway=True)
        return self.server.platform.answer(call, parameters.files)

    def _send(self, response: Response) -> None:
        status, body = response
        self.send_response(status)
        self.send_header("content-type", _CONTENT_TYPES.get(body[:1], "application/octet-stream"))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _without_token(parameters: Parameters) -> dict[str, str]:
    return {name: value for name, value in parameters.values.items() if name != "token"}


def _gateway_refusal(status: int, code: str, message: str) -> Response:
    """Return a refusal of the newer gateway: its form is [LIB], its codes and words are [?]."""
    body = {"success": False, "error": {"code": code, "message": message}, "coreSso": {"requestId": "1"}}
    return status, json.dumps(body).encode()
