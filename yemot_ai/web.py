"""WSGI and ASGI mounts of a function from the line's parameters to a response.

GET and POST, at every path; the extension is in the parameters. Repeated names stay repeated: the
newest value is the last one, and a framework's dictionary may lose it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

log = logging.getLogger("yemot_ai")

__all__ = ["ASGIApp", "Receive", "Scope", "Send", "StartResponse", "WSGIApp", "asgi", "wsgi"]

Pairs = list[tuple[str, str]]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
WSGIApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

MAX_BODY = 1 << 20
"""Bytes of a body that are read: no call collects that many values."""

LONG_QUERY = 3500
"""Bytes: near the limit of servers and proxies; a call in Hebrew reaches it at turn 8 to 12."""

CONTENT_TYPE = "text/plain; charset=utf-8"


def wsgi(handle: Callable[[Pairs], str]) -> WSGIApp:
    """Mount ``handle`` as a WSGI application.

    Args:
        handle: takes pairs of names and values, returns the response; it may block.
    """

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in _METHODS:
            start_response("405 Method Not Allowed", [("Allow", ", ".join(_METHODS))])
            return [b""]
        body = _wsgi_body(environ)
        if body is None:
            start_response("400 Bad Request", [("Content-Type", CONTENT_TYPE)])
            return [b""]
        query = environ.get("QUERY_STRING", "")
        response = handle(_pairs(query.encode("latin-1"), body)).encode()
        start_response("200 OK", [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(response)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response]

    return app


def asgi(handle: Callable[[Pairs], Awaitable[str]]) -> ASGIApp:
    """Mount ``handle`` as an ASGI application.

    Args:
        handle: takes pairs of names and values, returns the response.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] != "http":
            raise ValueError(f"the line sends HTTP requests, not {scope['type']}")
        elif scope["method"] not in _METHODS:
            await _respond(send, 405, b"", [(b"allow", ", ".join(_METHODS).encode())])
        else:
            body = await _asgi_body(receive)
            if body is None:
                return  # the client has disconnected, and the request is incomplete
            response = (await handle(_pairs(scope["query_string"], body))).encode()
            headers = [
                (b"content-type", CONTENT_TYPE.encode()),
                (b"content-length", str(len(response)).encode()),
            ]
            await _respond(send, 200, b"" if scope["method"] == "HEAD" else response, headers)

    return app


_METHODS = ("GET", "HEAD", "POST")


def _pairs(query: bytes, body: bytes) -> Pairs:
    """Return the pairs of the query and a form-encoded body; a blank value is silence, and is kept."""
    if len(query) > LONG_QUERY:
        log.warning("a query of %d bytes: set api_url_post=yes before it no longer fits a URL", len(query))
    texts = (query.decode("utf-8", "replace"), body.decode("utf-8", "replace"))
    return [
        pair
        for text in texts
        for pair in parse_qsl(text, keep_blank_values=True, errors="replace", separator="&")
    ]


def _wsgi_body(environ: dict[str, Any]) -> bytes | None:
    """Return the body; None if it is shorter than its ``Content-Length``."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length <= 0:
        return b""
    stream: BinaryIO = environ["wsgi.input"]
    expected = min(length, MAX_BODY)
    body = stream.read(expected)
    return body if len(body) == expected else None


async def _asgi_body(receive: Receive) -> bytes | None:
    """Return the body; None if the client disconnected before its end."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))[: MAX_BODY - len(body)]
        if not message.get("more_body", False):
            return body


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
