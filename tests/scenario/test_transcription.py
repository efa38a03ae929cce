from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.transcription import Transcriber
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.platform_server import PlatformServer
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import PlayTarget
from yemot_ai_testing.scenario.report.call_record import render_result

CALL = """
scenarios:
  - name: הקלטה
    turns:
      - hears: {contains: שלום, read: {mode: record, confirm: "false"}}
      - records: /1/000.wav
        agent: [{transcribes: מתי פתוח}, {answers: בשמונה}]
        hears: בשמונה
      - records: /1/001.wav
        agent: {transcribes: ""}
        hears: לא שמעתי
      - records: /1/002.wav
        agent: {transcribes: להתראות, after: 6s}
        hears: {contains: [רק רגע, להתראות], ends: true}
    afterwards: {agent_turns: 1, sessions_open: 0}
"""


def play_call(model: ScriptedProvider, platform: PlatformServer, call: str) -> ScenarioResult:
    flow = AIFlow(YemotAI(provider=model, transcriber=model, recordings=platform.recordings()))

    @flow.ai_agent("", greeting="שלום", listen="record")
    def agent(call: AICall, text: str) -> None:
        """Let the AI answer."""

    (scenario,) = loads(call, Path("record.call.yaml")).scenarios
    return play_scenario(scenario, PlayTarget(flow, model))


def test_a_scenario_scripts_the_transcription_of_a_recording(platform: PlatformServer) -> None:
    model = ScriptedProvider()
    result = play_call(model, platform, CALL)

    assert result.failure is None, render_result(result)
    assert [path.rpartition("/")[2] for path in platform.requests] == ["000.wav", "001.wav", "002.wav"]


def test_an_unscripted_recording_fails_the_scenario(platform: PlatformServer) -> None:
    result = play_call(ScriptedProvider(), platform, CALL.replace("{transcribes: מתי פתוח}, ", ""))

    assert result.failure is not None


def test_a_scripted_provider_is_a_transcriber_too() -> None:
    assert isinstance(ScriptedProvider(), Transcriber)


@pytest.mark.parametrize("text", [b"words", None], ids=["bytes", "none"])
def test_a_transcription_is_a_text(text: object) -> None:
    with ModelServer() as model, pytest.raises(TypeError, match="is a text"):
        model.transcribes(text)  # type: ignore[arg-type]  # the wrong type is the subject
