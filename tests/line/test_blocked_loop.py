"""Code that keeps an application from answering is heard as silence; a blocked event loop is an error."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.support.scenario_calls import failure_of, play_turns
from yemot_ai import AICall, AIFlow, AsyncAICall, CallSummary, DialogSettings, Turn, YemotAI
from yemot_ai.providers import Usage
from yemot_ai_testing import ScriptedProvider
from yemot_ai_testing.errors import LineError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.virtual_time import BLOCKED_SECONDS

pytestmark = pytest.mark.slow

LONG = BLOCKED_SECONDS + 0.4
SHORT = BLOCKED_SECONDS / 5


def work(seconds: float) -> None:
    """Occupy the thread."""
    threading.Event().wait(seconds)


def scripted(**settings: float) -> YemotAI:
    return YemotAI(provider=ScriptedProvider().answers("כן").answers("שוב"), **settings)  # type: ignore[arg-type]


def blocking_flow(seconds: float, ai: YemotAI | None = None) -> AIFlow:
    flow = AIFlow(ai or scripted())

    @flow.ai_agent("", greeting="שלום")
    async def order(_call: AsyncAICall, text: str) -> str:
        work(seconds)
        return f"הזמנת {text}"

    return flow


def test_a_caller_raises_where_the_application_blocks_its_loop() -> None:
    caller = Caller(blocking_flow(LONG))
    caller.dial()

    with pytest.raises(LineError) as raised:
        caller.says("פיצה")

    assert raised.value.code == "blocked-loop"
    assert f"({__file__}:" in str(raised.value)
    assert "called by order) blocks the event loop" in str(raised.value)
    assert 'declare order with "def"' in raised.value.hint


def test_a_blocked_loop_is_dead_air_in_virtual_time() -> None:
    caller = Caller(blocking_flow(LONG), strict=False)
    caller.dial()

    assert caller.says("פיצה") == "הזמנת פיצה"

    assert caller.dead_air == pytest.approx(LONG, abs=0.3)
    assert [problem.code for problem in caller.problems] == ["blocked-loop"]
    assert caller.says("עוד") == "הזמנת עוד"
    assert len(caller.problems) == 2


def test_what_a_slow_machine_needs_is_no_dead_air() -> None:
    caller = Caller(blocking_flow(SHORT))
    caller.dial()
    caller.says("פיצה")

    assert caller.dead_air == 0.0
    assert caller.problems == ()


def test_the_time_of_a_plain_function_is_dead_air_but_no_error() -> None:
    flow = AIFlow(scripted())

    @flow.ai_agent("", greeting="שלום")
    def order(call: AICall, text: str) -> str:
        work(LONG)
        answer = call.ask_ai(text)
        work(SHORT)
        return answer

    caller = Caller(flow)
    caller.dial()

    assert caller.says("פיצה") == "כן"
    assert caller.dead_air == pytest.approx(LONG, abs=0.3)
    assert caller.problems == ()


def test_the_wait_of_a_plain_function_for_the_model_is_counted_once() -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider().answers("כן", after=1.0)))

    @flow.ai_agent("", greeting="שלום")
    def order(call: AICall, text: str) -> str:
        work(LONG)
        return call.ask_ai(text)

    caller = Caller(flow)
    caller.dial()
    caller.says("פיצה")

    assert caller.dead_air == pytest.approx(LONG + 1.0, abs=0.3)


def test_the_watchdog_can_be_turned_off() -> None:
    caller = Caller(blocking_flow(LONG, scripted(blocked_loop_seconds=0)))
    caller.dial()
    caller.says("פיצה")

    assert caller.problems == ()
    assert caller.dead_air == 0.0


def on_turn(ai: YemotAI) -> None:
    @ai.on_turn
    async def count(_call_id: str, _turn: Turn) -> None:
        work(LONG)


def on_call_end(ai: YemotAI) -> None:
    @ai.on_call_end
    async def count(_summary: CallSummary, _usage: Usage) -> None:
        work(LONG)


@pytest.mark.parametrize("register", [on_turn, on_call_end], ids=["turn", "end"])
def test_a_hook_that_blocks_the_loop_is_an_error_by_the_end_of_the_call(
    register: Callable[[YemotAI], None],
) -> None:
    ai = scripted()
    register(ai)
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda _call, _text: None)
    caller = Caller(flow)
    caller.dial()

    def rest() -> None:
        caller.says("פיצה")
        caller.hangs_up()

    with pytest.raises(LineError, match="called by count"):
        rest()


def test_a_function_for_speech_that_blocks_the_loop_is_an_error() -> None:
    def pronounce(text: str) -> str:
        if "פיצה" in text:
            work(LONG)
        return text

    ai = YemotAI(provider=ScriptedProvider().answers("פיצה"))
    flow = AIFlow(ai, dialog=DialogSettings(speech=pronounce))
    flow.ai_agent("", greeting="שלום")(lambda _call, _text: None)
    caller = Caller(flow)
    caller.dial()

    with pytest.raises(LineError, match="pronounce runs on the event loop"):
        caller.says("יש?")


@pytest.mark.parametrize("mount", ["asgi_app", "wsgi_app"])
def test_a_blocked_loop_is_found_behind_a_web_application(mount: str) -> None:
    flow = blocking_flow(LONG)
    with Caller(getattr(flow, mount)) as caller:
        caller.dial()
        with pytest.raises(LineError, match="blocked-loop"):
            caller.says("פיצה")


def test_an_asynchronous_application_of_another_kind_must_not_block_its_loop_either() -> None:
    async def app(pairs: list[tuple[str, str]]) -> str:
        if "q" in dict(pairs):
            work(1.6)
        return "read=t-מה=q,no,voice" if "q" not in dict(pairs) else "go_to_folder=hangup"

    with Caller(app) as caller:
        caller.dial()
        with pytest.raises(LineError, match="called by app"):
            caller.says("פיצה")


def test_a_scenario_fails_with_the_line_that_blocks_the_loop() -> None:
    result = play_turns("[{hears: שלום}, {says: פיצה}]", blocking_flow(LONG))

    kind, messages = failure_of(result)[:2]
    assert kind == "dead_air"
    assert f"({__file__}:" in str(messages)
    assert result.turns[1].dead_air >= BLOCKED_SECONDS
