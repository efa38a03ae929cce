from __future__ import annotations

import asyncio
import io
from collections.abc import MutableMapping
from typing import Any

import pytest

from yemot_ai import web
from yemot_ai.errors import ConfigurationError

Pairs = list[tuple[str, str]]
HEBREW = "ai_1=%D7%A9%D7%9C%D7%95%D7%9D&ai_2="


def echo(pairs: Pairs) -> str:
    return repr(pairs)


async def aecho(pairs: Pairs) -> str:
    return repr(pairs)


def wsgi_call(
    method: str,
    query: str = "",
    body: bytes = b"",
    *,
    limits: web.RequestLimits | None = None,
    **environ: object,
) -> tuple[str, dict[str, str], bytes]:
    seen: list[tuple[str, list[tuple[str, str]]]] = []
    sent = {
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    answer = b"".join(
        web.wsgi(echo, limits=limits)(sent, lambda status, headers: seen.append((status, headers)))
    )
    return seen[0][0], dict(seen[0][1]), answer


def asgi_call(
    method: str,
    query: bytes = b"",
    *bodies: bytes,
    limits: web.RequestLimits | None = None,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> tuple[int, dict[bytes, bytes], bytes]:
    inbox = [
        {"type": "http.request", "body": body, "more_body": index + 1 < len(bodies)}
        for index, body in enumerate(bodies or (b"",))
    ]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return inbox.pop(0) if inbox else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "query_string": query, "headers": headers}
    asyncio.run(web.asgi(aecho, limits=limits)(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def test_wsgi_reads_the_query_and_keeps_blanks_order_and_repeats() -> None:
    status, headers, answer = wsgi_call("GET", f"{HEBREW}&a=1&a=2")

    assert status == "200 OK"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.decode() == "[('ai_1', 'שלום'), ('ai_2', ''), ('a', '1'), ('a', '2')]"


def test_wsgi_reads_a_form_after_the_query() -> None:
    assert wsgi_call("POST", "secret=x", HEBREW.encode())[2].decode() == (
        "[('secret', 'x'), ('ai_1', 'שלום'), ('ai_2', '')]"
    )


def test_wsgi_survives_a_content_length_that_is_no_number() -> None:
    assert wsgi_call("POST", "a=1", b"b=2", CONTENT_LENGTH="many")[2] == b"[('a', '1')]"


def test_asgi_reads_the_query_and_a_body_in_pieces() -> None:
    status, headers, answer = asgi_call("POST", b"secret=x", b"ai_1=%D7%A9", b"%D7%9C")

    assert status == 200
    assert headers[b"content-type"] == b"text/plain; charset=utf-8"
    assert answer.decode() == "[('secret', 'x'), ('ai_1', 'של')]"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_other_methods_get_the_allowed_ones(method: str) -> None:
    wsgi_status, wsgi_headers, _ = wsgi_call(method)
    asgi_status, asgi_headers, _ = asgi_call(method)

    assert (wsgi_status, wsgi_headers["Allow"]) == ("405 Method Not Allowed", "GET, HEAD, POST")
    assert (asgi_status, asgi_headers[b"allow"]) == (405, b"GET, HEAD, POST")


def test_head_has_no_body() -> None:
    assert wsgi_call("HEAD", "a=1")[2] == b""
    assert asgi_call("HEAD", b"a=1")[2] == b""


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert "a" in wsgi_call("POST", "a=%FF", b"b=\xff")[2].decode()
    assert "a" in asgi_call("POST", b"a=\xff", b"b=\xff")[2].decode()


SMALL = web.RequestLimits(fields=4, value_bytes=20, body_bytes=200, query_bytes=100)


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        (b"a=1&b=2", b"c=3&d=4", 200),
        (b"a=1&b=2", b"c=3&d=4&e=5", 413),
        (b"", b"&" * 4, 413),
        (b"", b"a=" + b"x" * 199, 413),
        (b"a=" + b"x" * 99, b"", 431),
    ],
    ids=["within", "fields", "empty fields", "body", "query"],
)
def test_what_is_above_the_limits_is_refused(query: bytes, body: bytes, status: int) -> None:
    assert asgi_call("POST", query, body, limits=SMALL)[0] == status
    assert wsgi_call("POST", query.decode(), body, limits=SMALL)[0].startswith(f"{status} ")


def test_the_rest_of_a_long_body_is_read_and_discarded() -> None:
    stream = io.BytesIO(b"a=" + b"x" * 1000)

    assert wsgi_call("POST", "", stream.getvalue(), limits=SMALL, **{"wsgi.input": stream})[0].startswith(
        "413"
    )
    assert stream.tell() == 1002
    assert asgi_call("POST", b"", *[b"x" * 100] * 5, limits=SMALL)[0] == 413


def test_a_body_that_does_not_end_gets_a_timeout() -> None:
    async def receive() -> MutableMapping[str, Any]:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    app = web.asgi(aecho, limits=web.RequestLimits(body_seconds=0.01))
    asyncio.run(app({"type": "http", "method": "POST", "query_string": b"a=1"}, receive, send))

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_large_requests_are_parsed_one_after_the_other() -> None:
    order: list[str] = []

    def screen(form: web.Form) -> str:
        order.append(f"parsed {len(form.body)}")
        return "response"

    async def request(app: web.ASGIApp, size: int) -> None:
        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": b"x" * size}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                order.append(f"answered {size}")

        await app({"type": "http", "method": "POST", "query_string": b""}, receive, send)

    async def main() -> None:
        app = web.asgi(aecho, screen=screen)
        await asyncio.gather(request(app, 70_000), request(app, 80_000), request(app, 10))

    asyncio.run(main())

    assert order.index("answered 10") < order.index("parsed 80000")


def test_half_a_body_over_wsgi_is_refused() -> None:
    assert wsgi_call("POST", "", b"a=1", CONTENT_LENGTH="30")[0] == "400 Bad Request"


def test_half_a_body_over_asgi_is_not_answered() -> None:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(web.asgi(aecho)({"type": "http", "method": "POST", "query_string": b"a=1"}, receive, send))

    assert sent == []


def test_the_lifespan_protocol_is_answered() -> None:
    inbox = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> MutableMapping[str, Any]:
        return inbox.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    asyncio.run(web.asgi(aecho)({"type": "lifespan"}, receive, send))

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_websocket_is_refused() -> None:
    sent: list[str] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    asyncio.run(web.asgi(aecho)({"type": "websocket"}, receive, send))

    assert sent == ["websocket.close"]


def test_an_upgrade_to_a_websocket_is_a_bad_request() -> None:
    assert asgi_call("GET", b"a=1", headers=((b"upgrade", b"WebSocket"),))[0] == 400
    assert wsgi_call("GET", "a=1", HTTP_UPGRADE="websocket")[0] == "400 Bad Request"


def test_a_scope_of_another_kind_is_an_error() -> None:
    async def nothing(*_: object) -> Any:  # noqa: ANN401 - never called
        raise AssertionError

    with pytest.raises(ValueError, match="webtransport"):
        asyncio.run(web.asgi(aecho)({"type": "webtransport"}, nothing, nothing))


@pytest.mark.parametrize("bound", [0, -1, float("nan"), True, "10", None])
def test_a_bound_is_a_number_above_0(bound: Any) -> None:  # noqa: ANN401 - wrong values
    with pytest.raises(ConfigurationError, match=r"RequestLimits.fields=.*: give a number above 0"):
        web.RequestLimits(fields=bound)


@pytest.mark.parametrize(("length", "warned"), [(3000, False), (3600, True)], ids=["short", "long"])
def test_a_query_that_comes_near_the_limit_of_a_url_is_warned_of(
    caplog: pytest.LogCaptureFixture, length: int, *, warned: bool
) -> None:
    asgi_call("GET", b"a=" + b"x" * length)

    assert ("api_url_post=yes" in caplog.text) is warned
