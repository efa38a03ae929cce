from __future__ import annotations

import asyncio

import pytest

from yemot_ai.errors import (
    AuthenticationError,
    ConfigurationError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
)
from yemot_ai.transcription.download import EmptyRecordingError, RecordingNotReadyError, Recordings
from yemot_ai_testing.doubles.platform_server import (
    SILENT_WAV,
    SWITCH_ID,
    TOKEN,
    PlatformServer,
    refusal,
    wav_file,
)


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


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("TOKEN_EXPIRED", "ERROR"),
        ("session is expired", "FORBIDDEN"),
        ("IllegalStateException(session token is invalid)", "EXCEPTION"),
        ("MFA_REQUIRED", "FORBIDDEN"),
        ("ip blocked", "FORBIDDEN"),
    ],
)
def test_a_refusal_in_json_with_status_200_is_final(
    platform: PlatformServer, message: str, status: str
) -> None:
    platform.responses = [refusal(message, status=status), (200, SILENT_WAV)]

    with pytest.raises(AuthenticationError, match=message.partition("(")[0]):
        asyncio.run(platform.recordings().download("/1/000.wav"))
    assert len(platform.requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer",
    [refusal("file does not exist"), refusal("NullPointerException", status="EXCEPTION"), (503, b"")],
    ids=["missing", "fault", "status 503"],
)
def test_a_missing_recording_and_a_fault_of_the_platform_are_waited_for(
    platform: PlatformServer, answer: tuple[int, bytes]
) -> None:
    platform.responses = [answer, (200, SILENT_WAV)]

    assert asyncio.run(platform.recordings().download("/1/000.wav")) == SILENT_WAV


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("file does not exist"), RecordingNotReadyError),
        (refusal("path is invalid", code=110), ProviderError),
        (refusal("System error", code=105), OverloadedError),
        ((429, b""), RateLimitedError),
        ((302, b""), ProviderError),
    ],
    ids=["missing", "path", "fault", "rate", "redirect"],
)
def test_each_refusal_is_the_error_of_its_cause(
    platform: PlatformServer, answer: tuple[int, bytes], error: type[ProviderError]
) -> None:
    platform.responses = [answer]

    with pytest.raises(ProviderError) as refused:
        platform.recordings().fetch("/1/000.wav")
    assert type(refused.value) is error


def test_a_web_page_in_place_of_a_recording_is_final(platform: PlatformServer) -> None:
    platform.responses = [(200, b"<html>"), (200, SILENT_WAV)]

    with pytest.raises(ProviderError, match="web page"):
        asyncio.run(platform.recordings().download("/1/000.wav"))
    assert len(platform.requests) == 1


def test_a_wait_that_is_longer_than_the_patience_is_not_begun(platform: PlatformServer) -> None:
    asked = []

    async def refuse(_: object, path: str) -> bytes:
        asked.append(path)
        raise RateLimitedError("too many requests", retry_after=60)

    with pytest.raises(RateLimitedError):
        asyncio.run(platform.recordings().download("/1/000.wav", in_thread=refuse))
    assert asked == ["/1/000.wav"]


def test_the_newer_gateway_gets_the_key_as_bearer_and_the_line_as_switch_id(
    platform: PlatformServer,
) -> None:
    assert platform.recordings(switch_id=SWITCH_ID).fetch("/1/000.wav") == SILENT_WAV
    assert platform.requests == ["/api/v1/switch/DownloadFile?path=ivr2:/1/000.wav"]


@pytest.mark.parametrize(
    ("token", "switch_id", "advice"),
    [("another-word-here", SWITCH_ID, "API key"), (TOKEN, "another-line", "UUID")],
    ids=["key", "line"],
)
def test_a_refusal_of_the_gateway_is_final_and_says_what_to_give(
    platform: PlatformServer, token: str, switch_id: str, advice: str
) -> None:
    with pytest.raises(AuthenticationError, match=advice):
        asyncio.run(platform.recordings(token=token, switch_id=switch_id).download("/1/000.wav"))
    assert len(platform.requests) == 1


def test_a_switch_id_selects_the_address_of_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YEMOT_TOKEN", TOKEN)
    monkeypatch.setenv("YEMOT_SWITCH_ID", SWITCH_ID)

    assert Recordings().url.startswith("https://rest.yemot.co.il/api/v1/switch/")
    assert Recordings(url="http://127.0.0.1:9/").url == "http://127.0.0.1:9/"
    assert not Recordings(token=TOKEN).switch_id


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
    "url",
    [
        "file:///etc/hosts",
        "http://line:99999/",
        "http://line:port/",
        "http://line:0/",
        "http://[::1/",
        "http://line/?token=x",
        "http://line/שלום",
        "http://line/a b\n",
    ],
)
def test_an_invalid_url_is_refused_at_setup(url: str) -> None:
    with pytest.raises(ConfigurationError, match="http or https"):
        Recordings(TOKEN, url)
