"""Recordings that a caller has made on the line, fetched from the platform's own API.

Source: [OFF] ``DownloadFile``: raw bytes, or 404; the token may go in the header ``authorization``.
A file that is asked for at once may be missing yet, or not whole [LIVE].
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from yemot_ai.errors import (
    AuthenticationError,
    ConfigurationError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
)

__all__ = ["DOWNLOAD_URL", "RecordingNotReadyError", "Recordings"]

DOWNLOAD_URL: Final = "https://www.call2all.co.il/ym/api/DownloadFile"
"""The official address [OFF]."""

WAIT: Final = 0.5
"""Seconds before a file that is not whole yet is asked for again."""

CHUNK: Final = 65_536
HEAD: Final = 8
"""Bytes before what the header of a RIFF file counts."""

Fetch = Callable[[str], bytes]


class RecordingNotReadyError(ProviderError):
    """The platform does not have the recording, or not all of it yet."""

    kind = "recording_not_ready"
    transient = True


@dataclass(frozen=True, slots=True)
class Recordings:
    """Fetches recordings by the line's paths: ``/1/000.wav``, ``ivr2:/1/000.wav`` or ``1/000.wav``.

    Args:
        token: of the platform's API; ``YEMOT_TOKEN`` unless given. It is sent in a header alone.
        url: of ``DownloadFile``.
        timeout: seconds for one request.
        patience: seconds in which a recording has to be there, and whole.
        max_bytes: the largest recording that is taken.

    Raises:
        ConfigurationError: there is no token, or the address is not one of http or https.
    """

    token: str = field(default="", repr=False)
    url: str = DOWNLOAD_URL
    timeout: float = 10.0
    patience: float = 10.0
    max_bytes: int = 16_000_000

    def __post_init__(self) -> None:
        token = (self.token or os.environ.get("YEMOT_TOKEN") or "").strip()
        if not token:
            raise ConfigurationError("recordings need a token: pass Recordings(token=…) or set YEMOT_TOKEN")
        if not (token.isascii() and token.isprintable()):
            raise ConfigurationError("the token of recordings is not printable ASCII")
        object.__setattr__(self, "token", token)
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise ConfigurationError(f"url={self.url!r}: an http or https address without a query")

    async def download(
        self, path: str, *, in_thread: Callable[[Fetch, str], Awaitable[bytes]] = asyncio.to_thread
    ) -> bytes:
        """Return a recording, waiting for it until it is whole.

        Args:
            path: the value that the line has sent.
            in_thread: runs the blocking request.

        Raises:
            ProviderError: one of its subclasses says why there is no recording.
        """
        now = asyncio.get_running_loop().time
        give_up = now() + self.patience
        while True:
            try:
                return await in_thread(self.fetch, path)
            except ProviderError as error:
                if not error.transient or now() + WAIT > give_up:
                    raise
            await asyncio.sleep(WAIT)

    def fetch(self, path: str) -> bytes:
        """Ask for a recording once; blocks.

        Raises:
            RecordingNotReadyError: it is missing, or not whole yet.
            ProviderError: one of its subclasses says what else is wrong.
        """
        target = _target(path)
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        ends = time.monotonic() + self.timeout
        try:
            with closing(kind(parts.hostname or "", parts.port, timeout=self.timeout)) as connection:
                connection.request("GET", _resource(parts, target), headers={"authorization": self.token})
                with connection.getresponse() as response:
                    _check_status(response.status)
                    return _whole(self._read(response, ends))
        except TimeoutError as error:
            raise ProviderTimeoutError(seconds=self.timeout, provider="recordings") from error
        except (OSError, HTTPException) as error:
            what = f"no recording: the connection failed ({type(error).__name__})"
            raise ProviderCrashError(what, provider="recordings") from error

    def _read(self, response: HTTPResponse, ends: float) -> bytes:
        audio = bytearray()
        while chunk := response.read1(CHUNK):
            audio += chunk
            if len(audio) > self.max_bytes:
                raise ProviderError(f"the recording is larger than {self.max_bytes} bytes")
            if time.monotonic() > ends:  # the socket's own timeout counts per read
                raise TimeoutError
        return bytes(audio)


def _resource(parts: SplitResult, target: str) -> str:
    return f"{parts.path or '/'}?path={quote(target, safe='/:')}"


def _target(path: str) -> str:
    """Write a path as the platform's API wants it; it comes from the line, so anybody may have sent it."""
    bare = path.strip().removeprefix("ivr2:").lstrip("/")
    if not bare or not bare.isprintable() or ".." in bare.split("/"):
        raise ProviderError("what the line sent is no path of a recording")
    return f"ivr2:/{bare}"


def _check_status(status: int) -> None:
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.NOT_FOUND:
        raise RecordingNotReadyError("the platform has no such recording (404)", provider="recordings")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise AuthenticationError(f"the platform refused the token ({status})", provider="recordings")
    kind = OverloadedError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ProviderError
    raise kind(f"the platform answered with status {status}", provider="recordings")


def _whole(audio: bytes) -> bytes:
    size = int.from_bytes(audio[4:HEAD], "little")
    if audio[:4] != b"RIFF" or size == 0 or len(audio) < size + HEAD:
        raise RecordingNotReadyError("the recording is not whole, or no WAV", provider="recordings")
    return audio
