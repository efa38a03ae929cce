from __future__ import annotations

import asyncio
import io
from collections.abc import MutableMapping
from typing import Any

import pytest

from yemot_ai import web

Pairs = list[tuple[str, str]]
HEBREW = "ai_1=%D7%A9%D7%9C%D7%95%D7%9D&ai_2="


def echo(pairs: Pairs) -> str:
    return repr(pairs)


async def aecho(pairs: Pairs) -> str:
    return repr(pairs)


def wsgi_call(
    method: str, query: str = "", body: bytes = b"", **environ: str
) -> tuple[str, dict[str, str], bytes]:
    seen: list[tuple[str, list[tuple[str, str]]]] = []
    sent = {
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    answer = b"".join(web.wsgi(echo)(sent, lambda status, headers: seen.append((status, headers))))
    return seen[0][0], dict(seen[0][1]), answer


def asgi_call(method: str, query: bytes = b"", *bodies: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    inbox = [
        {"type": "http.request", "body": body, "more_body": index + 1 < len(bodies)}
        for index, body in enumerate(bodies or (b"",))
    ]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return inbox.pop(0) if inbox else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "query_string": query}
    asyncio.run(web.asgi(aecho)(scope, receive, send))
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
    assert wsgi_call(method)[:2] == ("405 Method Not Allowed", {"Allow": "GET, HEAD, POST"})
    assert asgi_call(method)[:2] == (405, {b"allow": b"GET, HEAD, POST"})


def test_head_has_no_body() -> None:
    assert wsgi_call("HEAD", "a=1")[2] == b""
    assert asgi_call("HEAD", b"a=1")[2] == b""


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert "a" in wsgi_call("POST", "a=%FF", b"b=\xff")[2].decode()
    assert "a" in asgi_call("POST", b"a=\xff", b"b=\xff")[2].decode()


def test_a_body_is_read_up_to_its_limit() -> None:
    answer = asgi_call("POST", b"", b"a=" + b"x" * web.MAX_BODY, b"y" * 10)[2]

    assert len(answer) < web.MAX_BODY + 20
    assert b"y" not in answer


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
    async def nothing(*_: object) -> Any:  # noqa: ANN401 - never called
        raise AssertionError

    with pytest.raises(ValueError, match="websocket"):
        asyncio.run(web.asgi(aecho)({"type": "websocket"}, nothing, nothing))


@pytest.mark.parametrize(("length", "warned"), [(3000, False), (3600, True)], ids=["short", "long"])
def test_a_query_that_comes_near_the_limit_of_a_url_is_warned_of(
    caplog: pytest.LogCaptureFixture, length: int, *, warned: bool
) -> None:
    asgi_call("GET", b"a=" + b"x" * length)

    assert ("api_url_post=yes" in caplog.text) is warned
