"""What the reference agent says to the line, byte for byte."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from yemot_ai.reference import flow
from yemot_ai_testing import Caller, FakeCodex


@pytest.fixture
def caller(fake_codex: FakeCodex) -> Caller:
    return Caller(flow)


def test_menu(caller: Caller, yemot_snapshot: SnapshotAssertion) -> None:
    caller.dial()

    assert caller.raw == yemot_snapshot


def test_leaving_at_the_menu(caller: Caller, yemot_snapshot: SnapshotAssertion) -> None:
    caller.dial()
    caller.presses("2")

    assert caller.raw == yemot_snapshot
    assert caller.ended


def test_greeting(caller: Caller, yemot_snapshot: SnapshotAssertion) -> None:
    caller.dial()
    caller.presses("1")

    assert caller.extension == "ai_agent"
    assert caller.raw == yemot_snapshot


def test_answer(caller: Caller, fake_codex: FakeCodex, yemot_snapshot: SnapshotAssertion) -> None:
    fake_codex.answers("פתוח **עד שמונה**. לבוא?")
    caller.dial()
    caller.presses("1")
    caller.says("מתי פותחים?")

    assert caller.raw == yemot_snapshot


def test_silence(caller: Caller, yemot_snapshot: SnapshotAssertion) -> None:
    caller.dial()
    caller.presses("1")
    caller.silent()

    assert caller.raw == yemot_snapshot


@pytest.mark.slow
def test_poll(caller: Caller, fake_codex: FakeCodex, yemot_snapshot: SnapshotAssertion) -> None:
    fake_codex.answers("כן", after=2.5)
    caller.dial()
    caller.presses("1")
    caller.says("לאט")

    assert caller.exchanges[-2].body == yemot_snapshot


def test_apology(caller: Caller, fake_codex: FakeCodex, yemot_snapshot: SnapshotAssertion) -> None:
    fake_codex.fails("unauthorized")
    caller.dial()
    caller.presses("1")
    caller.says("שלום")

    assert caller.raw == yemot_snapshot


def test_leaving_the_agent(caller: Caller, yemot_snapshot: SnapshotAssertion) -> None:
    caller.dial()
    caller.presses("1")
    caller.presses("9")

    assert [exchange.body for exchange in caller.exchanges][-2] == yemot_snapshot
    assert caller.extension == ""


def test_without_a_codex_the_caller_hears_an_apology_and_the_log_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: object
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    caller = Caller(flow)
    caller.dial()
    caller.presses("1")

    assert "לא הצלחתי לענות" in caller.says("שלום")
    assert "npm install -g @openai/codex" in caplog.text
    caller.hangs_up()
