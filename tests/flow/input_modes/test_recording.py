from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, CallSummary, Limits, YemotAI
from yemot_ai.errors import ConfigurationError, MissingKeyError, OverloadedError
from yemot_ai.flow import RecordingInput
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.platform_server import SILENT_WAV, PlatformServer, wav_file
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

LISTEN = "no,record,,,no,,,,60"
BEEP = " M1012 הקליטו לאחר הצליל"


@dataclass
class ScriptedTranscriber:
    """Returns or raises ``results`` in order, each after ``seconds``."""

    results: deque[str | Exception] = field(default_factory=deque)
    seconds: float = 0.0
    audio: list[bytes] = field(default_factory=list)
    cancelled: int = 0

    async def transcribe(self, audio: bytes) -> str:
        self.audio.append(audio)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        result = self.results.popleft()
        if isinstance(result, Exception):
            raise result
        return result


@pytest.fixture
def transcriber() -> ScriptedTranscriber:
    return ScriptedTranscriber()


@pytest.fixture
def ai(provider: ScriptedProvider, platform: PlatformServer, transcriber: ScriptedTranscriber) -> YemotAI:
    return YemotAI(provider=provider, transcriber=transcriber, recordings=platform.recordings())


@pytest.fixture
def caller(ai: YemotAI) -> Caller:
    return Caller(recording_agent(ai), extension="")


def recording_agent(ai: YemotAI) -> AIFlow:
    flow = AIFlow(ai)

    @flow.ai_agent("", greeting="במה אפשר לעזור?", listen="record")
    def agent(call: AICall, text: str) -> None:
        """Let the AI answer."""

    return flow


def spoken_before_listening(result: str) -> str:
    """Return what was spoken before the line asked for the next recording."""
    return result.removesuffix(BEEP)


def prompts(provider: ScriptedProvider) -> list[str]:
    return [request.prompt for request in provider.requests]


def test_a_recording_is_answered_and_the_line_records_again(
    caller: Caller, provider: ScriptedProvider, transcriber: ScriptedTranscriber, platform: PlatformServer
) -> None:
    transcriber.results.extend(["מתי פתוח", " ומחר? "])
    provider.answers("בשמונה").answers("בתשע")

    assert spoken_before_listening(caller.dial()) == "במה אפשר לעזור?"
    assert caller.raw == f"read=t-במה אפשר לעזור?=ai_1,{LISTEN}"
    assert spoken_before_listening(caller.records()) == "בשמונה"
    assert spoken_before_listening(caller.records()) == "בתשע"
    assert prompts(provider) == ["מתי פתוח", "ומחר?"]
    assert transcriber.audio == [SILENT_WAV, SILENT_WAV]
    assert [path.rpartition("=")[2] for path in platform.requests] == ["ivr2:/000.wav", "ivr2:/001.wav"]


def test_a_repeated_recording_is_downloaded_transcribed_and_answered_once(
    caller: Caller, provider: ScriptedProvider, transcriber: ScriptedTranscriber, platform: PlatformServer
) -> None:
    transcriber.results.append("מתי")
    provider.answers("בשמונה")
    caller.dial()

    assert spoken_before_listening(caller.records()) == spoken_before_listening(caller.repeats()) == "בשמונה"
    assert len(platform.requests) == len(transcriber.audio) == len(prompts(provider)) == 1


def test_a_slow_transcription_and_a_slow_answer_are_polled_for(
    caller: Caller, provider: ScriptedProvider, transcriber: ScriptedTranscriber
) -> None:
    transcriber.results.append("מתי")
    transcriber.seconds = 4
    provider.answers("בשמונה", after=4)
    caller.dial()

    result = spoken_before_listening(caller.records())

    assert result.endswith("בשמונה")
    assert 2 <= result.count("רק רגע") <= 4
    assert len(transcriber.audio) == len(prompts(provider)) == 1


def test_a_transcribed_exit_word_leaves(caller: Caller, transcriber: ScriptedTranscriber) -> None:
    transcriber.results.append("להתראות.")
    caller.dial()

    assert spoken_before_listening(caller.records()) == "להתראות"
    assert caller.ended


def test_an_empty_transcript_is_silence_and_three_silences_leave(
    caller: Caller, transcriber: ScriptedTranscriber, platform: PlatformServer
) -> None:
    transcriber.results.extend(["", " "])
    caller.dial()

    assert spoken_before_listening(caller.records()) == "לא שמעתי, אפשר לחזור?"
    assert spoken_before_listening(caller.records()) == "לא שמעתי, אפשר לחזור?"
    platform.responses = [(200, wav_file(b""))]
    assert spoken_before_listening(caller.records()) == "לא שמעתי אותך, להתראות"
    assert caller.ended
    assert len(transcriber.audio) == 2


def test_an_empty_value_is_silence_and_nothing_is_downloaded(ai: YemotAI, platform: PlatformServer) -> None:
    line = Line(recording_agent(ai))
    line.enter("")

    assert line.send(("ai_1", "")).startswith("read=t-לא שמעתי, אפשר לחזור?=ai_2,no,record")
    assert not platform.requests


def test_a_recording_sent_with_the_hang_up_is_not_downloaded(ai: YemotAI, platform: PlatformServer) -> None:
    line = Line(recording_agent(ai))
    line.enter("")
    line.values.append(("ai_1", "/000.wav"))

    assert line.hang_up() == "noop=ended"
    assert not platform.requests


def test_the_maximum_length_of_a_recording_is_configurable(ai: YemotAI) -> None:
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום", listen=RecordingInput(max_seconds=None))(lambda _call, _text: None)

    assert Line(flow).enter("") == "read=t-שלום=ai_1,no,record,,,no"


