from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.clock import EngineClock, WallClock, clock_of
from yemot_ai_testing.virtual_time import virtual_engine


def agent_over(provider: ScriptedProvider, store: str = "memory:") -> AIFlow:
    flow = AIFlow(YemotAI(provider=provider, store=store))

    def silent_agent(call: AICall, text: str) -> None:
        """Let the AI answer."""

    decorate: Callable[[Callable[[AICall, str], None]], object] = flow.ai_agent("", greeting="שלום")
    decorate(silent_agent)
    return flow


def test_a_slow_answer_takes_virtual_time_only() -> None:
    caller = Caller(agent_over(ScriptedProvider().answers("חשבתי", after=50)))
    caller.dial()
    assert caller.says("תחשוב").endswith("חשבתי")
    assert caller.transcript[-1].at - caller.transcript[0].at > 50


def test_the_line_is_never_silent_for_more_than_three_seconds() -> None:
    caller = Caller(agent_over(ScriptedProvider().answers("חשבתי", after=50)))
    caller.dial()
    caller.says("תחשוב")
    assert caller.dead_air <= 3.0


@pytest.mark.parametrize("store", ["sqlite:calls.db", "json:calls"])
def test_no_time_passes_while_a_store_works_in_a_thread(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Caller(agent_over(ScriptedProvider().answers("חשבתי", after=50).answers("שוב"), store)) as caller:
        caller.dial()
        assert caller.says("תחשוב").endswith("חשבתי")
        assert caller.says("ושוב") == "שוב"
        assert caller.dead_air == 0.0
        assert caller.problems == ()


def test_no_time_passes_while_a_thread_works_for_the_loop() -> None:
    engine = virtual_engine()

    async def wait_for_a_thread() -> float:
        timer = asyncio.create_task(asyncio.sleep(60))
        await asyncio.to_thread(time.sleep, 0.05)  # the work, in real time
        at = engine.clock.now()
        await timer
        return at

    assert engine.run(wait_for_a_thread()) == 0.0
    assert engine.clock.now() == 60.0


def test_an_interruption_in_virtual_time_happens_when_it_is_due() -> None:
    provider = ScriptedProvider().hangs()
    caller = Caller(agent_over(provider))
    caller.dial()
    caller.interrupts(after=7.0)
    caller.says("תחשוב")
    assert caller.ended
    assert provider.running == 0


def test_an_application_in_virtual_time_has_an_engine_clock() -> None:
    assert isinstance(clock_of(agent_over(ScriptedProvider())), EngineClock)
    assert isinstance(clock_of(object()), WallClock)
