"""The transport to any server over HTTP, as the platform calls it."""

from __future__ import annotations

import base64
from dataclasses import replace
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from time import monotonic
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit, urlunsplit

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.transports.http_exchange import (
    HTTPReply,
    HTTPRequest,
    header_text,
    next_step,
    redirect_fault,
)
from yemot_ai_testing.line.transports.in_process import call_with_timeout
from yemot_ai_testing.line.transports.transport import (
    FORM_CONTENT_TYPE,
    GET,
    STRICT_HTTP,
    USER_AGENT,
    FaultCode,
    HTTPRules,
    Pairs,
    RequestEncoding,
    Transport,
    TransportFault,
    TransportResponse,
)
from yemot_ai_testing.line.transports.urls import http_url, is_loopback

__all__ = ["HTTPTransport", "send_once"]

CHUNK_BYTES = 65536
MAX_BODY_BYTES = 4 * 1024 * 1024
"""The maximum size of a response: far above that of any real one."""

FAULTS: tuple[tuple[type[Exception], FaultCode, str], ...] = (
    (TimeoutError, "late", "no answer in time"),
    (OSError, "unreachable", "the server cannot be reached: {}"),
    (HTTPException, "unreachable", "no whole answer came: {}"),
    (ValueError, "unreachable", "the link could not be called: {}"),
)
"""The faults of a connection, which are never the application's; the first that fits counts."""


class HTTPTransport(Transport):
    """Sends each request over a new connection.

    Args:
        url: the ``api_link``, percent-encoded as a browser does; a query string in it is joined as the line
            joins it, a fragment is not sent, and a user name and password are sent as an HTTP client sends
            them (Basic) [?].
        encoding: how requests are encoded; its query is appended to that of ``url``.
        remote: allow a URL that is not on this machine; also for the targets of redirects.

    Raises:
        AppError: the URL is not http(s), or not on this machine.
    """

    def __init__(self, url: str, encoding: RequestEncoding = GET, *, remote: bool = False) -> None:
        try:
            self._url = http_url(url)
        except ValueError as error:
            raise AppError(f"{url!r} is no http(s) url: {error}") from error
        if not remote and not is_loopback(self._url.hostname or ""):
            raise AppError(
                f"{url} is not on this machine: a test would call a real server; "
                "pass remote=True if that is meant, or servers={…} to a tree of extensions"
            )
        query = "&".join(part for part in (self._url.query, encoding.query) if part)
        self._encoding = replace(encoding, query=query)
        self._remote = remote

    def send(self, pairs: Pairs, *, timeout: float, rules: HTTPRules = STRICT_HTTP) -> TransportResponse:
        """Send one request, and follow its redirects where ``rules`` say so."""
        response = call_with_timeout(lambda: self._send(pairs, monotonic() + timeout, rules), timeout)
        if response.fault is None or response.fault.code != "exception" or response.fault.cause is None:
            return response
        return TransportResponse(fault=_connection_fault(response.fault.cause))

    def _send(self, pairs: Pairs, deadline: float, rules: HTTPRules) -> TransportResponse:
        encoding, query = self._encoding, self._encoding.query_string(pairs)
        url = urlunsplit(self._url._replace(query=query))
        step: HTTPRequest | TransportResponse = HTTPRequest(encoding.method, url, encoding.form_body(pairs))
        while isinstance(step, HTTPRequest):
            target = urlsplit(step.url)
            if not self._remote and not is_loopback(target.hostname or ""):
                return redirect_fault(
                    f"the redirect leads to {step.url}, which is not on this machine; remote=True allows it"
                )
            step = next_step(step, _exchange(step, target, deadline), rules)
        return step


def send_once(request: HTTPRequest, *, timeout: float) -> HTTPReply | TransportFault:
    """Send one request that is not the line's, and follow no redirect.

    Args:
        request: the request.
        timeout: seconds until the whole answer must be there.

    Returns:
        What the server sent, or the fault of the connection.
    """
    try:
        return _exchange(request, urlsplit(request.url), monotonic() + timeout)
    except (OSError, HTTPException, ValueError) as error:
        return _connection_fault(error)


def _connection_fault(cause: BaseException) -> TransportFault:
    for kind, code, text in FAULTS:
        if isinstance(cause, kind):
            return TransportFault(code, text.format(cause), cause)
    raise cause


def _exchange(request: HTTPRequest, url: SplitResult, deadline: float) -> HTTPReply:
    """Send one request over a new connection."""
    connection = _connection(url, timeout=max(deadline - monotonic(), 0.001))
    headers = {"User-Agent": USER_AGENT, **_authorization(url)}
    if request.body:
        headers["Content-Type"] = FORM_CONTENT_TYPE
    target = f"{url.path}?{url.query}" if url.query else url.path
    try:
        connection.request(request.method, target, body=request.body or None, headers=headers)
        with connection.getresponse() as response:
            location = response.getheader("Location")
            return HTTPReply(response.status, _body(response, deadline), location and header_text(location))
    finally:
        connection.close()


def _authorization(url: SplitResult) -> dict[str, str]:
    """Return the header of a user name and password in the link; as HTTP clients do [?]."""
    if url.username is None:
        return {}
    user = b":".join(unquote_to_bytes(part or "") for part in (url.username, url.password))
    return {"Authorization": f"Basic {base64.b64encode(user).decode()}"}


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
