"""One request and its response; slow senders: ``tests/attacks/test_downloads.py``."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from yemot_ai.errors import ProviderCrashError, ProviderError
from yemot_ai.platform_api.transport import HTTPRequest, HTTPResponse, send

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: Audio/WAV; x=y\r\n"
Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve) -> Iterator[str]:
    """Yield the URL of a server that answers one connection with ``serve``."""

    def accept() -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):  # the client may hang up first
            client.recv(65_536)
            serve(client)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/a?b=c"
        thread.join()


def fetch(url: str) -> HTTPResponse:
    return send(HTTPRequest(url, {"authorization": "x"}), timeout=10, max_bytes=1_000, service="test")


def sends(*parts: bytes) -> Serve:
    return lambda client: client.sendall(b"".join(parts))


@pytest.mark.parametrize(
    "answer",
    [
        sends(HEAD, b"content-length: 3\r\n\r\n", b"abc"),
        sends(HEAD, b"connection: close\r\n\r\n", b"abc"),
        sends(HEAD, b"transfer-encoding: chunked\r\n\r\n", b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
    ],
    ids=["length", "end of the connection", "chunks"],
)
def test_a_body_is_read_whole(answer: Serve) -> None:
    with server(answer) as url:
        response = fetch(url)
    assert (response.status, response.media_type, response.body) == (200, "audio/wav", b"abc")


@pytest.mark.parametrize(
    ("kind", "body"), [(b"application/json; charset=utf-8", b"{}"), (b"text/html", b"")], ids=["JSON", "page"]
)
def test_the_body_of_an_error_is_read_if_it_is_json(kind: bytes, body: bytes) -> None:
    head = b"HTTP/1.1 404 No\r\ncontent-length: 2\r\ncontent-type: " + kind
    with server(sends(head, b"\r\n\r\n{}")) as url:
        assert fetch(url).body == body


@pytest.mark.parametrize(
    "answer",
    [
        sends(HEAD, b"content-length: 5\r\n\r\n", b"abc"),
        sends(HEAD, b"transfer-encoding: chunked\r\n\r\n", b"5\r\nab"),
        sends(b"HTTP/1."),
        sends(b"no HTTP\r\n\r\n"),
        sends(),
    ],
    ids=["length", "chunks", "head", "no HTTP", "nothing"],
)
def test_an_answer_that_is_cut_is_a_lost_connection(answer: Serve) -> None:
    with server(answer) as url, pytest.raises(ProviderCrashError):
        fetch(url)


@pytest.mark.parametrize(
    "answer",
    [
        sends(HEAD, b"content-length: 1001\r\n\r\n"),
        sends(HEAD, b"content-length: 99999999999999\r\n\r\nabc"),
        sends(HEAD, b"connection: close\r\n\r\n", b"a" * 1_001),
        sends(HEAD, b"transfer-encoding: chunked\r\n\r\n", b"3e9\r\n" + b"a" * 1_001 + b"\r\n0\r\n\r\n"),
    ],
    ids=["announced", "announced without end", "no length", "chunks"],
)
def test_an_answer_that_is_too_large_is_refused(answer: Serve) -> None:
    with server(answer) as url, pytest.raises(ProviderError, match="larger than 1000 bytes"):
        fetch(url)


def test_the_headers_of_a_request_are_not_shown() -> None:
    assert "word" not in repr(HTTPRequest("http://host/", {"authorization": "word"}, "POST", b"word"))
