"""How to reach an application, found out from what it is.

| application | is called as |
|---|---|
| ``http://…`` | a server, over HTTP |
| ``AIFlow`` (anything with ``handle_request`` and ``ahandle_request``) | ``handle_request(pairs)`` |
| ``yemot_flow.Flow`` (``handle_request`` alone) | ``handle_request(dict)`` |
| ``app(environ, start_response)`` | WSGI |
| ``async app(scope, receive, send)`` | ASGI |
| ``handle(pairs)``, ``async handle(pairs)`` | itself |
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.clock import Clock, EngineClock
from yemot_ai_testing.line.transports.http import HTTPTransport
from yemot_ai_testing.line.transports.in_process import MappingTransport, PairsTransport, bounded, immediate
from yemot_ai_testing.line.transports.transport import Transport, Writing
from yemot_ai_testing.line.transports.wsgi_asgi import ASGITransport, AsyncPairsTransport, WSGITransport

__all__ = ["transport_to"]

PAIRS, WSGI, ASGI = 1, 2, 3


def transport_to(app: object, writing: Writing, *, clock: Clock, remote: bool = False) -> Transport:
    """Return the way to ``app``.

    Args:
        app: see the table above.
        writing: how requests are written.
        clock: virtual time must be let pass in the caller's own thread.
        remote: an url may point beyond this machine.

    Raises:
        AppError: ``app`` is nothing that can be called.
    """
    if isinstance(app, str):
        return HTTPTransport(app, writing, remote=remote)
    run = immediate if isinstance(clock, EngineClock) else bounded
    handle = getattr(app, "handle_request", None)
    if callable(handle) and hasattr(app, "ahandle_request"):
        return PairsTransport(handle, writing, run=run)
    if callable(handle):
        return MappingTransport(handle, writing)
    if callable(app):
        return _to_callable(app, writing)
    raise AppError(
        f"{app!r} is no application: pass a flow, a WSGI or ASGI app, a function of pairs, or an url"
    )


def _to_callable(app: Callable[..., Any], writing: Writing) -> Transport:
    arity, is_async = _positional(app), _is_async(app)
    if arity == ASGI:
        return ASGITransport(app, writing)
    if arity == WSGI and not is_async:
        return WSGITransport(app, writing)
    if arity == PAIRS and is_async:
        return AsyncPairsTransport(app, writing)
    if arity == PAIRS:
        return PairsTransport(app, writing)
    raise AppError(
        f"{app!r} takes {arity} arguments: WSGI takes 2, ASGI (async) 3, a function of pairs 1; "
        "if it is a factory, call it first"
    )


def _is_async(app: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)


def _positional(app: Callable[..., Any]) -> int:
    """Count the positional arguments that ``app`` cannot do without."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(app).parameters.values()
    return sum(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)
