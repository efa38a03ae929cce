"""Transports to WSGI and ASGI applications, without a socket.

>>> def app(environ, start_response):
...     _ = start_response("200 OK", [("Content-Type", "text/plain")])
...     return [environ["QUERY_STRING"].encode()]
>>> WSGITransport(app).send([("choice", "3")], timeout=1).body
'choice=3'
"""

from __future__ import annotations

import asyncio
import atexit
import io
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urlsplit
from wsgiref.util import setup_testing_defaults

from yemot_ai import Engine
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.transports.http_exchange import (
    HTTPReply,
    HTTPRequest,
    header_text,
    next_step,
    redirect_fault,
)
from yemot_ai_testing.line.transports.in_process import call_with_timeout, response_of_future
from yemot_ai_testing.line.transports.transport import (
    FORM_CONTENT_TYPE,
    GET,
    STRICT_HTTP,
    USER_AGENT,
    HTTPRules,
    Pairs,
    RequestEncoding,
    Transport,
    TransportResponse,
)
from yemot_ai_testing.line.transports.urls import is_loopback

__all__ = ["ASGIApp", "ASGITransport", "WSGIApp", "WSGITransport", "run_on_asgi_loop"]

Environ: TypeAlias = dict[str, Any]
WSGIApp: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
ASGIMessage: TypeAlias = MutableMapping[str, Any]
ASGIApp: TypeAlias = Callable[
    [ASGIMessage, Callable[[], Awaitable[ASGIMessage]], Callable[[ASGIMessage], Awaitable[None]]],
    Awaitable[None],
]
APP_HOST = "http://127.0.0.1"
"""Where an application in this process is called: it has no host of its own."""
PATH_HINT = (
    'is the line below a path of the application? Caller(app, path="/yemot"), '
    "in a scenario app: module:app/yemot"
)
log = logging.getLogger("yemot_ai_testing")


@dataclass(frozen=True, slots=True)
class WSGITransport(Transport):
    """Calls a WSGI application as a threaded server does."""

    app: WSGIApp
    encoding: RequestEncoding = GET

    def send(self, pairs: Pairs, *, timeout: float, rules: HTTPRules = STRICT_HTTP) -> TransportResponse:
        """Call the application, and again where it redirects to itself."""
        return call_with_timeout(lambda: self._call(_first_request(self.encoding, pairs), rules), timeout)

    def _call(self, request: HTTPRequest, rules: HTTPRules) -> TransportResponse:
        step: HTTPRequest | TransportResponse = request
        while isinstance(step, HTTPRequest):
            url = urlsplit(step.url)
            step = _next_step(step, self._exchange(step, url), rules) if _is_app(url) else _elsewhere(step)
        return step

    def _exchange(self, request: HTTPRequest, url: SplitResult) -> HTTPReply:
        written: list[bytes] = []
        status: int | None = None
        location: str | None = None

        def start_response(
            line: str, headers: Iterable[tuple[str, str]], _exc_info: object = None
        ) -> Callable[[bytes], None]:
            nonlocal status, location
            status = int(line.split(" ", 1)[0])
            location = next((header_text(text) for name, text in headers if name.lower() == "location"), None)
            return written.append

        chunks = self.app(_environ(request, url), start_response)
        try:
            written.extend(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        return HTTPReply(status, b"".join(written), location)


class ASGITransport(Transport):
    """Calls an ASGI application on the event loop of the ASGI thread."""

    def __init__(self, app: ASGIApp, encoding: RequestEncoding = GET) -> None:
        self._app = app
        self._encoding = encoding
        self._lifespan = _Lifespan(app)

    def send(self, pairs: Pairs, *, timeout: float, rules: HTTPRules = STRICT_HTTP) -> TransportResponse:
        """Call the application; cancel it after ``timeout``, as a closed connection does."""
        return run_on_asgi_loop(lambda: self._call(_first_request(self._encoding, pairs), rules), timeout)

    def close(self) -> None:
        """Shut the application down; the loop stays open for the other transports of the process."""
        asgi_engine().run(self._lifespan.shutdown())

    async def _call(self, request: HTTPRequest, rules: HTTPRules) -> TransportResponse:
        await self._lifespan.startup()
        step: HTTPRequest | TransportResponse = request
        while isinstance(step, HTTPRequest):
            url = urlsplit(step.url)
            step = (
                _next_step(step, await self._exchange(step, url), rules) if _is_app(url) else _elsewhere(step)
            )
        return step

    async def _exchange(self, request: HTTPRequest, url: SplitResult) -> HTTPReply:
        inbox: list[ASGIMessage] = [{"type": "http.request", "body": request.body, "more_body": False}]
        written: list[bytes] = []
        status: int | None = None
        location: str | None = None

        async def receive() -> ASGIMessage:
            while not inbox:
                await asyncio.Event().wait()  # the caller stays on the line: no http.disconnect
            return inbox.pop()

        async def send(message: ASGIMessage) -> None:
            nonlocal status, location
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = {bytes(name).lower(): bytes(text) for name, text in message.get("headers", ())}
                location = headers[b"location"].decode(errors="replace") if b"location" in headers else None
            else:
                written.append(message.get("body", b""))

        await self._app(self._scope(request, url), receive, send)
        return HTTPReply(status, b"".join(written), location)

    def _scope(self, request: HTTPRequest, url: SplitResult) -> ASGIMessage:
        headers = [(b"host", b"127.0.0.1"), (b"user-agent", USER_AGENT.encode())]
        if request.body:
            headers += [
                (b"content-type", FORM_CONTENT_TYPE.encode()),
                (b"content-length", str(len(request.body)).encode()),
            ]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(url.path),
            "raw_path": url.path.encode(),
            "root_path": "",
            "query_string": url.query.encode(),
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": dict(self._lifespan.state),
        }


