"""The web applications of a flow: WSGI and ASGI."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from yemot_ai import web
from yemot_ai.flow.admission import Admission
from yemot_ai.flow.lifespan import ServerLifespan
from yemot_ai.flow.readiness import Readiness

__all__ = ["mount_asgi", "mount_wsgi"]


def mount_wsgi(handle: Callable[..., str], admission: Admission, readiness: Readiness) -> web.WSGIApp:
    """Return the WSGI application of a flow, whose ``handle_request`` is ``handle``."""

    def app(environ: dict[str, Any], start_response: web.StartResponse) -> Iterable[bytes]:
        probe = web.find_probe(
            environ["REQUEST_METHOD"],
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", "").encode("latin-1"),
            environ.get("HTTP_ACCEPT", ""),
        )
        if probe is not None:
            page = web.ready_page(readiness.find()) if probe is web.Probe.READY else _page(probe)
            return web.respond_wsgi(environ, start_response, page)
        # If the application is mounted below a path, that part of the path is in SCRIPT_NAME.
        raw: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        path = raw.encode("latin-1").decode("utf-8", "replace")
        answer = functools.partial(handle, path=path)
        screen = functools.partial(admission.screen, path=path)
        return web.wsgi(answer, limits=admission.limits, screen=screen)(environ, start_response)

    return app


def mount_asgi(
    handle: Callable[..., Awaitable[str]],
    admission: Admission,
    readiness: Readiness,
    lifespan: ServerLifespan,
) -> web.ASGIApp:
    """Return the ASGI application of a flow, whose ``ahandle_request`` is ``handle``."""

    async def app(scope: web.Scope, receive: web.Receive, send: web.Send) -> None:
        probe = _find_probe(scope) if scope["type"] == "http" else None
        if probe is not None:
            page = web.ready_page(await readiness.afind()) if probe is web.Probe.READY else _page(probe)
            await web.respond_asgi(scope, send, page)
            return
        path = scope.get("path", "")
        answer = functools.partial(handle, path=path)
        screen = functools.partial(admission.screen, path=path)
        mount = web.asgi(answer, limits=admission.limits, screen=screen, lifespan=lifespan)
        await mount(scope, receive, send)

    return app


def _find_probe(scope: web.Scope) -> web.Probe | None:
    accept = [value for name, value in scope.get("headers", ()) if name == b"accept"]
    # Frameworks differ in whether the path contains that of a mount.
    path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
    query = bytes(scope.get("query_string", b""))
    return web.find_probe(scope["method"], path, query, b",".join(accept).decode("latin-1"))


def _page(probe: web.Probe) -> web.Page:
    return web.alive_page() if probe is web.Probe.ALIVE else web.browser_page()
