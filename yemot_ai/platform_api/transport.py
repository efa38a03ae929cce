"""One HTTP request with one deadline for all of it: connecting, the head and the body of the response."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, IncompleteRead
from http.client import HTTPResponse as _OpenResponse
from typing import Final
from urllib.parse import SplitResult, urlsplit

from yemot_ai.errors import ProviderCrashError, ProviderError, ProviderTimeoutError

__all__ = ["HTTPRequest", "HTTPResponse", "send"]

CHUNK_SIZE: Final = 65_536


@dataclass(frozen=True, slots=True)
class HTTPRequest:
    """A request.

    Attributes:
        url: an http or https URL in ASCII.
        headers: they may hold a token, and are not shown.
        method: GET or POST.
        body: the body of a POST.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    method: str = "GET"
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HTTPResponse:
    """A response.

    Attributes:
        status: the status code.
        headers: by their names in lower case.
        body: the whole body; that of an error only if it is JSON.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The type of the body without its parameters, in lower case; "" if it is not named."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def send(request: HTTPRequest, *, timeout: float, max_bytes: int, service: str) -> HTTPResponse:
    """Send a request and return the whole response; block until it is here.

    Args:
        request: the request.
        timeout: seconds for all of it; only the look-up of the name has the resolver's own limits.
        max_bytes: the largest body that is read.
        service: the name for the errors.

    Raises:
        ProviderTimeoutError: if it took longer.
        ProviderCrashError: if the connection failed.
        ProviderError: if the body is larger.
    """
    deadline = time.monotonic() + timeout
    parts = urlsplit(request.url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        with _connect(parts, deadline) as connection, _shut_at(deadline, connection.sock):
            connection.request(request.method, target, request.body or None, dict(request.headers))
            with connection.getresponse() as response:
                body = _read(response, max_bytes, service) if _has_content(response) else b""
                _seconds_until(deadline)
                headers = {name.lower(): value for name, value in response.getheaders()}
                return HTTPResponse(response.status, headers, body)
    except (OSError, HTTPException) as error:
        # A connection that is shut at the deadline looks like one that was closed by the other side.
        if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
            raise ProviderTimeoutError(seconds=timeout, provider=service) from error
        message = f"no answer of the platform: the connection failed ({type(error).__name__})"
        raise ProviderCrashError(message, provider=service) from error


def _has_content(response: _OpenResponse) -> bool:
    """Return whether the body says something: that of an error is a reason if it is JSON."""
    return response.status == HTTPStatus.OK or "json" in response.getheader("content-type", "").lower()


def _read(response: _OpenResponse, max_bytes: int, service: str) -> bytes:
    body = bytearray()
    while not _is_too_large(response, body, max_bytes):
        chunk = response.read1(CHUNK_SIZE)
        if not chunk and response.length:  # the connection ended before the announced length
            raise IncompleteRead(bytes(body), response.length)
        if not chunk:
            return bytes(body)
        body += chunk
    raise ProviderError(f"the answer of the platform is larger than {max_bytes} bytes", provider=service)


def _is_too_large(response: _OpenResponse, body: bytearray, max_bytes: int) -> bool:
    """Return whether more than ``max_bytes`` have been read, or are announced."""
    return len(body) + (response.length or 0) > max_bytes


@contextmanager
def _connect(parts: SplitResult, deadline: float) -> Iterator[HTTPConnection]:
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
