from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from yemot_ai.errors import (
    AuthenticationError,
    ConfigurationError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
)
from yemot_ai.recordings import RecordingNotReadyError, Recordings

TOKEN = "word-of-the-test"  # noqa: S105 - nobody's
WAV = b"RIFF" + (36).to_bytes(4, "little") + b"WAVE" + bytes(32)


class Platform(ThreadingHTTPServer):
    """Plays DownloadFile: each request gets the next answer; the last one stays."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Download)
        self.answers: list[tuple[int, bytes]] = [(200, WAV)]
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def recordings(self, *, token: str = TOKEN, timeout: float = 10.0, max_bytes: int = 1000) -> Recordings:
        url = f"http://127.0.0.1:{self.server_address[1]}/ym/api/DownloadFile"
        return Recordings(token, url, timeout=timeout, patience=5.0, max_bytes=max_bytes)


class Download(BaseHTTPRequestHandler):
    server: Platform

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.gate.wait(10)
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        if self.headers["authorization"] != TOKEN:
            status, body = 401, b""
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.gate.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/1/000.wav", "ivr2:/1/000.wav", "1/000.wav"])
def test_every_form_of_the_path_fetches_the_recording(platform: Platform, path: str) -> None:
    assert platform.recordings().fetch(path) == WAV
    assert platform.asked == ["/ym/api/DownloadFile?path=ivr2:/1/000.wav"]


def test_a_missing_and_a_half_file_are_waited_for(platform: Platform) -> None:
    platform.answers = [(404, b""), (200, WAV[:20]), (200, WAV)]

    assert asyncio.run(platform.recordings().download("/1/000.wav")) == WAV
    assert len(platform.asked) == 3


@pytest.mark.parametrize("answer", [(404, b""), (200, WAV[:20]), (200, b"{}")], ids=["404", "half", "json"])
def test_what_is_not_a_whole_recording_is_not_ready(platform: Platform, answer: tuple[int, bytes]) -> None:
    platform.answers = [answer]

    with pytest.raises(RecordingNotReadyError):
        platform.recordings().fetch("/1/000.wav")


def test_a_refused_token_is_told_at_once_and_not_shown(platform: Platform) -> None:
    recordings = platform.recordings(token="another-word-here")  # noqa: S106 - nobody's

    with pytest.raises(AuthenticationError) as refused:
        asyncio.run(recordings.download("/1/000.wav"))

    assert len(platform.asked) == 1
    assert "another-word" not in f"{refused.value}{recordings!r}{platform.asked}"


def test_a_platform_that_says_nothing_is_not_waited_for_longer_than_the_timeout(platform: Platform) -> None:
    platform.gate.clear()

    with pytest.raises(ProviderTimeoutError):
        platform.recordings(timeout=0.1).fetch("/1/000.wav")


def test_a_recording_that_is_too_large_is_refused(platform: Platform) -> None:
    with pytest.raises(ProviderError, match="larger than 10 bytes"):
        platform.recordings(max_bytes=10).fetch("/1/000.wav")


@pytest.mark.parametrize("path", ["", "/", "/1/../2.wav", "a\r\nb.wav"])
def test_what_is_no_path_is_never_asked_for(platform: Platform, path: str) -> None:
    with pytest.raises(ProviderError, match="no path"):
        platform.recordings().fetch(path)
    assert not platform.asked


def test_a_platform_that_is_not_there_is_a_lost_connection(platform: Platform) -> None:
    with pytest.raises(ProviderCrashError):
        Recordings(TOKEN, "http://127.0.0.1:1/").fetch("/1/000.wav")


def test_the_token_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YEMOT_TOKEN", TOKEN)
    assert Recordings().token == TOKEN

    monkeypatch.delenv("YEMOT_TOKEN")
    with pytest.raises(ConfigurationError, match="YEMOT_TOKEN"):
        Recordings()


def test_only_http_addresses_are_asked() -> None:
    with pytest.raises(ConfigurationError, match="http or https"):
        Recordings(TOKEN, "file:///etc/hosts")
