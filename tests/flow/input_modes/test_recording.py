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
class Ear:
    """Hears what it is told to hear, each after some seconds; takes no words for what is not scripted."""

    words: deque[str | Exception] = field(default_factory=deque)
    seconds: float = 0.0
    heard: list[bytes] = field(default_factory=list)
    cancelled: int = 0

    async def transcribe(self, audio: bytes) -> str:
        self.heard.append(audio)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        said = self.words.popleft()
        if isinstance(said, Exception):
            raise said
        return said


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def ai(provider: ScriptedProvider, platform: PlatformServer, ear: Ear) -> YemotAI:
    return YemotAI(provider=provider, transcriber=ear, recordings=platform.recordings())


@pytest.fixture
def caller(ai: YemotAI) -> Caller:
    return Caller(recording_agent(ai), extension="")


def recording_agent(ai: YemotAI) -> AIFlow:
    flow = AIFlow(ai)

    @flow.ai_agent("", greeting="במה אפשר לעזור?", listen="record")
    def agent(call: AICall, text: str) -> None:
        """Let the AI answer."""

    return flow


def heard(said: str) -> str:
    """Return what was heard before the line asked for the next recording."""
    return said.removesuffix(BEEP)


def prompts(provider: ScriptedProvider) -> list[str]:
    return [request.prompt for request in provider.requests]


def test_what_was_recorded_is_answered_and_the_line_records_again(
    caller: Caller, provider: ScriptedProvider, ear: Ear, platform: PlatformServer
) -> None:
    ear.words.extend(["מתי פתוח", " ומחר? "])
    provider.answers("בשמונה").answers("בתשע")

    assert heard(caller.dial()) == "במה אפשר לעזור?"
    assert caller.raw == f"read=t-במה אפשר לעזור?=ai_1,{LISTEN}"
    assert heard(caller.records()) == "בשמונה"
    assert heard(caller.records()) == "בתשע"
    assert prompts(provider) == ["מתי פתוח", "ומחר?"]
    assert ear.heard == [SILENT_WAV, SILENT_WAV]
    assert [path.rpartition("=")[2] for path in platform.requests] == ["ivr2:/000.wav", "ivr2:/001.wav"]


def test_a_recording_is_fetched_heard_and_answered_once_though_the_line_repeats(
    caller: Caller, provider: ScriptedProvider, ear: Ear, platform: PlatformServer
) -> None:
    ear.words.append("מתי")
    provider.answers("בשמונה")
    caller.dial()

    assert heard(caller.records()) == heard(caller.repeats()) == "בשמונה"
    assert len(platform.requests) == len(ear.heard) == len(prompts(provider)) == 1


def test_slow_hearing_and_a_slow_answer_are_polled_for(
    caller: Caller, provider: ScriptedProvider, ear: Ear
) -> None:
    ear.words.append("מתי")
    ear.seconds = 4
    provider.answers("בשמונה", after=4)
    caller.dial()

    said = heard(caller.records())

    assert said.endswith("בשמונה")
    assert 2 <= said.count("רק רגע") <= 4
    assert len(ear.heard) == len(prompts(provider)) == 1


def test_a_farewell_that_is_heard_leaves(caller: Caller, ear: Ear) -> None:
    ear.words.append("להתראות.")
    caller.dial()

    assert heard(caller.records()) == "להתראות"
    assert caller.ended


def test_no_words_are_silence_and_three_silences_leave(
    caller: Caller, ear: Ear, platform: PlatformServer
) -> None:
    ear.words.extend(["", " "])
    caller.dial()

    assert heard(caller.records()) == "לא שמעתי, אפשר לחזור?"
    assert heard(caller.records()) == "לא שמעתי, אפשר לחזור?"
    platform.responses = [(200, wav_file(b""))]
    assert heard(caller.records()) == "לא שמעתי אותך, להתראות"
    assert caller.ended
    assert len(ear.heard) == 2


def test_an_empty_value_is_silence_and_nothing_is_fetched(ai: YemotAI, platform: PlatformServer) -> None:
    line = Line(recording_agent(ai))
    line.enter("")

    assert line.send(("ai_1", "")).startswith("read=t-לא שמעתי, אפשר לחזור?=ai_2,no,record")
    assert not platform.requests


def test_a_recording_that_comes_with_the_hang_up_is_neither_fetched_nor_heard(
    ai: YemotAI, platform: PlatformServer
) -> None:
    line = Line(recording_agent(ai))
    line.enter("")
    line.values.append(("ai_1", "/000.wav"))

    assert line.hang_up() == "noop=ended"
    assert not platform.requests


def test_how_long_a_recording_may_be_is_the_agent_s(ai: YemotAI) -> None:
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום", listen=RecordingInput(max_seconds=None))(lambda _call, _text: None)

    assert Line(flow).enter("") == "read=t-שלום=ai_1,no,record,,,no"


