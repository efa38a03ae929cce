from __future__ import annotations

import asyncio

import pytest

from yemot_ai.errors import (
    AuthenticationError,
    ConfigurationError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
)
from yemot_ai.transcription.download import EmptyRecordingError, RecordingNotReadyError, Recordings
from yemot_ai_testing.doubles.platform_server import SILENT_WAV, TOKEN, PlatformServer, wav_file


@pytest.mark.parametrize("path", ["/1/000.wav", "ivr2:/1/000.wav", "1/000.wav"])
def test_every_form_of_the_path_fetches_the_recording(platform: PlatformServer, path: str) -> None:
    assert platform.recordings().fetch(path) == SILENT_WAV
    assert platform.requests == ["/ym/api/DownloadFile?path=ivr2:/1/000.wav"]


@pytest.mark.slow
def test_a_missing_and_a_half_file_are_waited_for(platform: PlatformServer) -> None:
    platform.responses = [(404, b""), (200, SILENT_WAV[:20]), (200, SILENT_WAV)]

    assert asyncio.run(platform.recordings().download("/1/000.wav")) == SILENT_WAV
    assert len(platform.requests) == 3


@pytest.mark.parametrize(
    "answer", [(404, b""), (200, SILENT_WAV[:20]), (200, b"{}")], ids=["404", "half", "json"]
)
def test_what_is_not_a_whole_recording_is_not_ready(
    platform: PlatformServer, answer: tuple[int, bytes]
) -> None:
    platform.responses = [answer]

    with pytest.raises(RecordingNotReadyError):
        platform.recordings().fetch("/1/000.wav")


def test_a_refused_token_fails_at_once_and_is_not_shown(platform: PlatformServer) -> None:
    recordings = platform.recordings(token="another-word-here")  # noqa: S106 - not a real token

    with pytest.raises(AuthenticationError) as refused:
        asyncio.run(recordings.download("/1/000.wav"))

    assert len(platform.requests) == 1
    assert "another-word" not in f"{refused.value}{recordings!r}{platform.requests}"


def test_a_silent_platform_is_not_waited_for_longer_than_the_timeout(
    platform: PlatformServer,
) -> None:
    platform.hold()

    with pytest.raises(ProviderTimeoutError):
        platform.recordings(timeout=0.1).fetch("/1/000.wav")


def test_a_recording_that_is_too_large_is_refused(platform: PlatformServer) -> None:
    with pytest.raises(ProviderError, match="larger than 10 bytes"):
        platform.recordings(max_bytes=10).fetch("/1/000.wav")


@pytest.mark.parametrize("sound", [b"", b"no chunk of sound"], ids=["no sound", "no chunk"])
def test_a_recording_without_sound_fails_at_once(platform: PlatformServer, sound: bytes) -> None:
    platform.responses = [(200, wav_file(b"") if not sound else SILENT_WAV.replace(b"data", b"fact"))]

    with pytest.raises(EmptyRecordingError):
        asyncio.run(platform.recordings().download("/1/000.wav"))
    assert len(platform.requests) == 1


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/1/../2.wav",
        "/1/./2.wav",
        "//1/2.wav",
        "a\r\nb.wav",
        "/1\\2.wav",
        "/ext.ini",
        "http://a/b.wav",
    ],
)
def test_an_invalid_path_is_never_requested(platform: PlatformServer, path: str) -> None:
    with pytest.raises(ProviderError, match="not the path"):
        platform.recordings().fetch(path)
    assert not platform.requests


def test_a_platform_that_is_not_there_is_a_lost_connection(platform: PlatformServer) -> None:
    with pytest.raises(ProviderCrashError):
        Recordings(TOKEN, "http://127.0.0.1:1/").fetch("/1/000.wav")


def test_the_token_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YEMOT_TOKEN", TOKEN)
    assert Recordings().token == TOKEN

    monkeypatch.delenv("YEMOT_TOKEN")
    with pytest.raises(ConfigurationError, match="YEMOT_TOKEN"):
        Recordings()


@pytest.mark.parametrize(
    "url", ["file:///etc/hosts", "http://line:99999/", "http://line:port/", "http://line:0/", "http://[::1/"]
)
def test_an_invalid_url_is_refused_at_setup(url: str) -> None:
    with pytest.raises(ConfigurationError, match="http or https"):
        Recordings(TOKEN, url)
