from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import flask
import pytest

from yemot_ai_testing.errors import AppError, LineError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.transports.http import CHUNK_BYTES, MAX_BODY_BYTES
from yemot_ai_testing.line.transports.http_exchange import HTTPRequest
from yemot_ai_testing.line.transports.transport import STRICT_HTTP, Method
from yemot_ai_testing.line.transports.wsgi_asgi import ASGITransport

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]

ASK = "read=t-מה=q,no,voice"
ROOT = HTTPRequest("GET", "http://127.0.0.1/")


class ReceivedRequest:
    """One request as the web server received it."""

    def __init__(self) -> None:
        self.method = self.path = self.body = self.agent = ""


@contextmanager
def server(
    received: ReceivedRequest,
    *,
    status: int = 200,
    body: bytes = ASK.encode(),
    content_length: int | None = None,
) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.method, received.path = self.command, self.path
            received.agent = self.headers["User-Agent"]
            length = int(self.headers.get("Content-Length") or 0)
            received.body = self.rfile.read(length).decode()
            self.send_response(status)
            if content_length is not None:
                self.send_header("Content-Length", str(content_length))
            self.end_headers()
            with suppress(ConnectionError):  # the client may close early
                self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that BaseHTTPRequestHandler expects

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}/yemot"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def test_a_server_is_called_with_a_query_string_as_the_platform_does() -> None:
    received = ReceivedRequest()
    with server(received) as url:
        Caller(url, "0501111111").dial()
    assert received.method == "GET"
    assert received.path.startswith("/yemot?ApiCallId=")
    assert "&ApiPhone=0501111111&" in received.path
    assert received.agent == "yemot-core-api/1.0"


def test_with_post_the_values_are_a_form_body() -> None:
    received = ReceivedRequest()
    with server(received) as url:
        Caller(f"{url}?secret=x", method="POST").dial()
    assert (received.method, received.path) == ("POST", "/yemot?secret=x")
    assert received.body.startswith("ApiCallId=")


def test_with_get_a_query_in_the_link_gets_a_second_question_mark() -> None:
    received = ReceivedRequest()
    with server(received) as url:
        Caller(f"{url}?secret=x").dial()
    assert received.path.startswith("/yemot?secret=x?ApiCallId=")


def test_hebrew_arrives_percent_encoded_and_a_space_is_no_plus() -> None:
    received = ReceivedRequest()
    with server(received) as url:
        caller = Caller(url)
        caller.dial()
        caller.says("מה נשמע")
    assert received.path.endswith("q=%D7%9E%D7%94%20%D7%A0%D7%A9%D7%9E%D7%A2")


def test_any_status_but_200_is_a_fault() -> None:
    with server(ReceivedRequest(), status=500) as url:
        caller = Caller(url, strict=False)
        caller.dial()
    assert caller.problems[0].code == "status"


def test_a_body_that_is_not_utf8_is_a_fault() -> None:
    with server(ReceivedRequest(), body="read=t-שלום=q,no,voice".encode("windows-1255")) as url:
        caller = Caller(url, strict=False)
        caller.dial()
    assert caller.problems[0].code == "encoding"


def test_an_endless_body_is_a_fault() -> None:
    with server(ReceivedRequest(), body=b"x" * (MAX_BODY_BYTES + CHUNK_BYTES)) as url:
        caller = Caller(url, strict=False)
        caller.dial()
    assert caller.problems[0].code == "unreachable"
    assert "is longer than" in caller.problems[0].message


def test_an_incomplete_body_is_a_fault() -> None:
    with server(ReceivedRequest(), content_length=len(ASK.encode()) + 9) as url:
        caller = Caller(url, strict=False)
        caller.dial()
    assert caller.problems[0].code == "unreachable"
    assert "no whole answer came" in caller.problems[0].message


def test_an_unreachable_server_is_a_fault() -> None:
    with server(ReceivedRequest()) as url:
        pass
    caller = Caller(url, strict=False)
    caller.dial()
    assert caller.problems[0].code == "unreachable"


