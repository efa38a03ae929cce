"""What ``RecordedTools`` and ``RecordedProvider`` record of a turn with tools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from yemot_ai import AIFlow, ToolContext, YemotAI, tool
from yemot_ai.errors import ToolError
from yemot_ai_testing import Caller, ScriptedProvider
from yemot_ai_testing.history import (
    CallerSpoke,
    History,
    HistoryEvent,
    ModelAnswered,
    ModelAsked,
    RecordedApp,
    RecordedProvider,
    RecordedTools,
    ToolCalled,
    ToolReturned,
    check,
)
from yemot_ai_testing.virtual_time import virtual_engine


def order_status(id: int) -> str:  # noqa: A002 - a name that models use
    """Return the status of an order."""
    return f"order {id} is ready"


async def cancel_order(call: ToolContext, id: int) -> dict[str, Any]:  # noqa: A002 - as above
    """Cancel an order."""
    return {"cancelled": id, "by": call.call_id}


def play(*functions: Callable[..., Any]) -> History:
    """Let a model call each tool for the order 7 in one message, then answer."""
    engine = virtual_engine()
    history, provider = History(now=engine.clock.now), ScriptedProvider(engine=engine)
    provider.calls(*((getattr(one, "name", None) or one.__name__, {"id": 7}) for one in functions))
    provider.answers("תשובה 2 על אמירה 7001")
    tools = [RecordedTools(history, worker="a").record(one) for one in functions]
    ai = YemotAI(provider=RecordedProvider(provider, history), tools=tools)
    flow = AIFlow(ai)
    flow.ai_agent("")(lambda call, text: None)
    caller = Caller(RecordedApp(flow, history), call_id="c1")
    caller.dial()
    history.add(CallerSpoke(history.now(), "call c1", "7001"))
    caller.says("אמירה 7001")
    return history


def events(history: History, kind: type[HistoryEvent]) -> list[Any]:
    return [event for event in history.events if isinstance(event, kind)]


def test_a_turn_with_a_blocking_and_an_async_tool_is_recorded() -> None:
    history = play(order_status, tool(retry=True)(cancel_order))
    first, second = events(history, ToolCalled)
    assert (first.name, first.arguments, first.repeatable) == ("order_status", '{"id": 7}', False)
    assert (second.name, second.arguments, second.repeatable) == ("cancel_order", '{"id": 7}', True)
    assert {first.call, second.call} == {"call c1"}
    assert {first.worker, second.worker} == {"a"}
    assert first.key != second.key
    returned = [(event.run_id, event.result, event.error) for event in events(history, ToolReturned)]
    cancelled = '{"cancelled": 7, "by": "c1"}'
    assert returned == [
        (first.run_id, "order 7 is ready", ""),
        (second.run_id, cancelled, ""),
    ]
    called, answered = events(history, ModelAnswered)
    ids = [one for one, _, _ in called.tool_calls]
    assert ids == [first.tool_call_id, second.tool_call_id]
    assert [name for _, name, _ in called.tool_calls] == ["order_status", "cancel_order"]
    assert (called.error, answered.tool_calls) == ("", ())
    results = [event.tool_results for event in events(history, ModelAsked)]
    assert results == [(), tuple(zip(ids, ("order 7 is ready", cancelled), strict=True))]
    assert check(history) == []
    assert check(History.loads(history.dumps())) == []


@pytest.mark.parametrize("reason", ["there is no order 7", "", "א" * 30_000], ids=["text", "empty", "long"])
def test_a_tool_that_refuses_is_recorded_with_what_the_model_gets(reason: str) -> None:
    def refund(id: int) -> str:  # noqa: A002 - as above
        """Refund an order."""
        raise ToolError(reason)

    history = play(refund)
    (returned,) = events(history, ToolReturned)
    assert returned.error == "ToolError"
    assert events(history, ModelAsked)[-1].tool_results[0][1] == returned.result
    assert check(history) == []


@pytest.mark.parametrize(
    ("value", "error"),
    [(KeyError("x"), "KeyError"), (len, "TypeError")],
    ids=["raises", "returns a function"],
)
def test_a_tool_that_fails_is_recorded(value: object, error: str) -> None:
    def failing(id: int) -> object:  # noqa: A002 - as above
        """Fail."""
        if isinstance(value, Exception):
            raise value
        return value

    history = play(failing)
    (returned,) = events(history, ToolReturned)
    assert (returned.result, returned.error) == ("", error)
    assert check(history) == []


def test_a_tool_that_is_cancelled_is_recorded() -> None:
    async def waits() -> None:
        """Wait."""
        await asyncio.Event().wait()

    history = History()
    recorded = RecordedTools(history).record(waits)

    async def cancel() -> None:
        context = ToolContext("c1", "", "ai_1", "call_7", "c1:ai_1.tool1", {})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await recorded(context)

    asyncio.run(cancel())
    assert [event.error for event in events(history, ToolReturned)] == ["cancelled"]


def test_a_recorded_tool_is_the_same_for_the_model() -> None:
    declared = tool(says="בודק", confirm="לבטל את {id}?", timeout=3, name="cancel")(cancel_order)
    recorded = RecordedTools(History()).record(declared)
    assert recorded.spec == declared.spec
    assert (recorded.says, recorded.confirm, recorded.timeout) == ("בודק", "לבטל את {id}?", 3)
    assert recorded.signature.parse('{"id": "7"}') == {"id": 7}
