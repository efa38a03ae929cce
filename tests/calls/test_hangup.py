"""A caller hangs up while a process of Codex runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.stopwatch import Stopwatch
from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import CodexCLIProvider
from yemot_ai_testing import Caller, FakeCodex

PHONE = "0501234567"
LINE = {"ApiCallId": "c1", "ApiExtension": "", "ApiPhone": PHONE}

MAX_HANGUP_SECONDS = 0.5
"""Seconds from the hang-up to its response, when nothing of the turn runs."""


@pytest.fixture
def codex() -> Iterator[FakeCodex]:
    with FakeCodex() as codex:
        yield codex


def served(tmp_path: Path, **settings: Any) -> AIFlow:  # noqa: ANN401 - those of YemotAI
    provider = CodexCLIProvider(codex_home=tmp_path / "home")
    flow = AIFlow(YemotAI(provider=provider, **settings))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    flow.ai_agent("2", greeting="שלום")(lambda call, text: str(call.ask_ai(text)))
    flow.get("5")(lambda call: call.play_message(call.ask_ai(call.read("מה?", val_name="said"))))
    return flow


def rollouts(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "home").rglob("rollout-*.jsonl")]


@pytest.mark.parametrize("place", ["", "2", "5"], ids=["agent", "function", "plain handler"])
@pytest.mark.parametrize("store", ["memory:", "sqlite:calls.db"])
def test_a_hang_up_ends_the_turn_that_runs_within_half_a_second(
    codex: FakeCodex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, store: str
) -> None:
    monkeypatch.chdir(tmp_path)
    codex.answers("א").hangs()
    flow = served(tmp_path, store=store)
    line = {**LINE, "ApiExtension": place}
    first, second = ("said", "said_2") if place == "5" else ("ai_1", "ai_2")
    flow.handle_request(line)
    flow.handle_request({**line, first: "אחת"})
    if place == "5":  # a run is one question there
        line = {**line, "ApiCallId": "c2"}
        flow.handle_request(line)
        second, first = first, ""
    asked = {**line, **({first: "אחת"} if first else {}), second: "שתיים"}
    held: list[str] = []
    caller = threading.Thread(target=lambda: held.append(flow.handle_request(asked)))
    caller.start()
    codex.wait_for_requests(2)
    assert codex.processes_alive() == 1

    with Stopwatch() as watch:
        assert flow.handle_request({**line, "hangup": "yes"}) == "noop=ended"

    assert codex.processes_alive() == 0
    assert watch.took < MAX_HANGUP_SECONDS
    caller.join(10)
    assert held == ["go_to_folder=hangup"]
    if place == "5":
        flow.handle_request({**LINE, "hangup": "yes"})
    assert rollouts(tmp_path) == []
    flow.ai.close()


def test_a_call_that_ends_well_leaves_no_rollout(codex: FakeCodex, tmp_path: Path) -> None:
    codex.answers("א")
    caller = Caller(served(tmp_path), phone=PHONE)
    caller.dial()
    caller.says("שאלה")
    assert len(rollouts(tmp_path)) == 1
    caller.hangs_up()

    assert rollouts(tmp_path) == []


def test_what_is_remembered_keeps_its_rollout_until_the_caller_is_forgotten(
    codex: FakeCodex, tmp_path: Path
) -> None:
    codex.answers("א").answers("ב")
    flow = served(tmp_path, remember="caller")
    for _ in range(2):
        caller = Caller(flow, phone=PHONE)
        caller.dial()
        caller.says("שאלה")
        caller.hangs_up()

    assert len(rollouts(tmp_path)) == 1
    assert codex.requests[1].session == codex.requests[0].thread_id
    flow.ai.forget_caller(PHONE)
    assert rollouts(tmp_path) == []


def test_a_first_turn_that_is_cut_off_leaves_no_rollout_though_callers_are_remembered(
    codex: FakeCodex, tmp_path: Path
) -> None:
    codex.hangs()
    flow = served(tmp_path, remember="caller")
    flow.handle_request(LINE)
    caller = threading.Thread(target=lambda: flow.handle_request({**LINE, "ai_1": "שאלה"}))
    caller.start()
    codex.wait_for_requests(1)
    flow.handle_request({**LINE, "hangup": "yes"})
    caller.join(10)

    assert (codex.processes_alive(), rollouts(tmp_path)) == (0, [])


def test_a_request_after_the_end_gets_a_hang_up_and_no_model_call(codex: FakeCodex, tmp_path: Path) -> None:
    flow = served(tmp_path)
    flow.handle_request(LINE)
    flow.handle_request({**LINE, "hangup": "yes"})

    assert flow.handle_request({**LINE, "ai_1": "שאלה"}) == "go_to_folder=hangup"
    assert codex.requests == []


@pytest.mark.slow
def test_a_malformed_stream_puts_no_words_into_the_log(
    codex: FakeCodex, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    codex.malformed("the secret that was said").malformed("the secret that was said")
    caller = Caller(served(tmp_path), phone=PHONE)
    caller.dial()
    caller.says("סוד גדול")
    caller.hangs_up()

    assert "not an event" in caplog.text
    assert "secret" not in caplog.text
    assert "סוד" not in caplog.text