def test_a_server_that_is_not_local_needs_remote() -> None:
    with pytest.raises(AppError, match="remote=True"):
        Caller("https://example.com/yemot")


def test_a_flask_application_is_called_in_process() -> None:
    app = flask.Flask(__name__)

    @app.route("/", methods=["GET", "POST"])
    def yemot() -> str:
        return f"read=t-{flask.request.values['ApiPhone']}=q,no,voice"

    assert Caller(app, "0501").dial() == "0501"
    assert Caller(app, "0502", method="POST").dial() == "0502"


async def asgi_app(scope: Scope, receive: Receive, send: Send) -> None:
    body = (await receive())["body"] or scope["query_string"]
    phone = next(part for part in body.decode().split("&") if part.startswith("ApiPhone=")).partition("=")[2]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"read=t-{phone}=q,no,voice".encode()})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_asgi_application_is_called_in_process(method: Method) -> None:
    assert Caller(asgi_app, "0503", method=method).dial() == "0503"


class LifespanApp:
    """An ASGI application with lifespan support."""

    def __init__(self, *, fails: str = "") -> None:
        self.events: list[str] = []
        self._fails = fails

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            body = f"read=t-{scope['state']['word']}=q,no,voice".encode()
            await send({"type": "http.response.body", "body": body})

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.events.append((await receive())["type"])
        if self._fails:
            await send({"type": "lifespan.startup.failed", "message": self._fails})
            return
        scope["state"]["word"] = "שלום"
        await send({"type": "lifespan.startup.complete"})
        self.events.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})


def test_an_asgi_application_gets_the_lifespan_events() -> None:
    app = LifespanApp()
    with Caller(app) as caller:
        assert caller.dial() == "שלום"
        assert app.events == ["lifespan.startup"]
    assert app.events == ["lifespan.startup", "lifespan.shutdown"]


def test_an_asgi_application_whose_startup_fails_raises() -> None:
    caller = Caller(LifespanApp(fails="no database"))
    with pytest.raises(LineError, match=r"could not start: no database"):
        caller.dial()


def test_every_first_request_waits_for_the_startup() -> None:
    app = LifespanApp()
    transport = ASGITransport(app)

    async def requests() -> list[str]:
        first, second = await asyncio.gather(
            transport._call(ROOT, STRICT_HTTP), transport._call(ROOT, STRICT_HTTP)
        )
        return [first.body, second.body]

    assert asyncio.run(requests()) == ["read=t-שלום=q,no,voice"] * 2
    assert app.events == ["lifespan.startup"]


async def _silent_asgi(scope: Scope, receive: Receive, send: Send) -> None:
    """Return without a response."""


@pytest.mark.parametrize("app", [lambda _environ, _start_response: [b"noop=x"], _silent_asgi])
def test_an_application_that_sends_no_status_is_a_fault(app: object) -> None:
    with pytest.raises(LineError, match="sent no status"):
        Caller(app).dial()


def test_an_async_function_of_pairs_is_called_in_process() -> None:
    async def app(pairs: Sequence[tuple[str, str]]) -> str:
        return f"read=t-{dict(pairs)['ApiPhone']}=q,no,voice"

    assert Caller(app, "0504").dial() == "0504"


def test_an_async_application_that_exits_ends_no_other_application() -> None:
    async def exits(pairs: Sequence[tuple[str, str]]) -> str:
        raise SystemExit(3)

    async def asks(pairs: Sequence[tuple[str, str]]) -> str:
        return ASK

    with pytest.raises(LineError, match="raised SystemExit"):
        Caller(exits).dial()
    assert Caller(asks).dial() == "מה"


def test_a_function_of_pairs_gets_the_query_as_a_framework_parses_it() -> None:
    seen: list[str] = []

    def app(pairs: Sequence[tuple[str, str]]) -> str:
        seen.append(dict(pairs)["secret"])
        return ASK

    Caller(app, query="secret=x", call_id="c1").dial()
    assert seen == ["x?ApiCallId=c1"]


def test_a_factory_is_refused_with_a_hint() -> None:
    with pytest.raises(AppError, match="factory"):
        Caller(lambda: None)