class _Lifespan:
    """Sends ``lifespan.startup`` before the first request and ``lifespan.shutdown`` after the last.

    Args:
        app: the application; one without lifespan support is called without it, as ASGI requires.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._inbox: asyncio.Queue[ASGIMessage] = asyncio.Queue()
        self._started = asyncio.Event()
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Send the startup event once, and wait for its acknowledgement.

        Raises:
            AppError: the startup of the application failed.
        """
        if self._task is None:
            self._inbox.put_nowait({"type": "lifespan.startup"})
            self._task = asyncio.create_task(self._run())
        await self._started.wait()
        if self._failure is not None:
            raise AppError(f"the application could not start: {self._failure}")

    async def shutdown(self) -> None:
        """Send the shutdown event, and wait until the application returns."""
        if self._task is not None:
            self._inbox.put_nowait({"type": "lifespan.shutdown"})
            await self._task

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._inbox.get, self._receive_reply)
        except Exception as error:  # noqa: BLE001 - an application may refuse the scope with any exception
            log.debug("%r does not support lifespan: %r", self._app, error)
        finally:
            self._started.set()

    async def _receive_reply(self, message: ASGIMessage) -> None:
        if message["type"] == "lifespan.startup.failed":
            self._failure = message.get("message") or "it gave no reason"
        self._started.set()


def _first_request(encoding: RequestEncoding, pairs: Pairs) -> HTTPRequest:
    query = encoding.query_string(pairs)
    url = f"{APP_HOST}{encoding.path}"
    return HTTPRequest(encoding.method, f"{url}?{query}" if query else url, encoding.form_body(pairs))


def _next_step(request: HTTPRequest, reply: HTTPReply, rules: HTTPRules) -> HTTPRequest | TransportResponse:
    return next_step(request, reply, rules, path_hint=PATH_HINT)


def _is_app(url: SplitResult) -> bool:
    """Whether ``url`` is the application in this process, which may believe to have any port."""
    return is_loopback(url.hostname or "")


def _elsewhere(request: HTTPRequest) -> TransportResponse:
    return redirect_fault(
        f"the redirect leads to {request.url}, which is not the application in this process"
    )


def _environ(request: HTTPRequest, url: SplitResult) -> Environ:
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": FORM_CONTENT_TYPE if request.body else "",
        "CONTENT_LENGTH": str(len(request.body)) if request.body else "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_USER_AGENT": USER_AGENT,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
    }
    setup_testing_defaults(environ)
    return environ


def run_on_asgi_loop(call: Callable[[], Coroutine[Any, Any, object]], timeout: float) -> TransportResponse:
    """Run a coroutine on the event loop of the ASGI thread for at most ``timeout`` seconds."""
    future = asgi_engine().submit(call())
    response = response_of_future(future, timeout)
    future.cancel()
    return response


@cache
def asgi_engine() -> Engine:
    """Return the event loop for all ASGI applications of this process; it starts at the first call.

    It runs until the process ends: clients that an application keeps are bound to the loop of their
    first use.
    """
    engine = Engine()
    atexit.register(engine.close)
    return engine
