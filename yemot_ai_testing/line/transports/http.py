"""Any server in any language, over HTTP, as the platform calls it."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.transports.in_process import bounded
from yemot_ai_testing.line.transports.transport import FORM, USER_AGENT, Answer, Fault, Pairs, Writing
from yemot_ai_testing.line.transports.wsgi_asgi import with_status

__all__ = ["HTTPTransport"]

GET = Writing()
PIECE = 65536
LONGEST = 4 * 1024 * 1024
"""Bytes of an answer: a thousand times what a line has ever been seen to be told."""


class HTTPTransport:
    """Sends each request over a connection of its own.

    Args:
        url: the ``api_link``; a query string in it is glued as the line glues it.
        writing: how requests are written; its query goes behind what stands in ``url``.
        remote: let the url point beyond this machine.

    Raises:
        AppError: the url is no http(s) url, or not on this machine.
    """

    def __init__(self, url: str, writing: Writing = GET, *, remote: bool = False) -> None:
        self._url = urlsplit(url)
        if self._url.scheme not in {"http", "https"} or not self._url.hostname:
            raise AppError(f"{url!r} is no http(s) url")
        if not remote and not _is_loopback(self._url.hostname):
            raise AppError(
                f"{url} is not on this machine: a test would call a real server; "
                "pass remote=True if that is meant, or servers={…} to a tree of extensions"
            )
        query = "&".join(part for part in (self._url.query, writing.query) if part)
        self._writing = replace(writing, query=query)

    def send(self, pairs: Pairs, *, timeout: float) -> Answer:
        """Send one request."""
        status: list[int] = []
        answer = bounded(lambda: self._exchange(pairs, status, monotonic() + timeout), timeout)
        if answer.fault is None:
            return with_status(status[0], answer.body)
        return Answer(fault=_over_http(answer.fault))

    def close(self) -> None:
        """Nothing is held: every exchange closes its connection."""

    def _exchange(self, pairs: Pairs, status: list[int], deadline: float) -> str:
        connection = _connection(self._url, timeout=max(deadline - monotonic(), 0.001))
        headers = {"User-Agent": USER_AGENT}
        method, body = self._writing.method, self._writing.in_body(pairs) or None
        if body:
            headers["Content-Type"] = FORM
        query = self._writing.in_url(pairs)
        try:
            connection.request(method, f"{self._url.path or '/'}?{query}", body=body, headers=headers)
            with connection.getresponse() as response:
                status[:] = [response.status]
                return _body(response, deadline).decode()
        finally:
            connection.close()


def _body(response: HTTPResponse, deadline: float) -> bytes:
    """Return a whole body; of one that does not end, nobody reads on once the line has walked away."""
    body = bytearray()
    while piece := response.read1(PIECE):
        body += piece
        if monotonic() > deadline:
            raise TimeoutError
        if len(body) > LONGEST:
            raise HTTPException(f"it goes on after {LONGEST} bytes")
    if response.length:
        raise IncompleteRead(bytes(body), response.length)
    return bytes(body)


def _connection(url: SplitResult, *, timeout: float) -> HTTPConnection:
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    return kind(url.hostname or "", url.port, timeout=timeout)


def _over_http(fault: Fault) -> Fault:
    """Name what went wrong on the way: an exception here is never the application's own."""
    if isinstance(fault.cause, UnicodeDecodeError):
        return Fault("encoding", "the answer is not UTF-8", fault.cause)
    if isinstance(fault.cause, TimeoutError):
        return Fault("late", "no answer in time", fault.cause)
    if isinstance(fault.cause, OSError):
        return Fault("unreachable", f"the server cannot be reached: {fault.cause}", fault.cause)
    if isinstance(fault.cause, HTTPException):
        return Fault("unreachable", f"no whole answer came: {fault.cause}", fault.cause)
    return fault


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
