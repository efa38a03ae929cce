from __future__ import annotations

from collections.abc import Callable

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.clock import EngineClock, WallClock, clock_of


def agent_over(provider: ScriptedProvider) -> AIFlow:
    flow = AIFlow(YemotAI(provider=provider))

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
