"""The WSGI mount."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

from yemot_ai.web.body import BoundedBody
from yemot_ai.web.form import Form, Pairs
from yemot_ai.web.limits import RequestLimits
from yemot_ai.web.probes import Page
from yemot_ai.web.responses import (
    CONTENT_TYPE,
    METHODS,
    accept,
    refused_status,
    too_large_status,
    warn_of_long_query,
)
from yemot_ai.web.types import Screen, StartResponse, WSGIApp

__all__ = ["respond_wsgi", "wsgi"]

CHUNK_BYTES: Final = 64 * 1024


def wsgi(
    handle: Callable[[Pairs], str], *, limits: RequestLimits | None = None, screen: Screen | None = None
) -> WSGIApp:
    """Mount ``handle`` as a WSGI application.

    Args:
        handle: takes pairs of names and values, returns the response; it may block.
        limits: the bounds of a request.
        screen: looks at each request before it is parsed; one above the limits is refused unless given.
    """
    bounds = limits or RequestLimits()

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        def respond(status: HTTPStatus, response: str = "") -> Iterable[bytes]:
            body = response.encode()
            headers = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))]
            if status is HTTPStatus.METHOD_NOT_ALLOWED:
                headers.append(("Allow", ", ".join(METHODS)))
            start_response(f"{status.value} {status.phrase}", headers)
            return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

        refused = refused_status(environ["REQUEST_METHOD"], environ.get("HTTP_UPGRADE", ""))
        if refused:
            return respond(refused)
        body = _read_body(environ, bounds)
        if body is None:
            return respond(HTTPStatus.BAD_REQUEST)
        form = Form(environ.get("QUERY_STRING", "").encode("latin-1"), body)
        warn_of_long_query(form)
        accepted = screen(form) if screen else accept(form, bounds)
        if accepted is None:
            return respond(too_large_status(form, bounds))
        return respond(HTTPStatus.OK, accepted if isinstance(accepted, str) else handle(accepted))

    return app


def respond_wsgi(environ: dict[str, Any], start_response: StartResponse, page: Page) -> Iterable[bytes]:
    """Return the body of ``page``, after its status and headers."""
    headers = [("content-type", page.content_type), ("content-length", str(len(page.body))), *page.headers]
    start_response(f"{page.status.value} {page.status.phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else page.body]


def _read_body(environ: dict[str, Any], limits: RequestLimits) -> bytes | None:
    """Return the body, bounded; None if it is shorter than its ``Content-Length``."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    body = BoundedBody(limits.body_bytes)
    while body.size < length and not body.is_full:
        chunk = environ["wsgi.input"].read(min(length - body.size, CHUNK_BYTES))
        if not chunk:
            return None
        body.add(chunk)
    return body.content()
