"""What an async handler may await, and what it must."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, AsyncAICall
from yemot_ai_testing import Caller, ScriptedProvider


def test_a_message_is_queued_whether_it_is_awaited_or_not(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    async def root(call: AsyncAICall) -> None:
        await call.play_message([("text", "שלום")])
        call.play_message("וברכה")
        await asyncio.gather(call.play_message("א"), call.play_message("ב"))
        await call.read("מספר?", val_name="n", max_digits=1)

    assert line.enter("").startswith("id_list_message=t-שלום.t-וברכה.t-א.t-ב&read=t-מספר?=n,")


@pytest.mark.parametrize(
    ("ending", "action"), [("goto", "go_to_folder=/5"), ("hangup", "go_to_folder=hangup")]
)
def test_an_awaited_ending_ends_the_run(flow: AIFlow, line: Line, ending: str, action: str) -> None:
    @flow.get("")
    async def root(call: AsyncAICall) -> None:
        await call.play_message("להתראות")
        if ending == "goto":
            await call.goto("/5")
        await call.hangup()

    assert line.enter("") == f"id_list_message=t-להתראות&{action}"


def test_everything_that_yemot_flow_offers_may_be_awaited_in_one_handler(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    async def root(call: AsyncAICall) -> None:
        name = await call.read([("text", "שם?")], mode="stt", val_name="name")
        age = await call.play_and_read([("text", name)], [("text", "גיל?")], val_name="age", max_digits=2)
        await call.play_message([("text", age)])
        await call.hangup()

    line.enter("")
    assert line.gives("דוד").startswith("id_list_message=t-דוד&read=t-גיל?=age,no,2,")
    assert line.gives("30") == "id_list_message=t-30&go_to_folder=hangup"


def test_an_agents_function_may_await_a_message(flow: AIFlow, provider: ScriptedProvider) -> None:
    provider.answers("כן")

    @flow.ai_agent("", greeting="שלום")
    async def agent(call: AsyncAICall, text: str) -> None:
        await call.play_message("רגע")

    caller = Caller(flow)
    caller.dial()

    assert caller.says("מה שלומך") == "רגע כן"


def test_a_handler_that_returns_its_last_message_returns_nothing(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    async def root(call: AsyncAICall) -> Any:  # noqa: ANN401 - what play_message returns
        return call.play_message("להתראות")

    flow.get("7")(lambda call: call.play_message("שלום"))

    assert line.enter("") == "id_list_message=t-להתראות"
    assert line.enter("7") == "id_list_message=t-שלום"


def test_an_agents_function_that_returns_its_last_message_leaves_the_answer_to_the_ai(
    flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("כן")

    async def agent(call: AsyncAICall, text: str) -> Any:  # noqa: ANN401 - what play_message returns
        return call.play_message("רגע")

    flow.ai_agent("", greeting="שלום")(agent)
    caller = Caller(flow)
    caller.dial()

    assert caller.says("מה שלומך") == "רגע כן"


def test_a_plain_handler_awaits_nothing(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        assert call.play_message("שלום") is None  # type: ignore[func-returns-value]  # that is the test
        call.hangup()

    assert line.enter("") == "id_list_message=t-שלום&go_to_folder=hangup"


@pytest.mark.parametrize(
    ("folder", "target"),
    [
        ("", "/"),
        ("/", "/"),
        ("/sales/", "/sales"),
        ("sales/", "sales"),
        ("//1//2", "/1/2"),
        ("hangup ", "hangup"),
        ("\u200fhangup", "hangup"),
        (" /5 ", "/5"),
        ("..", ".."),
        ("../1", "../1"),
        (".", "."),
        (5, "5"),
        (0, "0"),
        (None, "/"),
    ],
)
def test_a_folder_is_sent_without_needless_slashes_and_spaces(
    flow: AIFlow,
    line: Line,
    folder: Any,  # noqa: ANN401 - as without mypy
    target: str,
) -> None:
    flow.get("7")(lambda call: call.goto(folder))

    assert line.enter("7") == f"go_to_folder={target}"
