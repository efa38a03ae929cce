"""The ASGI mount."""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

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
from yemot_ai.web.types import ASGIApp, Receive, Scope, Screen, Send

__all__ = ["Lifespan", "asgi", "respond_asgi"]

LARGE: Final = 64 * 1024
"""Bytes of a form; a larger one is parsed after the large one before it, so that small ones overtake."""


class Lifespan:
    """What an application does when its server starts and stops; this one does nothing."""

    async def startup(self) -> None:
        """Start; called once by each server."""

    async def shutdown(self) -> None:
        """Stop; called once by each server, after its last response."""


def asgi(
    handle: Callable[[Pairs], Awaitable[str]],
    *,
    limits: RequestLimits | None = None,
    screen: Screen | None = None,
    lifespan: Lifespan | None = None,
) -> ASGIApp:
    """Mount ``handle`` as an ASGI application.

    Args:
        handle: takes pairs of names and values, returns the response.
        limits: the bounds of a request.
        screen: looks at each request before it is parsed; one above the limits is refused unless given.
        lifespan: starts and stops with the server.
    """
    bounds = limits or RequestLimits()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _run_lifespan(lifespan or Lifespan(), receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: status 403
        elif scope["type"] != "http":
            raise ValueError(f"the line sends HTTP requests, not {scope['type']}")
        elif refused := refused_status(scope["method"], _upgrade(scope)):
            await _respond(scope, send, refused)
        else:
            await answer(scope, receive, send)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(bounds.body_seconds):
                body = await _read_body(receive, bounds)
        except TimeoutError:
            await _respond(scope, send, HTTPStatus.REQUEST_TIMEOUT)
            return
        if body is None:
            return  # the client has disconnected, and the request is incomplete
        form = Form(scope["query_string"], body)
        warn_of_long_query(form)
        look = screen or functools.partial(accept, limits=bounds)
        accepted = await _look_at_large(form, look) if form.size > LARGE else look(form)
        if accepted is None:
            await _respond(scope, send, too_large_status(form, bounds))
        else:
            response = accepted if isinstance(accepted, str) else await handle(accepted)
            await _respond(scope, send, HTTPStatus.OK, response)

    return app


_looking: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()


async def _look_at_large(form: Form, look: Screen) -> Pairs | str | None:
    """Look at a large form, after those that came before it."""
    async with _looking.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        accepted = look(form)
        await asyncio.sleep(0)  # small requests are answered before the next large one is looked at
        return accepted


def _upgrade(scope: Scope) -> str:
    values: list[bytes] = [value for name, value in scope.get("headers", ()) if name == b"upgrade"]
    return b",".join(values).decode("latin-1")


async def _read_body(receive: Receive, limits: RequestLimits) -> bytes | None:
    """Return the body, bounded; None if the client disconnected before its end."""
    body = BoundedBody(limits.body_bytes)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body.add(bytes(message.get("body", b"")))
        if body.is_full or not message.get("more_body", False):
            return body.content()


async def _run_lifespan(lifespan: Lifespan, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await lifespan.shutdown()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await lifespan.startup()
        await send({"type": "lifespan.startup.complete"})


async def respond_asgi(scope: Scope, send: Send, page: Page) -> None:
    """Send ``page`` as the response."""
    pairs = (("content-type", page.content_type), ("content-length", str(len(page.body))), *page.headers)
    headers = [(name.encode(), value.encode()) for name, value in pairs]
    await send({"type": "http.response.start", "status": page.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page.body})


async def _respond(scope: Scope, send: Send, status: HTTPStatus, response: str = "") -> None:
    body = response.encode()
    headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", ", ".join(METHODS).encode()))
    if status is not HTTPStatus.OK:
        headers.append((b"connection", b"close"))  # a body may still be on its way
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