@pytest.mark.parametrize("error", [OverloadedError("busy"), ValueError("words of a caller")], ids=repr)
def test_who_cannot_be_heard_hears_an_apology_and_may_speak_again(
    caller: Caller,
    provider: ScriptedProvider,
    ear: Ear,
    error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ear.words.extend([error, "מתי"])
    provider.answers("בשמונה")
    caller.dial()

    assert heard(caller.records()) == "סליחה, לא הצלחתי לענות, אפשר לנסות שוב"
    assert heard(caller.records()) == "בשמונה"
    assert "the recording is not heard" in caplog.text
    assert "words of a caller" not in caplog.text


def test_a_recording_that_the_platform_does_not_give_is_an_apology_without_a_path_in_the_log(
    caller: Caller, ear: Ear, platform: PlatformServer, caplog: pytest.LogCaptureFixture
) -> None:
    platform.responses = [(403, b"")]
    caller.dial()

    assert heard(caller.records()) == "סליחה, לא הצלחתי לענות, אפשר לנסות שוב"
    assert not ear.heard
    assert "refused the token" in caplog.text
    assert "000.wav" not in caplog.text
    assert "Traceback" not in caplog.text


def test_what_is_no_path_of_a_recording_is_neither_fetched_nor_heard(
    ai: YemotAI, ear: Ear, platform: PlatformServer
) -> None:
    line = Line(recording_agent(ai))
    line.enter("")

    assert line.send(("ai_1", "/../ivr.ini")).startswith("read=t-סליחה, לא הצלחתי לענות")
    assert not platform.requests
    assert not ear.heard


def test_nine_leaves_while_a_recording_is_heard_and_the_hearing_ends(
    caller: Caller, ear: Ear, ai: YemotAI
) -> None:
    ear.seconds = 50
    caller.dial()
    caller.interrupts("9", after=3)

    assert caller.records().endswith("להתראות")
    ai.end("none")  # on the engine, after what was cancelled there
    assert ear.cancelled == 1


def test_a_hang_up_ends_the_hearing(caller: Caller, ear: Ear) -> None:
    ear.seconds = 50
    caller.dial()
    caller.interrupts(after=3)
    caller.records()

    assert caller.ended
    assert ear.cancelled == 1


@pytest.mark.parametrize("limits", [Limits(turns=1), Limits(turns_per_day=1)], ids=["call", "day"])
def test_a_call_over_its_limit_costs_no_transcription(
    provider: ScriptedProvider, platform: PlatformServer, ear: Ear, limits: Limits
) -> None:
    ai = YemotAI(provider=provider, transcriber=ear, recordings=platform.recordings(), limits=limits)
    caller = Caller(recording_agent(ai), extension="")
    ear.words.append("מתי")
    provider.answers("בשמונה")
    caller.dial()

    assert heard(caller.records()) == "בשמונה"
    assert heard(caller.records()) == "הגענו לסוף הזמן שלנו, תודה ולהתראות"
    assert len(platform.requests) == len(ear.heard) == 1


def test_the_hooks_are_told_what_was_said_and_not_of_the_hearing(
    caller: Caller, provider: ScriptedProvider, ear: Ear, ai: YemotAI
) -> None:
    told: list[str] = []

    @ai.on_turn
    def turn(_call_id: str, turn: object) -> None:
        told.append(turn.text)  # type: ignore[attr-defined]  # a Turn

    @ai.on_call_end
    def end(transcript: CallSummary, _usage: object) -> None:
        told.append(str(transcript))

    ear.words.extend(["מתי", ""])
    provider.answers("בשמונה")
    caller.dial()
    caller.records()
    caller.records()
    caller.hangs_up()

    assert told == ["מתי", "> מתי\nבשמונה"]


def test_the_function_of_an_agent_gets_the_words(provider: ScriptedProvider, ai: YemotAI, ear: Ear) -> None:
    flow = AIFlow(ai)

    @flow.ai_agent("", greeting="דברו", listen="record")
    def agent(call: AICall, text: str) -> str:
        return f"אמרת {text}"

    caller = Caller(flow, extension="")
    ear.words.append("מתי")
    caller.dial()

    assert heard(caller.records()) == "אמרת מתי"


def test_a_missing_key_or_token_is_told_when_the_agent_is_declared(
    flow: AIFlow, provider: ScriptedProvider, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YEMOT_TOKEN", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY") as refused:
        flow.ai_agent("5", listen="record")
    assert "transcriber=" in refused.value.__notes__[0]

    heard_by_ear = AIFlow(YemotAI(provider=provider, transcriber=ear))
    with pytest.raises(ConfigurationError, match="YEMOT_TOKEN"):
        heard_by_ear.ai_agent("5", listen="record")


def test_what_cannot_transcribe_is_refused(provider: ScriptedProvider) -> None:
    with pytest.raises(ConfigurationError, match="no transcriber"):
        YemotAI(provider=provider, transcriber=object())  # type: ignore[arg-type]  # that is the point


def test_a_transcriber_that_returns_no_text_is_told_in_the_log(
    caller: Caller, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    ear.words.append(None)  # type: ignore[arg-type]  # that is the point
    caller.dial()

    assert caller.records().startswith("סליחה, לא הצלחתי לענות")
    assert "Ear returned NoneType instead of a text" in caplog.text
