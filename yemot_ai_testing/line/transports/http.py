"""The transport to any server over HTTP, as the platform calls it."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.transports.in_process import call_with_timeout
from yemot_ai_testing.line.transports.transport import (
    FORM_CONTENT_TYPE,
    GET,
    USER_AGENT,
    FaultCode,
    Pairs,
    RequestEncoding,
    Transport,
    TransportFault,
    TransportResponse,
)
from yemot_ai_testing.line.transports.wsgi_asgi import http_response

__all__ = ["HTTPTransport"]

CHUNK_BYTES = 65536
MAX_BODY_BYTES = 4 * 1024 * 1024
"""The maximum size of a response: far above that of any real one."""

FAULTS: tuple[tuple[type[Exception], FaultCode, str], ...] = (
    (UnicodeDecodeError, "encoding", "the answer is not UTF-8"),
    (TimeoutError, "late", "no answer in time"),
    (OSError, "unreachable", "the server cannot be reached: {}"),
    (HTTPException, "unreachable", "no whole answer came: {}"),
)
"""The faults of a connection: an exception here is never the application's. The first that fits counts."""


class HTTPTransport(Transport):
    """Sends each request over a new connection.

    Args:
        url: the ``api_link``; a query string in it is joined as the line joins it.
        encoding: how requests are encoded; its query is appended to that of ``url``.
        remote: allow a URL that is not on this machine.

    Raises:
        AppError: the URL is not http(s), or not on this machine.
    """

    def __init__(self, url: str, encoding: RequestEncoding = GET, *, remote: bool = False) -> None:
        self._url = urlsplit(url)
        if self._url.scheme not in {"http", "https"} or not self._url.hostname:
            raise AppError(f"{url!r} is no http(s) url")
        if not remote and not _is_loopback(self._url.hostname):
            raise AppError(
                f"{url} is not on this machine: a test would call a real server; "
                "pass remote=True if that is meant, or servers={…} to a tree of extensions"
            )
        query = "&".join(part for part in (self._url.query, encoding.query) if part)
        self._encoding = replace(encoding, query=query)

    def send(self, pairs: Pairs, *, timeout: float) -> TransportResponse:
        """Send one request."""
        response = call_with_timeout(lambda: self._send(pairs, monotonic() + timeout), timeout)
        cause = None if response.fault is None else response.fault.cause
        for kind, code, text in FAULTS:
            if isinstance(cause, kind):
                return TransportResponse(fault=TransportFault(code, text.format(cause), cause))
        return response

    def _send(self, pairs: Pairs, deadline: float) -> TransportResponse:
        connection = _connection(self._url, timeout=max(deadline - monotonic(), 0.001))
        headers = {"User-Agent": USER_AGENT}
        method, body = self._encoding.method, self._encoding.form_body(pairs) or None
        if body:
            headers["Content-Type"] = FORM_CONTENT_TYPE
        query = self._encoding.query_string(pairs)
        try:
            connection.request(method, f"{self._url.path or '/'}?{query}", body=body, headers=headers)
            with connection.getresponse() as response:
                return http_response(response.status, _body(response, deadline))
        finally:
            connection.close()


def _body(response: HTTPResponse, deadline: float) -> bytes:
    """Return the whole body; raise if it is still incomplete at ``deadline``."""
    body = bytearray()
    while piece := response.read1(CHUNK_BYTES):
        body += piece
        if monotonic() > deadline:
            raise TimeoutError
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(f"it is longer than {MAX_BODY_BYTES} bytes")
    if response.length:
        raise IncompleteRead(bytes(body), response.length)
    return bytes(body)


def _connection(url: SplitResult, *, timeout: float) -> HTTPConnection:
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    return kind(url.hostname or "", url.port, timeout=timeout)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
