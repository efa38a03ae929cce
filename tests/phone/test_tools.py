"""Tools in calls by hand: what a person sees of them, and what is saved."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.phone.test_call import do
from yemot_ai_testing.doubles.steps import Answer, Calls, Step
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.phone.model import PhoneModel
from yemot_ai_testing.phone.replay import find_scenario, replay
from yemot_ai_testing.phone.save import save_call
from yemot_ai_testing.phone.target import open_phone_target
from yemot_ai_testing.phone.terminal.rows import conversation_lines
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.format.model import ExpectedTool
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import RunSettings, open_target

NAME = "tool_line_of_test"
LINE = """
from yemot_ai import AIFlow, YemotAI, tool
from yemot_ai.errors import ToolError

def order_status(id: int) -> str:
    '''Return the status of an order.'''
    if id == 13:
        raise ToolError("there is no order 13")
    return f"{id} מוכנה"

@tool(confirm="לבטל את {id}?")
def cancel_order(id: int) -> str:
    '''Cancel an order.'''
    return "בוטלה"

flow = AIFlow(YemotAI("openai", tools=[order_status, cancel_order]))

@flow.ai_agent("", greeting="שלום")
def agent(call, text): ...
"""


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / f"{NAME}.py").write_text(LINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield f"{NAME}:flow"
    sys.modules.pop(NAME, None)


def test_a_tool_is_seen_between_the_words(line: str) -> None:
    model = PhoneModel(
        [Calls(("order_status",), ({"id": 7},)), Answer(("מוכנה",)), Calls(("order_status",), ({"id": 13},))]
    )
    with open_phone_target(line, model) as target, target.dial() as call:
        do(call, "says מה עם שבע")
        before = call.view().rows
        do(call, "says ועם שלוש עשרה")
        view = call.view()
    kinds = [
        (row.kind, row.text) for row in view.rows if row.kind in {"says", "speaks"} or row.origin == "tool"
    ]
    assert kinds == [
        ("speaks", "שלום"),
        ("says", "מה עם שבע"),
        ("tool", 'order_status({"id": 7}) (0.0 s) → 7 מוכנה'),
        ("speaks", "מוכנה"),
        ("says", "ועם שלוש עשרה"),
        ("tool failed", 'order_status({"id": 13}) (0.0 s, failed) → there is no order 13'),
        ("speaks", "אמרת, ועם שלוש עשרה"),
    ]
    assert view.rows[: len(before)] == before
    shown = "".join(str(text) for row in view.rows for text in conversation_lines(row, 80, visual=False))
    assert shown.count("tool order_status(") == 2


def test_a_saved_call_has_the_calls_of_tools(line: str, tmp_path: Path) -> None:
    model = PhoneModel(
        [
            Calls(("order_status", "order_status"), ({"id": 7}, {"id": 8})),
            Answer(("מוכנות",)),
            Calls(("cancel_order",), ({"id": 7},)),
            Answer(("בוטלה",)),
        ]
    )
    with open_phone_target(line, model) as target, target.dial() as call:
        do(call, "says מה עם שבע ושמונה", "says בטל את שבע", "presses 1", "hangs-up")
        path = save_call(target, call, "orders", tmp_path)
    (scenario,) = load(path).scenarios
    assert [turn.agent for turn in scenario.turns] == [
        (),
        (Calls(("order_status", "order_status"), ({"id": 7}, {"id": 8})), Answer(("מוכנות",))),
        (Calls(("cancel_order",), ({"id": 7},)),),
        (Answer(("בוטלה",)),),
        (),
    ]


def test_a_saved_call_has_the_tools_that_ran(line: str, tmp_path: Path) -> None:
    steps: list[Step] = [
        Calls(("order_status",), ({"id": 7},)),
        Answer(("מוכנה",)),
        Calls(("cancel_order",), ({"id": 7},)),
        Calls(("no_such_tool",)),
        Answer(("לא",)),
    ]
    with open_phone_target(line, PhoneModel(steps)) as target, target.dial() as call:
        do(call, "says מה עם שבע", "says בטל את שבע", "presses 2", "says עוד משהו", "hangs-up")
        path = save_call(target, call, "orders", tmp_path)
    (scenario,) = load(path).scenarios
    assert scenario.afterwards is not None
    assert scenario.afterwards.tools == (ExpectedTool("order_status", {"id": 7}),)


def test_a_saved_call_without_tools_expects_nothing_afterwards(line: str, tmp_path: Path) -> None:
    with open_phone_target(line) as target, target.dial() as call:
        do(call, "says מה עם שבע", "hangs-up")
        path = save_call(target, call, "orders", tmp_path)
    assert load(path).scenarios[0].afterwards is None


def test_a_replayed_call_is_saved_with_what_runs_in_the_place_of_its_tools(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.call.yaml").write_text(
        "scenarios:\n- name: א\n  tool: {order_status: {returns: בדרך}}\n  turns:\n  - says: מה עם שבע\n"
        "    agent: {calls: order_status, with: {id: 7}, then: {answers: בדרך}}\n",
        encoding="utf-8",
    )
    with open_phone_target(line) as target, replay(target, find_scenario("a.call.yaml")) as call:
        assert call.wait(10)
        path = save_call(target, call, "again", tmp_path)
    (scenario,) = load(path).scenarios
    assert [(one.name, one.returns) for one in scenario.tools] == [("order_status", "בדרך")]


def test_a_saved_call_with_tools_is_a_scenario_that_passes(line: str, tmp_path: Path) -> None:
    steps: list[Step] = [Calls(("order_status",), ({"id": 7},)), Answer(("מוכנה",))]
    with open_phone_target(line, PhoneModel(steps)) as target, target.dial() as call:
        do(call, "says מה עם שבע", "hangs-up")
        path = save_call(target, call, "orders", tmp_path)
    text = path.read_text(encoding="utf-8")
    scripted = LINE.replace('YemotAI("openai"', "YemotAI(provider=ScriptedProvider()")
    module = f"from yemot_ai_testing import ScriptedProvider\n{scripted}"
    (tmp_path / f"{NAME}.py").write_text(module, encoding="utf-8")
    sys.modules.pop(NAME, None)
    (scenario,) = load(path).scenarios
    with open_target(RunSettings(), scenario.app) as play_target:
        result = play_scenario(scenario, play_target)
    assert result.failure is None, text


@pytest.mark.parametrize(("name", "heard"), [("order_status", "בדרך"), ("order_statu", "")])
def test_a_replayed_scenario_replaces_its_tools(line: str, tmp_path: Path, name: str, heard: str) -> None:
    (tmp_path / "a.call.yaml").write_text(
        f"scenarios:\n- name: א\n  tool: {{{name}: {{returns: בדרך}}}}\n  turns:\n  - says: מה עם שבע\n"
        "    agent: {calls: order_status, with: {id: 7}, then: {answers: בדרך}}\n    hears: בדרך\n",
        encoding="utf-8",
    )
    with open_phone_target(line) as target:
        if not heard:
            with pytest.raises(AppError, match=r"a\.call\.yaml:3:10: tool: no tool 'order_statu'"):
                replay(target, find_scenario("a.call.yaml"))
            return
        with replay(target, find_scenario("a.call.yaml")) as call:
            assert call.wait(10)
            assert [run.result for run in call.tools] == [heard]
            assert call.view().notice == ""
