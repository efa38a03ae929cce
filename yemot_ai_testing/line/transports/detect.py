"""Choose the transport for an application by its type.

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
from typing import Any, TypeAlias

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.clock import Clock, EngineClock
from yemot_ai_testing.line.transports.http import HTTPTransport
from yemot_ai_testing.line.transports.in_process import PairsTransport, call_directly, call_with_timeout
from yemot_ai_testing.line.transports.transport import Pairs, RequestEncoding, Transport
from yemot_ai_testing.line.transports.wsgi_asgi import ASGITransport, WSGITransport, run_on_asgi_loop

__all__ = ["TransportWrapper", "is_web_app", "transport_for", "wrap_transports"]

TransportWrapper: TypeAlias = Callable[[Transport, object, RequestEncoding], Transport]
"""Gets a transport, its application and its encoding; returns the transport to use."""

_wrappers: list[TransportWrapper] = []

PAIRS_ARITY, WSGI_ARITY, ASGI_ARITY = 1, 2, 3


def transport_for(app: object, encoding: RequestEncoding, *, clock: Clock, remote: bool = False) -> Transport:
    """Return the transport to ``app``.

    Args:
        app: see the table above.
        encoding: how requests are encoded.
        clock: the line's clock; in virtual time the application runs in the caller's thread.
        remote: allow a URL that is not on this machine.

    Raises:
        AppError: ``app`` cannot be called.
    """
    transport = _plain_transport(app, encoding, clock=clock, remote=remote)
    for wrapper in _wrappers:
        transport = wrapper(transport, app, encoding)
    return transport


def wrap_transports(wrapper: TransportWrapper) -> None:
    """Wrap every transport that is made from now on in this process."""
    _wrappers.append(wrapper)


def is_web_app(app: object) -> bool:
    """Return whether an application is called as WSGI or ASGI, so that it has paths."""
    if not callable(app) or callable(getattr(app, "handle_request", None)):
        return False
    return _required_positional(app) in {WSGI_ARITY, ASGI_ARITY}


def _plain_transport(app: object, encoding: RequestEncoding, *, clock: Clock, remote: bool) -> Transport:
    if isinstance(app, str):
        return HTTPTransport(app, encoding, remote=remote)
    run = call_directly if isinstance(clock, EngineClock) else call_with_timeout
    handle = getattr(app, "handle_request", None)
    if callable(handle) and hasattr(app, "ahandle_request"):
        return PairsTransport(handle, encoding, run=run)
    if callable(handle):
        return PairsTransport(lambda pairs: handle(_first_values(pairs)), encoding)
    if callable(app):
        return _transport_for_callable(app, encoding)
    raise AppError(
        f"{app!r} is no application: pass a flow, a WSGI or ASGI app, a function of pairs, or an url"
    )


def _transport_for_callable(app: Callable[..., Any], encoding: RequestEncoding) -> Transport:
    arity, is_async = _required_positional(app), _is_async(app)
    if arity == ASGI_ARITY:
        return ASGITransport(app, encoding)
    if arity == WSGI_ARITY and not is_async:
        return WSGITransport(app, encoding)
    if arity == PAIRS_ARITY and is_async:
        return PairsTransport(app, encoding, run=run_on_asgi_loop)
    if arity == PAIRS_ARITY:
        return PairsTransport(app, encoding)
    raise AppError(
        f"{app!r} takes {arity} arguments: WSGI takes 2, ASGI (async) 3, a function of pairs 1; "
        "if it is a factory, call it first"
    )


def _first_values(pairs: Pairs) -> dict[str, str]:
    """Return the pairs as ``yemot_flow.Flow`` documents its argument: ``request.values.to_dict()``.

    That conversion keeps the *first* of repeated names. An application on a real server does it, so
    the line must not hide it.
    """
    return dict(reversed(list(pairs)))


def _is_async(app: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)


def _required_positional(app: Callable[..., Any]) -> int:
    """Return the number of required positional arguments of ``app``."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(app).parameters.values()
    return sum(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)
