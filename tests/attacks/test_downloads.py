"""Attacks on the download of recordings: a platform that sends too slowly, or without an end."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterable, Iterator

import pytest

from tests.support.slowness import allowance
from yemot_ai.errors import ProviderError, ProviderTimeoutError
from yemot_ai.transcription import Recordings

HEAD = b"HTTP/1.1 200 OK\r\n"
TIMEOUT = 0.6

SLOW: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "status line": (b"HTTP/1.1 200 O", b"K"),
    "headers": (HEAD, b"X-1: a\r\n"),
    "one header": (HEAD + b"X: ", b"a"),
    "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (HEAD + b"Content-Length: 100000\r\n\r\nRIFF", b"a"),
    "body without a length": (HEAD + b"\r\nRIFF", b"a"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "size of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "body of an error": (b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n", b"a"),
}


@contextlib.contextmanager
def platform(first: bytes, more: Iterable[bytes], *, pause: float = 0.05) -> Iterator[str]:
    """Serve one connection: send ``first``, then the others one by one; yield the address."""
    stop = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as connection:
            connection.sendall(first)
            for piece in more:
                if stop.wait(pause):
                    return
                connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize("name", sorted(SLOW.keys() - {"body of an error"}))
def test_the_deadline_is_one_for_the_whole_download(name: str) -> None:
    first, more = SLOW[name]
    with platform(first, itertools.repeat(more)) as address:
        recordings = Recordings(token="t", url=f"http://{address}/x", timeout=TIMEOUT)  # noqa: S106 - it is none
        threads, start = threading.active_count(), time.monotonic()
        with pytest.raises(ProviderTimeoutError):
            recordings.fetch("/1/000.wav")

        assert time.monotonic() - start < TIMEOUT + 0.7 * allowance()
        assert threading.active_count() <= threads


def test_the_body_of_an_error_is_not_waited_for() -> None:
    first, more = SLOW["body of an error"]
    with platform(first, itertools.repeat(more)) as address:
        start = time.monotonic()
        with pytest.raises(ProviderError):
            Recordings(token="t", url=f"http://{address}/x", timeout=60).fetch("/1/000.wav")  # noqa: S106 - it is none

        assert time.monotonic() - start < TIMEOUT * allowance()


@pytest.mark.parametrize("first", [b"", b"\x16\x03\x03\x40\x00"], ids=["nothing", "a record without an end"])
def test_the_deadline_holds_for_the_handshake(first: bytes) -> None:
    with platform(first, itertools.repeat(b"a")) as address:
        recordings = Recordings(token="t", url=f"https://{address}/x", timeout=TIMEOUT)  # noqa: S106 - it is none
        start = time.monotonic()
        with pytest.raises(ProviderError):
            recordings.fetch("/1/000.wav")

        assert time.monotonic() - start < TIMEOUT + 0.7 * allowance()


@pytest.mark.parametrize("framing", [b"\r\n", b"Content-Length: 9000000000\r\n\r\n"], ids=["open", "length"])
def test_the_size_of_a_recording_is_bounded(framing: bytes) -> None:
    with platform(HEAD + framing, itertools.repeat(b"a" * 65_536), pause=0) as address:
        recordings = Recordings(token="t", url=f"http://{address}/x", max_bytes=1_000_000)  # noqa: S106 - it is none
        with pytest.raises(ProviderError, match="larger than 1000000"):
            recordings.fetch("/1/000.wav")


def test_a_redirect_is_not_followed() -> None:
    with (
        platform(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", []
        ) as address,
        pytest.raises(ProviderError, match="302"),
    ):
        Recordings(token="t", url=f"http://{address}/x").fetch("/1/000.wav")  # noqa: S106 - it is none
