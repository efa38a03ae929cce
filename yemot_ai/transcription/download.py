"""Download the recordings of callers from the platform's API.

Source: [OFF] ``DownloadFile``: raw bytes, or 404; the token may be sent in the header ``authorization``.
Refusals also come as JSON with status 200 [LIVE]. A file that is requested at once may still be missing
or incomplete [LIVE].
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from yemot_ai.errors import ConfigurationError, ProviderError
from yemot_ai.platform_api.addresses import DOWNLOAD_URL, GATEWAY_DOWNLOAD_URL, is_http_url
from yemot_ai.platform_api.credentials import Credentials

if TYPE_CHECKING:
    from yemot_ai.platform_api.refusals import Refusal
    from yemot_ai.platform_api.transport import HTTPResponse

__all__ = ["DOWNLOAD_URL", "Download", "EmptyRecordingError", "RecordingNotReadyError", "Recordings"]

RETRY_INTERVAL: Final = 0.5
"""Seconds before the next request for a file that is not complete yet."""

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
        token: the token of the platform's API: an API key, ``number:password``, or the session of ``Login``.
            ``YEMOT_TOKEN``, with the switch id of ``YEMOT_SWITCH_ID``, unless given. It is sent in a header
            only.
        url: the URL of ``DownloadFile``; with a switch id, that of the newer gateway unless given.
        timeout: seconds for one request in all: to connect, and for the head and the body of the response.
        ready_timeout: seconds in which a recording must become complete.
        max_bytes: the largest recording that is accepted.
        switch_id: the UUID of the line, for API keys of the newer gateway ``rest.yemot.co.il`` [LIB].

    Raises:
        ConfigurationError: if there is no token, or ``url`` is not an http or https URL.
    """

    token: str = field(default="", repr=False)
    url: str = DOWNLOAD_URL
    timeout: float = 10.0
    ready_timeout: float = 10.0
    max_bytes: int = 16_000_000
    switch_id: str = ""

    def __post_init__(self) -> None:
        given = Credentials(self.token, self.switch_id) if self.token.strip() else None
        credentials = given or Credentials.from_environment()
        if credentials is None:
            raise ConfigurationError("recordings need a token: pass Recordings(token=…) or set YEMOT_TOKEN")
        object.__setattr__(self, "token", credentials.token)
        object.__setattr__(self, "switch_id", self.switch_id.strip() or credentials.switch_id)
        if self.switch_id and self.url == DOWNLOAD_URL:
            object.__setattr__(self, "url", GATEWAY_DOWNLOAD_URL)
        if not is_http_url(self.url):
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
                wait = max(RETRY_INTERVAL, error.retry_after or 0)
                if not error.transient or now() + wait > deadline:
                    raise
            await asyncio.sleep(wait)

    def fetch(self, path: str) -> bytes:
        """Request a recording once; block until it is here.

        Raises:
            RecordingNotReadyError: if it is missing or not complete yet.
            EmptyRecordingError: if it contains no sound.
            ProviderError: if the request fails; the subclass says why.
        """
        # Imported here, because few processes download recordings.
        from yemot_ai.platform_api.refusals import find_refusal  # noqa: PLC0415 - see above
        from yemot_ai.platform_api.transport import HTTPRequest, send  # noqa: PLC0415 - see above

        url = f"{self.url}?path={quote(_platform_path(path), safe='/:')}"
        request = HTTPRequest(url, Credentials(self.token, self.switch_id).headers)
        response = send(request, timeout=self.timeout, max_bytes=self.max_bytes, service="recordings")
        if refusal := find_refusal(response):
            raise self._error(refusal)
        _check_type(response)
        return _check_complete(response.body)

    def _error(self, refusal: Refusal) -> ProviderError:
        from yemot_ai.platform_api.refusals import Cause, to_error  # noqa: PLC0415 - as above

        credentials = Credentials(self.token, self.switch_id)
        error = to_error(refusal, service="recordings", credentials=credentials)
        if refusal.cause is not Cause.MISSING_FILE:
            return error
        return RecordingNotReadyError(f"{error}, or cannot send it", provider="recordings")


def _platform_path(path: str) -> str:
    """Return a path for the platform's API; ``path`` is untrusted, because any client can send it."""
    match = _PATH.fullmatch(path.strip())
    if match is None or not match[1].isprintable() or {".", ".."} & set(match[1].split("/")):
        raise ProviderError(
            "the value that the line sent is not the path of a recording", provider="recordings"
        )
    return f"ivr2:/{match[1]}"


def _check_type(response: HTTPResponse) -> None:
    """Raise if a page was sent: waiting does not make a recording of it."""
    if response.media_type == "text/html":
        message = "a web page was sent in place of a recording: is the url of DownloadFile right?"
        raise ProviderError(message, provider="recordings")


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
