"""Download the recordings of callers from the platform's API.

Source: [OFF] ``DownloadFile``: raw bytes, or 404; the token may be sent in the header ``authorization``.
A file that is requested at once may still be missing or incomplete [LIVE].
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, quote, urlsplit

from yemot_ai.errors import (
    AuthenticationError,
    ConfigurationError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
)

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

__all__ = ["DOWNLOAD_URL", "Download", "EmptyRecordingError", "RecordingNotReadyError", "Recordings"]

DOWNLOAD_URL: Final = "https://www.call2all.co.il/ym/api/DownloadFile"
"""The official address [OFF]."""

RETRY_INTERVAL: Final = 0.5
"""Seconds before the next request for a file that is not complete yet."""

CHUNK_SIZE: Final = 65_536
CHUNK_HEADER_SIZE: Final = 8
"""Bytes that the size in the header of a RIFF file does not include."""

FIRST_CHUNK: Final = 12
"""The offset of the first chunk of a WAV file."""

_PATH: Final = re.compile(r"(?:ivr2:)?/?((?:[^/\\:]+/)*[^/\\:]+\.wav)", re.IGNORECASE)

Fetch = Callable[[str], bytes]
Download = Callable[[str], Awaitable[bytes]]
"""Downloads a recording by the line's path."""


class RecordingNotReadyError(ProviderError):
    """The platform does not have the recording, or not all of it yet."""

    kind = "recording_not_ready"
    transient = True


class EmptyRecordingError(ProviderError):
    """The recording is complete and contains no sound."""

    kind = "recording_empty"


@dataclass(frozen=True, slots=True)
class Recordings:
    """Downloads recordings by the line's paths: ``/1/000.wav``, ``ivr2:/1/000.wav`` or ``1/000.wav``.

    Args:
        token: the token of the platform's API; ``YEMOT_TOKEN`` unless given. It is sent in a header only.
        url: the URL of ``DownloadFile``.
        timeout: seconds for one request in all: to connect, and for the head and the body of the response.
        ready_timeout: seconds in which a recording must become complete.
        max_bytes: the largest recording that is accepted.

    Raises:
        ConfigurationError: if there is no token, or ``url`` is not an http or https URL.
    """

    token: str = field(default="", repr=False)
    url: str = DOWNLOAD_URL
    timeout: float = 10.0
    ready_timeout: float = 10.0
    max_bytes: int = 16_000_000

    def __post_init__(self) -> None:
        token = (self.token or os.environ.get("YEMOT_TOKEN") or "").strip()
        if not token:
            raise ConfigurationError("recordings need a token: pass Recordings(token=…) or set YEMOT_TOKEN")
        if not (token.isascii() and token.isprintable()):
            raise ConfigurationError("the token of recordings is not printable ASCII")
        object.__setattr__(self, "token", token)
        if not _is_http_url(self.url):
            raise ConfigurationError(f"url={self.url!r}: an http or https address without a query")

    async def download(
        self, path: str, *, in_thread: Callable[[Fetch, str], Awaitable[bytes]] = asyncio.to_thread
    ) -> bytes:
        """Return a recording; wait until it is complete.

        Args:
            path: the value that the line has sent.
            in_thread: runs the blocking request.

        Raises:
            ProviderError: if there is no recording; the subclass says why.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + self.ready_timeout
        while True:
            try:
                return await in_thread(self.fetch, path)
            except ProviderError as error:
                if not error.transient or now() + RETRY_INTERVAL > deadline:
                    raise
            await asyncio.sleep(RETRY_INTERVAL)

    def fetch(self, path: str) -> bytes:
        """Request a recording once; block until it is here.

        Raises:
            RecordingNotReadyError: if it is missing or not complete yet.
            EmptyRecordingError: if it contains no sound.
            ProviderError: if the request fails; the subclass says why.
        """
        # Imported here, because few processes download recordings.
        from http.client import HTTPException  # noqa: PLC0415 - see above

        target, parts = _platform_path(path), urlsplit(self.url)
        deadline = time.monotonic() + self.timeout
        try:
            with _connect(parts, deadline) as connection, _shut_at(deadline, connection.sock):
                connection.request(
                    "GET", _request_target(parts, target), headers={"authorization": self.token}
                )
                with connection.getresponse() as response:
                    _check_status(response.status)
                    return _check_complete(self._read(response, deadline))
        except (OSError, HTTPException) as error:
            # A connection that is shut at the deadline looks like one that was closed by the other side.
            if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
                raise ProviderTimeoutError(seconds=self.timeout, provider="recordings") from error
            message = f"no recording: the connection failed ({type(error).__name__})"
            raise ProviderCrashError(message, provider="recordings") from error

    def _read(self, response: HTTPResponse, deadline: float) -> bytes:
        audio = bytearray()
        while chunk := response.read1(CHUNK_SIZE):
            audio += chunk
            if len(audio) > self.max_bytes:
                message = f"the recording is larger than {self.max_bytes} bytes"
                raise ProviderError(message, provider="recordings")
        _seconds_until(deadline)
        return bytes(audio)


@contextmanager
def _connect(parts: SplitResult, deadline: float) -> Iterator[HTTPConnection]:
    """Yield a connection; the look-up of the name is bounded by the resolver's own limits only."""
    from http.client import HTTPConnection  # noqa: PLC0415 - as above

    encrypted = parts.scheme == "https"
    standard_port = 443 if encrypted else 80
    host, port = parts.hostname or "", parts.port or standard_port
    connection = HTTPConnection(host, port)
    connection.default_port = standard_port  # which the header Host leaves out
    with closing(_open_socket(host, port, deadline)) as plain:
        connection.sock = _encrypt(plain, host, deadline) if encrypted else plain
        with closing(connection):
            yield connection


