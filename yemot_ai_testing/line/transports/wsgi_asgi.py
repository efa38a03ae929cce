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
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from functools import cache
from typing import Any, TypeAlias

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.transports.in_process import call_with_timeout, response_of_future
from yemot_ai_testing.line.transports.transport import (
    FORM_CONTENT_TYPE,
    USER_AGENT,
    Pairs,
    RequestEncoding,
    TransportFault,
    TransportResponse,
)

__all__ = ["ASGIApp", "ASGITransport", "AsyncPairsTransport", "WSGIApp", "WSGITransport"]

Environ: TypeAlias = dict[str, Any]
WSGIApp: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
ASGIMessage: TypeAlias = MutableMapping[str, Any]
ASGIApp: TypeAlias = Callable[
    [ASGIMessage, Callable[[], Awaitable[ASGIMessage]], Callable[[ASGIMessage], Awaitable[None]]],
    Awaitable[None],
]
GET = RequestEncoding()
OK = 200
log = logging.getLogger("yemot_ai_testing")


class WSGITransport:
    """Calls a WSGI application as a threaded server does."""

    def __init__(self, app: WSGIApp, encoding: RequestEncoding = GET, *, path: str = "/") -> None:
        self._app = app
        self._encoding = encoding
        self._path = path

    def send(self, pairs: Pairs, *, timeout: float) -> TransportResponse:
        """Call the application."""
        status: list[int] = []
        response = call_with_timeout(lambda: self._call(self._environ(pairs), status), timeout)
        return response if response.fault else check_status(status[0], response.body)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _call(self, environ: Environ, status: list[int]) -> str:
        written: list[bytes] = []

        def start_response(line: str, _headers: object, _exc_info: object = None) -> Callable[[bytes], None]:
            status[:] = [int(line.split(" ", 1)[0])]
            return written.append

        chunks = self._app(environ, start_response)
        try:
            written.extend(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        return b"".join(written).decode()

    def _environ(self, pairs: Pairs) -> Environ:
        body = self._encoding.form_body(pairs)
        return {
            "REQUEST_METHOD": self._encoding.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self._path,
            "QUERY_STRING": self._encoding.query_string(pairs),
            "CONTENT_TYPE": FORM_CONTENT_TYPE if body else "",
            "CONTENT_LENGTH": str(len(body)) if body else "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": USER_AGENT,
            "HTTP_HOST": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }


class ASGITransport:
    """Calls an ASGI application on the event loop of the ASGI thread."""

    def __init__(self, app: ASGIApp, encoding: RequestEncoding = GET, *, path: str = "/") -> None:
        self._app = app
        self._encoding = encoding
        self._path = path
        self._lifespan = _Lifespan(app)

    def send(self, pairs: Pairs, *, timeout: float) -> TransportResponse:
        """Call the application; cancel it after ``timeout``, as a closed connection does."""
        status: list[int] = []
        response = run_on_asgi_loop(self._call(pairs, status), timeout)
        return response if response.fault else check_status(status[0], response.body)

    def close(self) -> None:
        """Shut the application down; the loop stays open for the other transports of the process."""
        asyncio.run_coroutine_threadsafe(self._lifespan.shutdown(), _asgi_loop()).result()

    async def _call(self, pairs: Pairs, status: list[int]) -> str:
        await self._lifespan.startup()
        body = self._encoding.form_body(pairs)
        inbox: list[ASGIMessage] = [{"type": "http.request", "body": body, "more_body": False}]
        written: list[bytes] = []

        async def receive() -> ASGIMessage:
            if inbox:
                return inbox.pop()
            await asyncio.Event().wait()  # the caller stays on the line: no http.disconnect
            raise AssertionError

        async def send(message: ASGIMessage) -> None:
            if message["type"] == "http.response.start":
                status[:] = [message["status"]]
            else:
                written.append(message.get("body", b""))

        await self._app(self._scope(pairs, body), receive, send)
        return b"".join(written).decode()

    def _scope(self, pairs: Pairs, body: bytes) -> ASGIMessage:
        headers = [(b"host", b"127.0.0.1"), (b"user-agent", USER_AGENT.encode())]
        if body:
            headers += [
                (b"content-type", FORM_CONTENT_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
            ]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._encoding.method,
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "root_path": "",
            "query_string": self._encoding.query_string(pairs).encode(),
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
        self._acknowledged = asyncio.Event()
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Send the startup event once, and wait for its acknowledgement.

        Raises:
            AppError: the startup of the application failed.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            await self._send_event("lifespan.startup")
        if self._failure is not None:
            raise AppError(f"the application could not start: {self._failure}")

    async def shutdown(self) -> None:
        """Send the shutdown event, and wait until the application returns."""
        if self._task is not None and not self._task.done():
            await self._send_event("lifespan.shutdown")
            await self._task

    async def _send_event(self, kind: str) -> None:
        self._acknowledged.clear()
        self._inbox.put_nowait({"type": kind})
        await self._acknowledged.wait()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._inbox.get, self._receive_reply)
        except Exception as error:  # noqa: BLE001 - an application may refuse the scope with any exception
            log.debug("%r does not support lifespan: %r", self._app, error)
        finally:
            self._acknowledged.set()

    async def _receive_reply(self, message: ASGIMessage) -> None:
        if message["type"] == "lifespan.startup.failed":
            self._failure = message.get("message") or "it gave no reason"
        self._acknowledged.set()


class AsyncPairsTransport:
    """Awaits ``handle(pairs)`` on the event loop of the ASGI thread."""

    def __init__(
        self, handle: Callable[[Pairs], Coroutine[Any, Any, str]], encoding: RequestEncoding = GET
    ) -> None:
        self._handle = handle
        self._encoding = encoding

    def send(self, pairs: Pairs, *, timeout: float) -> TransportResponse:
        """Await the application."""
        return run_on_asgi_loop(self._handle(self._encoding.as_received(pairs)), timeout)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def check_status(status: int, body: str) -> TransportResponse:
    """Return the response of an HTTP exchange; only status 200 is accepted [?]."""
    if status == OK:
        return TransportResponse(body)
    return TransportResponse(body, TransportFault("status", f"the server answered with HTTP status {status}"))


def run_on_asgi_loop(coroutine: Coroutine[Any, Any, str], timeout: float) -> TransportResponse:
    """Run ``coroutine`` on the event loop of the ASGI thread for at most ``timeout`` seconds."""
    future = asyncio.run_coroutine_threadsafe(coroutine, _asgi_loop())
    response = response_of_future(future, timeout)
    future.cancel()
    return response


@cache
def _asgi_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop for all ASGI applications of this process; start it at the first call.

    It runs until the process ends: clients that an application keeps are bound to the loop of their
    first use.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=_run_loop, args=(loop,), name="yemot-asgi", daemon=True).start()
    atexit.register(loop.call_soon_threadsafe, loop.stop)
    return loop


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()
