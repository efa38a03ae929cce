from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai.types.audio import Transcription, TranscriptionTextDeltaEvent, TranscriptionTextDoneEvent

from tests.support.asking import ask_provider
from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, DialogSettings, YemotAI
from yemot_ai.errors import (
    AuthenticationError,
    MalformedStreamError,
    MissingKeyError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    UnknownModelError,
)
from yemot_ai.providers import OpenAIProvider
from yemot_ai.transcription import OpenAITranscriber, Transcriber
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.model_service import transcription as transcription_api
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.platform_server import SILENT_WAV, PlatformServer, wav_file
from yemot_ai_testing.doubles.script import ScriptMismatchError
from yemot_ai_testing.doubles.sdk_mocks import OpenAIMock
from yemot_ai_testing.doubles.steps import Answer, FailureKind

EVERY_BYTE = wav_file(bytes(range(256)) + b"\r\n--\r\n\r\r\n\n" + bytes(range(255, -1, -1)))


@pytest.fixture
def openai() -> Iterator[OpenAIMock]:
    with OpenAIMock() as mock:
        yield mock
        mock.assert_complete()


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as model:
        yield model
        model.assert_complete()


def words(transcriber: OpenAITranscriber, audio: bytes = SILENT_WAV) -> str:
    """Transcribe on a separate loop, and close its connections."""

    async def ask() -> str:
        try:
            return await transcriber.transcribe(audio)
        finally:
            await transcriber.aclose()

    return asyncio.run(ask())


def test_it_is_a_transcriber() -> None:
    assert isinstance(OpenAITranscriber(api_key="test"), Transcriber)


def test_the_recording_goes_out_whole_with_the_model_and_the_language(openai: OpenAIMock) -> None:
    openai.transcribes(" מתי פתוח? ")

    assert words(OpenAITranscriber(api_key="test"), EVERY_BYTE) == "מתי פתוח?"
    (asked,) = openai.requests
    assert asked.audio == EVERY_BYTE
    assert asked.body == {"model": "gpt-transcribe", "language": "he"}


def test_the_server_records_the_same_as_the_mock(model: ModelServer) -> None:
    model.transcribes("מתי")

    transcriber = OpenAITranscriber(api_key="test", base_url=model.base_url, language=None)
    assert words(transcriber, EVERY_BYTE) == "מתי"
    (asked,) = model.requests
    assert asked.audio == EVERY_BYTE
    assert asked.body == {"model": "gpt-transcribe"}


def test_the_model_is_the_argument_s_or_the_environment_s(
    openai: OpenAIMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_TRANSCRIPTION_MODEL", "of-the-environment")
    monkeypatch.setenv("OPENAI_MODEL", "one-that-answers")
    openai.transcribes("").transcribes("")
    words(OpenAITranscriber(api_key="test"))
    words(OpenAITranscriber(api_key="test", model="of-the-argument"))

    assert [asked.body["model"] for asked in openai.requests] == ["of-the-environment", "of-the-argument"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limited", RateLimitedError),
        ("unauthorized", AuthenticationError),
        ("overloaded", OverloadedError),
        ("quota_exceeded", QuotaExceededError),
    ],
)
def test_a_refusal_is_the_error_of_its_kind_and_not_tried_again(
    openai: OpenAIMock, kind: FailureKind, error: type[ProviderError]
) -> None:
    openai.fails(kind)

    with pytest.raises(error):
        words(OpenAITranscriber(api_key="test"))
    assert len(openai.requests) == 1


def test_an_unknown_model_s_error_names_it_and_how_to_set_another(openai: OpenAIMock) -> None:
    openai.fails("unknown_model")

    with pytest.raises(UnknownModelError, match=r"'ear-1'.*OPENAI_TRANSCRIPTION_MODEL"):
        words(OpenAITranscriber(api_key="test", model="ear-1"))


@pytest.mark.slow
def test_the_deadline_is_our_own() -> None:
    # Perhaps not complete: on a busy machine the deadline may pass before the request arrives.
    with ModelServer().hangs() as silent, pytest.raises(ProviderTimeoutError):
        words(OpenAITranscriber(api_key="test", base_url=silent.base_url, timeout=0.2))


def test_a_cut_answer_is_a_lost_connection(model: ModelServer) -> None:
    model.drops()

    with pytest.raises(ProviderCrashError):
        words(OpenAITranscriber(api_key="test", base_url=model.base_url))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"message": "busy", "code": "server_error"}}, OverloadedError),
        ({"text": None}, MalformedStreamError),
        ({"words": []}, MalformedStreamError),
        ([], MalformedStreamError),
        ("<html>", MalformedStreamError),
    ],
    ids=["error", "null", "no text", "list", "page"],
)
def test_no_failure_in_a_200_is_silent(body: object, error: type[ProviderError]) -> None:
    httpx2 = pytest.importorskip("httpx2")
    sdk = pytest.importorskip("openai")
    transcriber = OpenAITranscriber(api_key="test")

    def respond(_request: object) -> object:
        if isinstance(body, str):
            return httpx2.Response(200, text=body, headers={"content-type": "text/html"})
        return httpx2.Response(200, json=body)

    async def ask() -> None:
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(respond))
        connection = transcriber._client
        connection._client = sdk.AsyncOpenAI(api_key="test", http_client=client)
        connection._loop = asyncio.get_running_loop()
        await transcriber.transcribe(SILENT_WAV)

    with pytest.raises(error):
        asyncio.run(ask())


