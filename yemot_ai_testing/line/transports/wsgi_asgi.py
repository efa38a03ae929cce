"""Applications behind a gateway interface, without a socket: WSGI and ASGI.

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
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from functools import cache
from typing import Any, TypeAlias

from yemot_ai_testing.line.transports.in_process import bounded, outcome
from yemot_ai_testing.line.transports.lifespan import ASGIApp, Lifespan, Message
from yemot_ai_testing.line.transports.transport import FORM, USER_AGENT, Answer, Fault, Pairs, Writing

__all__ = ["ASGIApp", "ASGITransport", "AsyncPairsTransport", "WSGIApp", "WSGITransport"]

Environ: TypeAlias = dict[str, Any]
WSGIApp: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
GET = Writing()
OK = 200


class WSGITransport:
    """Calls a WSGI application as a threaded server would."""

    def __init__(self, app: WSGIApp, writing: Writing = GET, *, path: str = "/") -> None:
        self._app = app
        self._writing = writing
        self._path = path

    def send(self, pairs: Pairs, *, timeout: float) -> Answer:
        """Call the application."""
        status: list[int] = []
        answer = bounded(lambda: self._call(self._environ(pairs), status), timeout)
        return answer if answer.fault else with_status(status[0], answer.body)

    def close(self) -> None:
        """Nothing is held."""

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
        body = self._writing.in_body(pairs)
        return {
            "REQUEST_METHOD": self._writing.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self._path,
            "QUERY_STRING": self._writing.in_url(pairs),
            "CONTENT_TYPE": FORM if body else "",
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
    """Calls an ASGI application on a loop of its own, in a thread of its own."""

    def __init__(self, app: ASGIApp, writing: Writing = GET, *, path: str = "/") -> None:
        self._app = app
        self._writing = writing
        self._path = path
        self._lifespan = Lifespan(app)

    def send(self, pairs: Pairs, *, timeout: float) -> Answer:
        """Call the application; one that is too late is cancelled, as a broken connection would."""
        status: list[int] = []
        answer = on_loop(self._call(pairs, status), timeout)
        return answer if answer.fault else with_status(status[0], answer.body)

    def close(self) -> None:
        """Let the application end; the loop stays, for it serves all transports of the process."""
        asyncio.run_coroutine_threadsafe(self._lifespan.end(), _loop()).result()

    async def _call(self, pairs: Pairs, status: list[int]) -> str:
        await self._lifespan.begin()
        body = self._writing.in_body(pairs)
        inbox: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        written: list[bytes] = []

        async def receive() -> Message:
            if inbox:
                return inbox.pop()
            await asyncio.Event().wait()  # the caller stays on the line: no http.disconnect
            raise AssertionError

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[:] = [message["status"]]
            else:
                written.append(message.get("body", b""))

        await self._app(self._scope(pairs, body), receive, send)
        return b"".join(written).decode()

    def _scope(self, pairs: Pairs, body: bytes) -> Message:
        headers = [(b"host", b"127.0.0.1"), (b"user-agent", USER_AGENT.encode())]
        if body:
            headers += [(b"content-type", FORM.encode()), (b"content-length", str(len(body)).encode())]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._writing.method,
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "root_path": "",
            "query_string": self._writing.in_url(pairs).encode(),
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": dict(self._lifespan.state),
        }


class AsyncPairsTransport:
    """Awaits ``handle(pairs)`` on that same loop."""

    def __init__(self, handle: Callable[[Pairs], Coroutine[Any, Any, str]], writing: Writing = GET) -> None:
        self._handle = handle
        self._writing = writing

    def send(self, pairs: Pairs, *, timeout: float) -> Answer:
        """Await the application."""
        return on_loop(self._handle(self._writing.received(pairs)), timeout)

    def close(self) -> None:
        """Nothing is held."""


def with_status(status: int, body: str) -> Answer:
    """Return the answer of an HTTP exchange; [?] only 200 is taken for one."""
    if status == OK:
        return Answer(body)
    return Answer(body, Fault("status", f"the server answered with HTTP status {status}"))


def on_loop(coroutine: Coroutine[Any, Any, str], timeout: float) -> Answer:
    """Run ``coroutine`` on the loop of the ASGI thread for at most ``timeout`` seconds."""
    future = asyncio.run_coroutine_threadsafe(coroutine, _loop())
    answer = outcome(future, timeout)
    future.cancel()
    return answer


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Start the one loop for ASGI applications of this process.

    One long-lived loop, because clients that an application keeps are bound to the loop they were
    first used on.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=_run, args=(loop,), name="yemot-asgi", daemon=True).start()
    atexit.register(loop.call_soon_threadsafe, loop.stop)
    return loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()
