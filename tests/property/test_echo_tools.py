"""The model of a machine calls tools only where it may; its tools take their time and are recorded."""

from __future__ import annotations

import asyncio

import pytest

from yemot_ai import ToolContext
from yemot_ai.errors import ToolError
from yemot_ai.providers import Reply, ToolCalls, ToolRequest
from yemot_ai.providers.provider import read_answer
from yemot_ai_testing.history import History, ToolReturned
from yemot_ai_testing.property import TOOL_STEPS, Calls, EchoProvider
from yemot_ai_testing.property.echo_tools import EchoTools
from yemot_ai_testing.property.engines.ordered import OrderedEngine
from yemot_ai_testing.property.model_steps import calls_for

CALL = ToolContext("c1", "", "ai_1", "call_1", "c1:ai_1.tool1", {})
ORDER = Calls(("place_order",), ({"order": "{utterance}"},))


def ask(tools: ToolRequest | None) -> Reply | ToolCalls:
    echo = EchoProvider()
    echo.add(ORDER)
    return asyncio.run(read_answer(echo.ask("אמירה 7001", tools=tools), echo.name))


@pytest.mark.parametrize("tools", [None, ToolRequest((), may_call=False)], ids=["no tools", "no more calls"])
def test_a_model_that_may_call_no_tool_answers(tools: ToolRequest | None) -> None:
    answer = ask(tools)
    assert isinstance(answer, Reply)
    assert answer.text == "תשובה 1 על אמירה 7001"


def test_a_model_that_may_calls_tools() -> None:
    answer = ask(ToolRequest(()))
    assert isinstance(answer, ToolCalls)
    assert [(call.id, call.name) for call in answer.calls] == [("call_1_1", "place_order")]
    assert answer.state == "echo-1"


def test_arguments_have_the_text_of_the_utterance() -> None:
    raw = Calls(("place_order", "other"), ("{utterance}", {"number": 7}))
    assert calls_for("7001", [ORDER])[0].arguments == ({"order": "אמירה 7001"},)
    assert calls_for("7001", [raw])[0].arguments == ("אמירה 7001", {"number": 7})
    assert {one for messages in TOOL_STEPS for step in messages for one in step.tools} == {
        "place_order",
        "cancel_order",
        "find_order",
        "no_such_tool",
    }


def test_a_run_takes_its_seconds_and_may_be_refused() -> None:
    engine = OrderedEngine()
    history = History(now=engine.clock.now)
    tools = EchoTools(engine, history)
    place_order, cancel_order, find_order = tools.all
    tools.seconds = 3.0
    assert engine.run(place_order(CALL, order="א")) == "תוצאה 1 של א"
    assert (cancel_order(CALL, order="ב"), engine.clock.now()) == ("תוצאה 2 של ב", 6.0)
    tools.fails = True
    with pytest.raises(ToolError, match="run 3 was refused"):
        engine.run(find_order(CALL, order="ג"))
    tools.clear()
    assert engine.run(find_order(CALL, order="ד")) == "תוצאה 4 של ד"
    returned = [event.at for event in history.events if isinstance(event, ToolReturned)]
    assert returned == [3.0, 6.0, 9.0, 9.0]
    assert [tool.retry for tool in tools.all] == [False, False, True]
