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
    USER_AGENT,
    Pairs,
    RequestEncoding,
    TransportFault,
    TransportResponse,
)
from yemot_ai_testing.line.transports.wsgi_asgi import check_status

__all__ = ["HTTPTransport"]

GET = RequestEncoding()
CHUNK_BYTES = 65536
MAX_BODY_BYTES = 4 * 1024 * 1024
"""The maximum size of a response: far above that of any real one."""


class HTTPTransport:
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
        status: list[int] = []
        response = call_with_timeout(lambda: self._send(pairs, status, monotonic() + timeout), timeout)
        if response.fault is None:
            return check_status(status[0], response.body)
        return TransportResponse(fault=_http_fault(response.fault))

    def close(self) -> None:
        """Do nothing: every request closes its connection."""

    def _send(self, pairs: Pairs, status: list[int], deadline: float) -> str:
        connection = _connection(self._url, timeout=max(deadline - monotonic(), 0.001))
        headers = {"User-Agent": USER_AGENT}
        method, body = self._encoding.method, self._encoding.form_body(pairs) or None
        if body:
            headers["Content-Type"] = FORM_CONTENT_TYPE
        query = self._encoding.query_string(pairs)
        try:
            connection.request(method, f"{self._url.path or '/'}?{query}", body=body, headers=headers)
            with connection.getresponse() as response:
                status[:] = [response.status]
                return _body(response, deadline).decode()
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


def _http_fault(fault: TransportFault) -> TransportFault:
    """Return the fault of the connection: an exception here is never the application's."""
    if isinstance(fault.cause, UnicodeDecodeError):
        return TransportFault("encoding", "the answer is not UTF-8", fault.cause)
    if isinstance(fault.cause, TimeoutError):
        return TransportFault("late", "no answer in time", fault.cause)
    if isinstance(fault.cause, OSError):
        return TransportFault("unreachable", f"the server cannot be reached: {fault.cause}", fault.cause)
    if isinstance(fault.cause, HTTPException):
        return TransportFault("unreachable", f"no whole answer came: {fault.cause}", fault.cause)
    return fault


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