@pytest.mark.parametrize("error", [OverloadedError("busy"), ValueError("words of a caller")], ids=repr)
def test_after_a_failed_transcription_the_agent_apologizes_and_listens(
    caller: Caller,
    provider: ScriptedProvider,
    transcriber: ScriptedTranscriber,
    error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    transcriber.results.extend([error, "מתי"])
    provider.answers("בשמונה")
    caller.dial()

    assert spoken_before_listening(caller.records()) == "סליחה, לא הצלחתי לענות, אפשר לנסות שוב"
    assert spoken_before_listening(caller.records()) == "בשמונה"
    assert "the recording was not transcribed" in caplog.text
    assert "words of a caller" not in caplog.text


def test_a_failed_download_is_an_apology_without_a_path_in_the_log(
    caller: Caller,
    transcriber: ScriptedTranscriber,
    platform: PlatformServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    platform.responses = [(403, b"")]
    caller.dial()

    assert spoken_before_listening(caller.records()) == "סליחה, לא הצלחתי לענות, אפשר לנסות שוב"
    assert not transcriber.audio
    assert "refused the token" in caplog.text
    assert "000.wav" not in caplog.text
    assert "Traceback" not in caplog.text


def test_an_invalid_path_is_not_downloaded(
    ai: YemotAI, transcriber: ScriptedTranscriber, platform: PlatformServer
) -> None:
    line = Line(recording_agent(ai))
    line.enter("")

    assert line.send(("ai_1", "/../ivr.ini")).startswith("read=t-סליחה, לא הצלחתי לענות")
    assert not platform.requests
    assert not transcriber.audio


def test_nine_leaves_during_a_transcription_and_cancels_it(
    caller: Caller, transcriber: ScriptedTranscriber, ai: YemotAI
) -> None:
    transcriber.seconds = 50
    caller.dial()
    caller.interrupts("9", after=3)

    assert caller.records().endswith("להתראות")
    ai.end("none")  # runs on the engine, after the cancellation
    assert transcriber.cancelled == 1


def test_a_hang_up_cancels_the_transcription(caller: Caller, transcriber: ScriptedTranscriber) -> None:
    transcriber.seconds = 50
    caller.dial()
    caller.interrupts(after=3)
    caller.records()

    assert caller.ended
    assert transcriber.cancelled == 1


@pytest.mark.parametrize("limits", [Limits(turns=1), Limits(turns_per_day=1)], ids=["call", "day"])
def test_a_call_over_its_limit_costs_no_transcription(
    provider: ScriptedProvider, platform: PlatformServer, transcriber: ScriptedTranscriber, limits: Limits
) -> None:
    ai = YemotAI(provider=provider, transcriber=transcriber, recordings=platform.recordings(), limits=limits)
    caller = Caller(recording_agent(ai), extension="")
    transcriber.results.append("מתי")
    provider.answers("בשמונה")
    caller.dial()

    assert spoken_before_listening(caller.records()) == "בשמונה"
    assert spoken_before_listening(caller.records()) == "הגענו לסוף הזמן שלנו, תודה ולהתראות"
    assert len(platform.requests) == len(transcriber.audio) == 1


def test_the_hooks_get_the_utterances_and_not_the_transcriptions(
    caller: Caller, provider: ScriptedProvider, transcriber: ScriptedTranscriber, ai: YemotAI
) -> None:
    hook_texts: list[str] = []

    @ai.on_turn
    def turn(_call_id: str, turn: object) -> None:
        hook_texts.append(turn.text)  # type: ignore[attr-defined]  # a Turn

    @ai.on_call_end
    def end(transcript: CallSummary, _usage: object) -> None:
        hook_texts.append(str(transcript))

    transcriber.results.extend(["מתי", ""])
    provider.answers("בשמונה")
    caller.dial()
    caller.records()
    caller.records()
    caller.hangs_up()

    assert hook_texts == ["מתי", "> מתי\nבשמונה"]


def test_the_function_of_an_agent_gets_the_transcript(
    provider: ScriptedProvider, ai: YemotAI, transcriber: ScriptedTranscriber
) -> None:
    flow = AIFlow(ai)

    @flow.ai_agent("", greeting="דברו", listen="record")
    def agent(call: AICall, text: str) -> str:
        return f"אמרת {text}"

    caller = Caller(flow, extension="")
    transcriber.results.append("מתי")
    caller.dial()

    assert spoken_before_listening(caller.records()) == "אמרת מתי"


def test_a_missing_key_or_token_is_an_error_when_the_agent_is_registered(
    provider: ScriptedProvider,
    transcriber: ScriptedTranscriber,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("YEMOT_TOKEN", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY") as caught:
        AIFlow(YemotAI(provider=provider)).ai_agent("5", listen="record")
    assert "transcriber=" in caught.value.__notes__[0]

    with_transcriber = AIFlow(YemotAI(provider=provider, transcriber=transcriber))
    with pytest.raises(ConfigurationError, match="YEMOT_TOKEN"):
        with_transcriber.ai_agent("5", listen="record")


def test_an_object_without_transcribe_is_refused(provider: ScriptedProvider) -> None:
    with pytest.raises(ConfigurationError, match="not a transcriber"):
        YemotAI(provider=provider, transcriber=object())  # type: ignore[arg-type]  # wrong on purpose


def test_a_transcriber_that_returns_no_text_is_logged(
    caller: Caller, transcriber: ScriptedTranscriber, caplog: pytest.LogCaptureFixture
) -> None:
    transcriber.results.append(None)  # type: ignore[arg-type]  # wrong on purpose
    caller.dial()

    assert caller.records().startswith("סליחה, לא הצלחתי לענות")
    assert "ScriptedTranscriber returned NoneType instead of a text" in caplog.text
