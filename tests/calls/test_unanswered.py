from __future__ import annotations

import pytest

from tests.support.waiting import until
from yemot_ai import AICall, AIFlow, RequestLimits, YemotAI
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing import ScriptedProvider


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def flow(provider: ScriptedProvider, store: MemoryStore) -> AIFlow:
    limits = RequestLimits(unanswered_calls=3, unanswered_bytes=500_000)
    flow = AIFlow(YemotAI(provider=provider, store=store), request_limits=limits)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)

    @flow.get("menu")
    def menu(call: AICall) -> None:
        choice = call.read("בחירה", val_name="choice")
        call.state["choice"] = choice
        call.read(f"בחרתם {choice}", val_name="next")

    return flow


def dial(flow: AIFlow, call_id: str, *values: tuple[str, str], extension: str = "") -> str:
    return flow.handle_request([("ApiCallId", call_id), ("ApiExtension", extension), *values])


def kept(flow: AIFlow) -> int:
    return flow.ai.open_calls()


def test_the_oldest_calls_without_a_turn_are_dropped(flow: AIFlow, provider: ScriptedProvider) -> None:
    provider.answers("תשובה").answers("עוד תשובה")
    dial(flow, "answered")
    dial(flow, "answered", ("ai_1", "שאלה"))
    for number in range(10):
        dial(flow, f"c{number}")

    until(lambda: kept(flow) == 4)
    assert "תשובה" in dial(flow, "answered", ("ai_1", "שאלה"), ("ai_2", "ועוד"))


def test_a_call_that_was_dropped_goes_on(flow: AIFlow, provider: ScriptedProvider) -> None:
    provider.answers("תשובה")
    dial(flow, "c")
    dial(flow, "menu", extension="menu")
    for number in range(10):
        dial(flow, f"c{number}")
    until(lambda: kept(flow) == 3)

    assert "תשובה" in dial(flow, "c", ("ai_1", "שאלה"))
    assert "בחרתם 2" in dial(flow, "menu", ("choice", "2"), extension="menu")


def test_a_call_with_a_state_of_a_developer_is_kept(flow: AIFlow) -> None:
    dial(flow, "menu", extension="menu")
    dial(flow, "menu", ("choice", "2"), extension="menu")
    for number in range(10):
        dial(flow, f"c{number}")

    until(lambda: kept(flow) == 4)


def test_large_calls_are_dropped_before_small_ones(flow: AIFlow, store: MemoryStore) -> None:
    dial(flow, "small")
    for number in range(20):
        dial(flow, f"large{number}", *[(f"n{field}", "x" * 10) for field in range(1000)])

    until(lambda: kept(flow) <= 2)
    assert flow.ai.engine.run(store.load("small")) is not None


def test_forged_hang_ups_of_calls_that_do_not_exist_are_bounded(flow: AIFlow, store: MemoryStore) -> None:
    async def ids() -> list[str]:
        return [call_id async for call_id in store.call_ids()]

    for number in range(10):
        dial(flow, f"c{number}", ("hangup", "yes"))

    until(lambda: len(flow.ai.engine.run(ids())) == 3)
