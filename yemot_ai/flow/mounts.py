"""The web applications of a flow: WSGI and ASGI."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from yemot_ai import web
from yemot_ai.flow.admission import Admission
from yemot_ai.flow.lifespan import ServerLifespan

__all__ = ["mount_asgi", "mount_wsgi"]


def mount_wsgi(handle: Callable[..., str], admission: Admission) -> web.WSGIApp:
    """Return the WSGI application of a flow, whose ``handle_request`` is ``handle``."""

    def app(environ: dict[str, Any], start_response: web.StartResponse) -> Iterable[bytes]:
        # If the application is mounted below a path, that part of the path is in SCRIPT_NAME.
        raw: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        path = raw.encode("latin-1").decode("utf-8", "replace")
        answer = functools.partial(handle, path=path)
        screen = functools.partial(admission.screen, path=path)
        return web.wsgi(answer, limits=admission.limits, screen=screen)(environ, start_response)

    return app


def mount_asgi(
    handle: Callable[..., Awaitable[str]], admission: Admission, lifespan: ServerLifespan
) -> web.ASGIApp:
    """Return the ASGI application of a flow, whose ``ahandle_request`` is ``handle``."""

    async def app(scope: web.Scope, receive: web.Receive, send: web.Send) -> None:
        path = scope.get("path", "")
        answer = functools.partial(handle, path=path)
        screen = functools.partial(admission.screen, path=path)
        mount = web.asgi(answer, limits=admission.limits, screen=screen, lifespan=lifespan)
        await mount(scope, receive, send)

    return app
