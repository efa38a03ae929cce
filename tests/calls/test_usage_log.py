from __future__ import annotations

import logging
import re

import pytest

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.platform_server import PlatformServer
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider


@pytest.fixture(autouse=True)
def _log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "yemot_ai")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines of turns and calls, without those of requests."""
    of_calls = [record for record in caplog.records if not hasattr(record, "yemot_request")]
    return [record.getMessage() for record in of_calls if record.levelno == logging.INFO]


def test_each_turn_and_the_end_of_a_call_are_logged_with_duration_and_tokens(
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider = ScriptedProvider().answers("בשמונה", after=1.5).fails("unauthorized").answers("כן")
    ai = YemotAI(provider=provider)
    flow = AIFlow(ai)

    @flow.ai_agent("", greeting="שלום")
    def agent(call: AICall, text: str) -> None:
        """Let the AI answer."""

    caller = Caller(flow)
    caller.dial()
    for said in ("מתי פותחים", "ומחר", "בטוח"):
        caller.says(said)
    caller.hangs_up()

    messages = [re.sub(r"^call \S+: ", "", line) for line in lines(caplog)]
    assert messages[:3] == [
        "turn ai_1: scripted (call): answered in 1.50 s, 10 tokens in (0 cached), 6 out",
        "turn ai_2: scripted (call): failed (unauthorized) in 0.00 s",
        "turn ai_3: scripted (call): answered in 0.00 s, 4 tokens in (0 cached), 2 out",
    ]
    (end,) = messages[3:]
    assert re.fullmatch(
        r"over \(hangup\) after \d+ s: 3 turns \(1 failed\), 0 recordings heard, "
        r"14 tokens in \(0 cached\), 8 out",
        end,
    )
    for word in ("פותחים", "בשמונה", "מחר"):
        assert word not in caplog.text


def test_a_transcribed_recording_is_logged_without_its_path_and_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = ScriptedProvider().transcribes("מתי פתוח", after=1).answers("בשמונה")
    with PlatformServer() as platform:
        flow = AIFlow(YemotAI(provider=model, transcriber=model, recordings=platform.recordings()))

        @flow.ai_agent("", listen="record")
        def agent(call: AICall, text: str) -> None:
            """Let the AI answer."""

        caller = Caller(flow)
        caller.dial()
        caller.records()
        caller.hangs_up()

    assert re.search(r"turn ai_1\.heard: heard: answered in \d+\.\d\d s$", lines(caplog)[0])
    assert "1 turns (0 failed), 1 recordings heard" in lines(caplog)[-1]
    assert "000" not in caplog.text
    assert "פתוח" not in caplog.text


def test_a_turn_that_a_function_answers_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))

    @flow.ai_agent("", greeting="שלום")
    def agent(call: AICall, text: str) -> str:
        return "בעצמי"

    caller = Caller(flow)
    caller.dial()
    caller.says("מי עונה")
    caller.hangs_up()

    (end,) = lines(caplog)
    assert "0 turns (0 failed)" in end


def test_a_repeated_end_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    ai = YemotAI(provider=ScriptedProvider().answers("כן"))
    ai.reply("c1", "יש?")

    ai.end("c1")
    ai.end("c1")

    assert len([line for line in lines(caplog) if ": over (ended)" in line]) == 1