def _open_socket(host: str, port: int, deadline: float) -> socket.socket:
    """Return a socket to one of the addresses of a host; they share the time.

    Raises:
        OSError: no address could be reached.
    """
    failure: OSError = ConnectionError("the name has no address")
    for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection(
                (str(address[0]), int(address[1])), timeout=_seconds_until(deadline)
            )
        except OSError as error:
            failure = error
    raise failure


def _encrypt(plain: socket.socket, host: str, deadline: float) -> socket.socket:
    import ssl  # noqa: PLC0415 - as above

    context = ssl.create_default_context()
    encrypted = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    try:
        with _shut_at(deadline, encrypted):
            encrypted.do_handshake()
    except BaseException:
        encrypted.close()
        raise
    return encrypted


@contextmanager
def _shut_at(deadline: float, connection: socket.socket) -> Iterator[None]:
    """Shut a connection at the deadline: its own timeout begins again with each byte of a slow sender."""
    timer = threading.Timer(_seconds_until(deadline), _shut, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _shut(connection: socket.socket) -> None:
    # It may have been closed by the other side, or by us at the same moment.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _seconds_until(deadline: float) -> float:
    """Return the seconds that are left.

    Raises:
        TimeoutError: there are none.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and not parts.query


def _request_target(parts: SplitResult, target: str) -> str:
    return f"{parts.path or '/'}?path={quote(target, safe='/:')}"


def _platform_path(path: str) -> str:
    """Return a path for the platform's API; ``path`` is untrusted, because any client can send it."""
    match = _PATH.fullmatch(path.strip())
    if match is None or not match[1].isprintable() or {".", ".."} & set(match[1].split("/")):
        raise ProviderError(
            "the value that the line sent is not the path of a recording", provider="recordings"
        )
    return f"ivr2:/{match[1]}"


def _check_status(status: int) -> None:
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.NOT_FOUND:
        raise RecordingNotReadyError("the platform has no such recording (404)", provider="recordings")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise AuthenticationError(f"the platform refused the token ({status})", provider="recordings")
    kind = OverloadedError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ProviderError
    raise kind(f"the platform answered with status {status}", provider="recordings")


def _check_complete(audio: bytes) -> bytes:
    size = int.from_bytes(audio[4:CHUNK_HEADER_SIZE], "little")
    if audio[:4] != b"RIFF" or size == 0 or len(audio) < size + CHUNK_HEADER_SIZE:
        raise RecordingNotReadyError("the recording is incomplete, or not a WAV file", provider="recordings")
    if not _has_sound(audio):
        raise EmptyRecordingError("there is no sound in the recording", provider="recordings")
    return audio


def _has_sound(audio: bytes) -> bool:
    """Return whether there is a data chunk with audio; the standard library cannot read the phone's A-law."""
    start = FIRST_CHUNK
    while start + CHUNK_HEADER_SIZE <= len(audio):
        size = int.from_bytes(audio[start + 4 : start + CHUNK_HEADER_SIZE], "little")
        if audio[start : start + 4] == b"data":
            return size > 0 and start + CHUNK_HEADER_SIZE < len(audio)
        start += CHUNK_HEADER_SIZE + size + size % 2
    return False
