"""A request as the line makes it, and what came back."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit

__all__ = ["LineAnswer", "LineCall", "new_call_id", "send"]

SECONDS: Final = 10.0
"""How long an answer may take; reports of the line's own limit are from under 10 to 60 s [?]."""

MAX_BYTES: Final = 1_000_000

_SAFE: Final = "/%:@!$&'()*+,;=?-._~"


def new_call_id() -> str:
    """Return the id of a new call; the log of the server shows that it is of a check."""
    return f"doctor{uuid.uuid4().hex}"


@dataclass(frozen=True, slots=True)
class LineCall:
    """A call that is made for a check.

    Attributes:
        extension: where the caller is.
        constants: what ``api_add_…`` sends.
        phone: who calls.
        call_id: new for each call.
    """

    extension: str
    constants: tuple[tuple[str, str], ...] = ()
    phone: str = "0500000000"
    call_id: str = field(default_factory=new_call_id)

    def pairs(self, *, hangup: bool) -> list[tuple[str, str]]:
        """Return what is sent: the official parameters [OFF], then the constants.

        Args:
            hangup: whether the caller has left.
        """
        return [
            ("ApiCallId", self.call_id),
            ("ApiDID", "0770000000"),
            ("ApiRealDID", "0770000000"),
            ("ApiPhone", self.phone),
            ("ApiExtension", self.extension),
            ("ApiTime", str(int(time.time()))),
            *self.constants,
            *((("hangup", "yes"),) if hangup else ()),
        ]


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """What the server answered.

    Attributes:
        status: the status code.
        content_type: as sent.
        location: of a redirect.
        body: the first megabyte.
        seconds: from the connection to the end of the body.
        certificate_end: when the certificate expires; None without one.
    """

    status: int
    content_type: str
    location: str
    body: bytes
    seconds: float
    certificate_end: datetime | None


def send(url: str, method: str, call: LineCall, *, hangup: bool = False) -> LineAnswer:
    """Send one request; no redirect is followed, and no proxy is used.

    Args:
        url: the ``api_link``. With GET its query is followed by a second ``?``, as a line does [LIVE].
        method: ``GET`` or ``POST``, as ``api_url_post`` says.
        call: who calls.
        hangup: whether the caller has left.

    Raises:
        OSError: there is no connection, or it ended: among them ``ssl.SSLError``, ``TimeoutError`` and
            ``socket.gaierror``.
        http.client.HTTPException: the answer is no HTTP.
    """
    parts, data = urlsplit(url), urlencode(call.pairs(hangup=hangup))
    target = quote(f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}", safe=_SAFE)
    started = time.monotonic()
    with _connection(parts) as connection:
        connection.connect()
        if method == "GET":
            connection.request("GET", f"{target}?{data}")
        else:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", target, data.encode(), headers)
        end = _certificate_end(connection)
        with connection.getresponse() as response:
            body = response.read(MAX_BYTES)
            return LineAnswer(
                response.status,
                response.getheader("Content-Type", ""),
                response.getheader("Location", ""),
                body,
                time.monotonic() - started,
                end,
            )


@contextlib.contextmanager
def _connection(parts: SplitResult) -> Iterator[http.client.HTTPConnection]:
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    with contextlib.closing(connection):
        yield connection


def _certificate_end(connection: http.client.HTTPConnection) -> datetime | None:
    if not isinstance(connection.sock, ssl.SSLSocket):
        return None
    certificate = connection.sock.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
