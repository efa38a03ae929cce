"""A key interrupts an answer of each streaming provider; its next request says so, with what was spoken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.providers.provider_setups import PROVIDER_SETUPS
from tests.support.flow_line import Line
from yemot_ai import AIFlow, YemotAI
from yemot_ai._turns.conversation import INTERRUPTION_NOTES

PIECES = ["פתוח עד שבע. ", "ביום שישי עד אחת. ", "בשבת סגור."]
STREAMING = [name for name in PROVIDER_SETUPS if name != "codex"]


@pytest.mark.parametrize("name", STREAMING)
def test_the_next_request_has_the_note_and_what_was_spoken(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path))
    with PROVIDER_SETUPS[name]() as setup:
        setup.double.answers(PIECES, every=600).answers("בבקשה")
        flow = AIFlow(YemotAI(provider=setup.provider))
        flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
        line = Line(flow)
        line.enter("a")
        line.gives("עד מתי?")
        while "t-רק רגע=" in line.response:
            line.polls()
        assert line.response.startswith("read=t-פתוח עד שבע=")
        line.gives("5")
        heard = line.says("תודה")
        line.hang_up()
        flow.ai.close()
        text = setup.caller_text()

    assert heard.startswith("read=t-בבקשה=")
    assert f"{INTERRUPTION_NOTES[0]} תודה" in text
    assert "ביום שישי" not in text
