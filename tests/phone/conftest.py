from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LINE = """
from yemot_ai import AIFlow, YemotAI

ai = YemotAI("codex")
flow = AIFlow(ai)


@flow.get("")
def menu(call):
    if call.read("להזמנה הקישו 1", val_name="menu", max_digits=1) == "1":
        call.goto("/order")
    call.hangup()


@flow.ai_agent("order", greeting="מה תרצו להזמין?")
def order(call, text):
    if "תודה" in text:
        call.play_message("להתראות")
        call.hangup()
"""


@pytest.fixture
def line_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A line of a user, in the current folder."""
    name = f"line_{tmp_path.name.strip('_')}"
    (tmp_path / f"{name}.py").write_text(LINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield f"{name}:flow"
    sys.modules.pop(name, None)