def test_no_key_is_an_error_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        OpenAITranscriber()


def test_what_the_doubles_send_is_what_the_sdk_s_models_say() -> None:
    whole = transcription_api.response_body(Answer(("מתי",)), "1", request={})
    *deltas, done = transcription_api.stream_events(whole, ["מת", "י"])

    assert Transcription.model_validate(whole, strict=True).model_dump(exclude_none=True) == whole
    assert [TranscriptionTextDeltaEvent.model_validate(delta, strict=True).delta for delta in deltas] == [
        "מת",
        "י",
    ]
    assert TranscriptionTextDoneEvent.model_validate(done, strict=True).text == "מתי"


def test_an_answer_is_no_transcription_and_the_other_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    with pytest.raises(ScriptMismatchError, match=r"of 364 bytes"), OpenAIMock() as mock:  # noqa: PT012
        mock.answers("כן").transcribes("מתי")
        with pytest.raises(ProviderError, match="nothing is scripted"):
            words(OpenAITranscriber())
        with pytest.raises(ProviderError, match="nothing is scripted"):
            asyncio.run(ask_provider(OpenAIProvider(), "יש?"))


def test_an_unexpected_transcription_fails_the_test() -> None:
    with pytest.raises(ScriptMismatchError, match="Transcription"), OpenAIMock() as mock:
        mock.transcribes("מתי")


# -- on the line


def line_of(ai: YemotAI, *, hold: float = 2.0) -> AIFlow:
    flow = AIFlow(ai, dialog=DialogSettings(answer_wait=hold))

    @flow.ai_agent("", greeting="שלום", listen="record")
    def agent(call: AICall, text: str) -> None:
        """Let the AI answer."""

    return flow


def ai_of(model: ModelServer, platform: PlatformServer, store: str | None = None) -> YemotAI:
    return YemotAI(
        provider=OpenAIProvider(api_key="test", base_url=model.base_url),
        transcriber=OpenAITranscriber(api_key="test", base_url=model.base_url),
        recordings=platform.recordings(),
        store=store,
    )


@pytest.mark.slow
def test_a_call_is_recorded_fetched_transcribed_and_answered(
    model: ModelServer, platform: PlatformServer
) -> None:
    model.transcribes("מתי פתוח?").answers("בשמונה").fails("overloaded").transcribes("להתראות")
    platform.responses = [(404, b""), (200, SILENT_WAV[:50]), (200, SILENT_WAV)]
    ai = ai_of(model, platform)
    caller = Caller(line_of(ai, hold=60.0))  # however slow this machine is: no filler

    assert caller.dial().startswith("שלום")
    assert caller.records().startswith("בשמונה")
    assert caller.repeats().startswith("בשמונה")
    assert caller.records().startswith("סליחה, לא הצלחתי לענות")
    assert caller.records() == "להתראות"
    assert [asked.prompt for asked in model.requests] == [
        "(a recording of 364 bytes)",
        "מתי פתוח?",
        "(a recording of 364 bytes)",
        "(a recording of 364 bytes)",
    ]
    ai.close()


@pytest.mark.slow
def test_two_workers_over_one_file_hear_and_answer_once(
    model: ModelServer, platform: PlatformServer, tmp_path: Path
) -> None:
    place = f"sqlite:{tmp_path / 'calls.db'}"
    workers = [ai_of(model, platform, place) for _ in range(2)]
    line, other = (Line(line_of(ai)) for ai in workers)
    model.transcribes("מתי").answers("בשמונה").hold()
    line.enter("")

    answer = line.send(("ai_1", "/000.wav"))
    other.time, other.values, polls = line.time, list(line.values), 0
    while "רק רגע" in answer:
        polls += 1
        answer = other.send((f"ai_1w{polls}", "Ok"))
        model.release()

    assert polls
    assert answer.startswith("read=t-בשמונה=ai_2")
    assert len(platform.requests) == 1
    assert [asked.prompt for asked in model.requests] == ["(a recording of 364 bytes)", "מתי"]
    for ai in workers:
        ai.close()


def test_a_hang_up_closes_the_connection(model: ModelServer, platform: PlatformServer) -> None:
    model.hangs()
    ai = ai_of(model, platform)
    caller = Caller(line_of(ai))
    caller.dial()
    caller.interrupts(when=lambda: bool(model.requests))
    caller.records()

    model.wait_idle()
    assert caller.ended
    ai.close()


def test_the_key_of_the_mode_is_enough(
    openai: OpenAIMock, platform: PlatformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    openai.transcribes("מתי?").answers("בשמונה")
    ai = YemotAI("openai", openai_api_key="test", recordings=platform.recordings())
    caller = Caller(line_of(ai))
    caller.dial()

    assert caller.records().startswith("בשמונה")
    ai.close()
