"""The answers of a fake Codex name no utterance: what it was asked says whose they are."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

import pytest

from yemot_ai_testing import FakeCodex
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.history import CallerSpoke, History, RequestSent, ResponseReceived, check
from yemot_ai_testing.load.model_script import LoadScript
from yemot_ai_testing.load.model_side import ModelSide, serve_model
from yemot_ai_testing.load.result import LineHistory


def ask_codex(prompt: str) -> str:
    command = ["codex", "exec", "--skip-git-repo-check", "-"]
    return subprocess.run(command, input=prompt, capture_output=True, text=True, check=True).stdout.strip()


def kinds_when_heard(order: Sequence[int]) -> list[str]:
    """Let two callers speak; the first hears the answer of the caller ``order[0]``, the second of ``[1]``."""
    callers = LineHistory()
    with FakeCodex() as codex:
        model = ModelSide("", LoadScript(LineHistory()), 0.0, codex)
        model.prepare(2)
        for number in (1, 2):
            callers.add(CallerSpoke(time.time(), f"call {number}", f"700{number}"))
            callers.add(RequestSent(time.time(), number, f"call {number}", f"said=אמירה 700{number}"))
        answers = [ask_codex(f"אמירה 700{number}") for number in (1, 2)]
        for number, heard in enumerate(order, start=1):
            body = f"read=t-{answers[heard - 1]}=said_2,no,voice"
            callers.add(ResponseReceived(time.time(), number, body, awaits_caller=True))
        history, asked = model.merge(callers.take())
    assert asked == 2
    return sorted({violation.kind for violation in check(history)})


@pytest.mark.slow
def test_answers_of_codex_that_reach_their_callers_are_clean() -> None:
    assert kinds_when_heard([1, 2]) == []


@pytest.mark.slow
def test_answers_of_codex_that_are_exchanged_are_found() -> None:
    assert "crossed_calls" in kinds_when_heard([2, 1])


@pytest.mark.slow
def test_a_run_of_a_fake_codex_has_its_step_and_its_time() -> None:
    with FakeCodex().answers("כן").answers("לא") as codex:
        before = time.time()
        ask_codex("א")
        ask_codex("ב")
        runs = codex.requests

    assert [run.step for run in runs] == ["000000-answer", "000001-answer"]
    assert before <= runs[0].at <= runs[1].at <= time.time()


def test_what_was_asked_before_the_callers_is_forgotten() -> None:
    script = LoadScript(LineHistory())
    model = ModelSide("", script, 0.0)
    script.take("אמירה 7001")
    model.forget()
    script.take("אמירה 7002")
    history, asked = model.merge("")

    assert asked == 1
    assert [getattr(event, "utterance_id", "") for event in history.events] == ["7002", ""]


def test_a_prompt_that_no_caller_has_said_is_answered_and_not_judged() -> None:
    script = LoadScript(History(), 0.5)

    assert script.take("שלום") is not None
    assert (script.asked, script.history.events) == (1, ())


def test_a_port_that_is_none_is_refused() -> None:
    with (
        pytest.raises(AppError, match=r"cannot listen at port 99999: .* take another --model-port"),
        serve_model(99_999, 0.0),
    ):
        pytest.fail("it listens")
