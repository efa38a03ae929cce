"""Scenarios of an application whose model calls tools."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent
from types import ModuleType
from typing import Any

import pytest

from tests.support.scenario_calls import failure_of
from yemot_ai import AIFlow, ToolContext, YemotAI, tool
from yemot_ai.errors import ToolError
from yemot_ai_testing import FakeCodex, ModelServer, ScriptedProvider
from yemot_ai_testing.doubles.script import ScriptMismatchError
from yemot_ai_testing.doubles.scripted_double import unchecked
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.scenario import CallOutcome
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.play.model_double import open_double
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import PlayTarget
from yemot_ai_testing.scenario.report.call_record import CallRecord, render_result
from yemot_ai_testing.scenario.report.failure import failure_report
from yemot_ai_testing.scenario.report.html.page import render

READY = (
    "{says: מה עם הזמנה שבע, agent: {calls: order_status, with: {id: 7}, then: {answers: מוכנה}}, "
    "hears: מוכנה}"
)


def order_status(call: ToolContext, id: int) -> dict[str, Any]:  # noqa: A002 - the name of the argument
    """Return the status of an order."""
    call.state["asked"] = id
    if id == 13:
        raise ToolError("there is no order 13")
    if id == 14:
        raise KeyError("14")
    return {"status": "מוכנה"}


@tool(says="בודק במערכת")
async def find_order(name: str) -> str:
    """Return the number of an order."""
    await asyncio.sleep(6)
    return f"7 ({name})"


@tool(confirm="לבטל את הזמנה {id}?")
def cancel_order(id: int) -> str:  # noqa: A002 - the name of the argument
    """Cancel an order."""
    return f"{id} בוטלה"


def play(turns: str, extra: str = "") -> ScenarioResult:
    """Play one call with an agent that has three tools; ``extra`` are further lines of the scenario."""
    provider = ScriptedProvider()
    flow = AIFlow(YemotAI(provider=provider, tools=[order_status, find_order, cancel_order]))

    @flow.ai_agent("", greeting="שלום")
    def agent(call: object, text: str) -> None: ...

    text = f"scenarios:\n- name: בדיקה\n  turns: [{{hears: שלום}}, {turns}]\n{indent(extra, '  ')}\n"
    (scenario,) = loads(text, Path("x.call.yaml")).scenarios
    return play_scenario(scenario, PlayTarget(flow, provider, grace=0.2))


def tools_of(result: ScenarioResult) -> list[tuple[str, str, int]]:
    """Return name, result and number of runs of each call of a tool."""
    return [(run.name, run.result or run.failure, run.times) for turn in result.turns for run in turn.tools]


def test_the_model_calls_a_tool_and_says_what_it_returns() -> None:
    result = play(READY, "afterwards: {tools: [{order_status: {id: 7}}], agent_turns: 1, sessions_open: 0}")
    assert result.failure is None, result.failure
    assert tools_of(result) == [("order_status", '{"status": "מוכנה"}', 1)]


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ("[]", 'tools: order_status({"id": 7}) ran, not none'),
        ("[cancel_order]", 'tools: order_status({"id": 7}) ran, not cancel_order'),
        ("[{order_status: {id: 8}}]", 'tools: order_status({"id": 7}) ran, not order_status({"id": 8})'),
        ("[{order_status: {id: '7'}}]", 'tools: order_status({"id": 7}) ran, not order_status({"id": "7"})'),
        (
            "[{order_status: {id: true}}]",
            'tools: order_status({"id": 7}) ran, not order_status({"id": true})',
        ),
        ("[{order_status: {no: 7}}]", 'tools: order_status({"id": 7}) ran, not order_status({"no": 7})'),
        (
            "[order_status, order_status]",
            'tools: order_status({"id": 7}) ran, not order_status, order_status',
        ),
    ],
)
def test_other_tools_than_expected_fail_the_scenario(tools: str, message: str) -> None:
    result = play(READY, f"afterwards: {{tools: {tools}}}")
    assert failure_of(result) == ("afterwards", (message,))
    assert result.failure is not None
    assert str(result.failure.location) == "x.call.yaml:4:15"


def test_the_order_of_tools_counts() -> None:
    turns = (
        "{says: א, agent: {calls: order_status, with: {id: 1}, then: {calls: find_order, with: {name: דן}, "
        "then: {answers: ב}}}}"
    )
    assert play(turns, "afterwards: {tools: [order_status, find_order]}").failure is None
    kind, (message,) = failure_of(play(turns, "afterwards: {tools: [find_order, order_status]}"))
    assert (kind, message.endswith("ran, not find_order, order_status")) == ("afterwards", True)


def test_a_scenario_without_calls_ran_no_tool() -> None:
    assert play("{says: א, agent: {answers: ב}}", "afterwards: {tools: []}").failure is None


def test_a_call_of_a_tool_that_does_not_exist_is_a_mistake_of_the_script() -> None:
    turns = "{says: א, agent: {calls: order_statu, then: {answers: ב}}, hears: ב}"
    failure = play(turns).failure

    assert failure is not None
    names = "there are cancel_order, find_order, order_status"
    message = f"agent: calls no tool 'order_statu' (did you mean 'order_status'?); {names}"
    assert (failure.kind, failure.messages) == ("script", (message,))


def test_an_unknown_tool_among_the_expected_ones_is_named() -> None:
    failure = play(READY, "afterwards: {tools: [order_statu]}").failure

    assert failure is not None
    assert failure.kind == "afterwards"
    assert "no tool 'order_statu' (did you mean 'order_status'?)" in failure.messages[0]


@pytest.mark.parametrize("mode", ["codex", "codex-app-server"])
def test_a_call_of_a_tool_on_a_line_of_codex_fails(mode: str) -> None:
    flow = AIFlow(YemotAI(mode))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    text = f"scenarios:\n- name: בדיקה\n  turns: [{{hears: שלום}}, {READY}]\n"
    (scenario,) = loads(text, Path("x.call.yaml")).scenarios
    with unchecked(FakeCodex()) as codex, ModelServer() as model:
        failure = play_scenario(scenario, PlayTarget(flow, open_double(codex, model))).failure
        with pytest.raises(ScriptMismatchError, match="call without a step: 'מה עם הזמנה שבע'"):
            codex.assert_complete()
    flow.ai.close()

    assert failure is not None
    hint = "declare it with tools=[…] and a provider that calls them, such as provider=OpenAIProvider()"
    message = f"agent: calls no tool 'order_status'; there are none: {hint}"
    assert (failure.kind, failure.messages[0]) == ("script", message)


@pytest.mark.parametrize("mode", ["codex", "codex-app-server"])
def test_a_call_that_reaches_an_agent_of_codex_beside_one_with_tools_is_explained(mode: str) -> None:
    flow = AIFlow(YemotAI(mode))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    with_tools = flow.ai_agent("/orders", greeting="שלום", tools=[find_order], provider=ScriptedProvider())
    with_tools(lambda call, text: None)
    turn = "{says: א, agent: {calls: find_order, with: {id: 7}, then: {answers: ב}}, hears: ב}"
    text = f"scenarios:\n- name: בדיקה\n  turns: [{{hears: שלום}}, {turn}]\n"
    (scenario,) = loads(text, Path("x.call.yaml")).scenarios
    with unchecked(FakeCodex()) as codex, ModelServer() as model:
        failure = play_scenario(scenario, PlayTarget(flow, open_double(codex, model))).failure
        flow.ai.close()

    assert failure is not None
    assert failure.messages[0].startswith(
        "agent: calls and transcribes are steps of a model service, and Codex"
    )


def test_a_tool_that_asks_for_consent_runs_after_it() -> None:
    turns = (
        "{says: בטל, agent: {calls: cancel_order, with: {id: 7}}, hears: 'לבטל את הזמנה 7?'}, "
        "{presses: '1', agent: {answers: בוטלה}, hears: בוטלה}"
    )
    result = play(turns, "afterwards: {tools: [{cancel_order: {id: 7}}]}")
    assert result.failure is None, result.failure
    assert [[run.outcome for run in turn.tools] for turn in result.turns] == [[], ["asks for consent"], [""]]


@pytest.mark.parametrize(
    ("replacement", "result", "seconds"),
    [
        ("{returns: {status: נשלחה, day: 3}}", '{"status": "נשלחה", "day": 3}', 0.0),
        ("{returns: בדרך, after: 3s}", "בדרך", 3.0),
        ("{returns: null}", "done", 0.0),
        ("{after: 3s}", '{"status": "מוכנה"}', 3.0),
    ],
)
def test_something_else_runs_in_the_place_of_a_tool(replacement: str, result: str, seconds: float) -> None:
    played = play(READY, f"tool: {{order_status: {replacement}}}\nafterwards: {{tools: [order_status]}}")
    assert played.failure is None, played.failure
    assert tools_of(played) == [("order_status", result, 1)]
    assert played.turns[1].tools[0].seconds == pytest.approx(seconds)


def test_a_replacement_can_fail_and_is_no_mistake_of_the_application() -> None:
    played = play(READY, "tool: {order_status: {raises: המערכת עמוסה}}\nafterwards: {errors: 0}")
    assert played.failure is None, played.failure
    (run,) = played.turns[1].tools
    assert (run.failure, run.message, run.has_failed) == ("tool_failed", "המערכת עמוסה", True)


def test_a_replacement_lasts_for_one_scenario() -> None:
    play(READY, "tool: {order_status: {returns: נשלחה}}")
    assert tools_of(play(READY)) == [("order_status", '{"status": "מוכנה"}', 1)]


def test_a_replacement_of_an_unknown_tool_names_those_that_exist() -> None:
    with pytest.raises(AppError) as caught:
        play(READY, "tool: {order_statu: {returns: 1}}")
    assert str(caught.value) == (
        "x.call.yaml:4:10: tool: no tool 'order_statu' (did you mean 'order_status'?); "
        "there are cancel_order, find_order, order_status"
    )


def test_a_tool_that_raises_is_a_mistake_of_the_application() -> None:
    kind, messages = failure_of(play(READY.replace("id: 7", "id: 14")))
    assert kind == "app_error"
    assert messages[0].endswith("KeyError: '14' (the tool order_status)")


def test_a_tool_error_is_none() -> None:
    result = play(READY.replace("id: 7", "id: 13"), "afterwards: {tools: [{order_status: {id: 13}}]}")
    assert result.failure is None, result.failure
    assert result.turns[1].tools[0].message == "there is no order 13"


def test_a_caller_hangs_up_while_a_tool_runs() -> None:
    turns = "{says: א, agent: {calls: find_order, with: {name: דן}}, meanwhile: {hangs_up: true, after: 3s}}"
    result = play(turns, "afterwards: {tools: [find_order], sessions_open: 0}")
    assert result.failure is None, result.failure
    assert result.turns[1].tools[0].is_unknown


def test_a_missing_answer_to_a_result_is_named() -> None:
    turns = (
        "{says: א, agent: {calls: order_status, with: {id: 7}}, hears: מוכנה}, {says: ג, agent: {answers: ד}}"
    )
    kind, messages = failure_of(play(turns))
    assert kind == "script"
    assert messages[0] == (
        "the model was asked 'א', with the result of its call, but agent: has no step for it, such as "
        "then: {answers: …}"
    )


# -- reports


def test_the_conversation_shows_a_tool_between_the_words() -> None:
    turns = "{says: א, agent: {calls: find_order, with: {name: דן}, then: {answers: שבע}}}"
    lines = [line.split(maxsplit=1) for line in render_result(play(turns)).splitlines()[4:]]
    assert lines[:3] == [
        ["0:00.3", "caller  “א”"],
        ["0:00.3", 'tool  find_order({"name": "דן"}) (6.0 s) → 7 (דן)'],
        ["0:00.3", "· · ·  2.0 s of silence"],
    ]
    assert lines[-3] == ["0:07.5", "line  שבע"]


@pytest.mark.parametrize(
    ("turn", "text"),
    [
        (READY.replace("id: 7", "id: 13"), 'order_status({"id": 13}) (0.0 s, failed) → there is no order 13'),
        (READY.replace("order_status", "no_tool"), 'no_tool({"id": 7}) (failed) → there is no tool'),
        (
            "{says: א, agent: {calls: find_order, with: {name: דן}}, meanwhile: {hangs_up: true, after: 3s}}",
            'find_order({"name": "דן"}) (has no result)',
        ),
    ],
)
def test_a_tool_without_a_result_is_visible(turn: str, text: str) -> None:
    result = play(turn)
    assert f"   tool  {text}" in render_result(result)
    page = render([CallRecord.from_result(result)], written=datetime(2026, 11, 30, tzinfo=UTC))
    assert '<li class="row mark tool-failed ' in page
    assert "כלי שלא החזיר תוצאה" in page


def test_a_failure_message_shows_the_tools_so_far() -> None:
    result = play(READY.replace("hears: מוכנה", "hears: נשלחה"))
    report = failure_report(CallRecord.from_result(result))
    assert 'tool  order_status({"id": 7}) (0.0 s) → {"status": "מוכנה"}' in report


def test_a_record_with_tools_is_sent_between_processes() -> None:
    record = CallRecord.from_result(play(READY))
    again = CallRecord.loads(record.dumps())
    assert [turn.timeline for turn in again.turns] == [turn.timeline for turn in record.turns]
    assert [event.kind for event in record.timeline if event.origin == "tool"] == ["tool"]


def test_a_silence_is_shown_before_a_tool_that_ran_in_it() -> None:
    turns = (
        "{says: א, agent: [{calls: find_order, with: {name: דן}}, "
        "{calls: order_status, with: {id: 7}}, {answers: ב}]}"
    )
    timeline = CallRecord.from_result(play(turns)).timeline
    assert [event.at for event in timeline] == sorted(event.at for event in timeline)
    assert [event.origin for event in timeline].index("silence") < [
        event.text[:5] for event in timeline
    ].index("order")


# -- the function that checks the outcome


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[CallOutcome]:
    """The module ``checks``, and the outcomes that its functions got."""
    module = ModuleType("checks")
    outcomes: list[CallOutcome] = []

    def sees(outcome: CallOutcome) -> None:
        outcomes.append(outcome)

    async def sees_soon(outcome: CallOutcome) -> bool:
        await asyncio.sleep(0.5)
        outcomes.append(outcome)
        return True

    def fails(outcome: CallOutcome) -> None:
        assert outcome.state["asked"] == 8, "another order was asked for"

    def refuses(outcome: CallOutcome) -> bool:
        return not outcome.tools

    async def refuses_soon(outcome: CallOutcome) -> bool:
        return not outcome.tools

    def breaks(outcome: CallOutcome) -> None:
        raise KeyError(outcome.turns[0].id)

    async def hangs(outcome: CallOutcome) -> None:
        await asyncio.Event().wait()

    def yields(outcome: CallOutcome) -> Iterator[CallOutcome]:
        yield outcome

    for function in (sees, sees_soon, fails, refuses, refuses_soon, breaks, hangs, yields):
        setattr(module, function.__name__, function)
    module.number = 7  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "checks", module)
    return outcomes


@pytest.mark.parametrize("function", ["sees", "sees_soon"])
def test_a_check_gets_what_the_call_has_led_to(checks: list[CallOutcome], function: str) -> None:
    result = play(READY, f"afterwards: {{check: 'checks:{function}'}}")
    assert result.failure is None, result.failure
    (outcome,) = checks
    assert outcome.call_id == dict(result.exchanges[0].pairs)["ApiCallId"]
    assert dict(outcome.state) == {"asked": 7}
    assert [(turn.text, turn.answer) for turn in outcome.turns] == [("מה עם הזמנה שבע", "מוכנה")]
    assert [(run.name, run.arguments, run.times) for run in outcome.tools] == [("order_status", {"id": 7}, 1)]
    assert "מוכנה" in [str(event) for event in outcome.transcript]


@pytest.mark.usefixtures("checks")
@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("fails", f"check checks:fails ({__file__}:"),
        ("refuses", "check checks:refuses returned False"),
        ("refuses_soon", "check checks:refuses_soon returned False"),
        ("breaks", f"check checks:breaks ({__file__}:"),
        ("hangs", "check checks:hangs did not return within 10 s"),
        ("yields", "check checks:yields returned a generator, of which nothing has run"),
        ("number", "check checks:number: 7 cannot be called"),
        ("fail", "check checks:fail: <module 'checks'> has no 'fail'; did you mean"),
    ],
)
def test_a_check_that_fails_fails_the_scenario(function: str, message: str) -> None:
    result = play(READY, f"afterwards: {{check: 'checks:{function}'}}")
    kind, (text,) = failure_of(result)
    assert (kind, text[: len(message)]) == ("afterwards", message)
    assert result.failure is not None
    assert str(result.failure.location) == "x.call.yaml:4:15"


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("assert outcome.state['asked'] == 8, 'another order was asked for'", "another order was asked for"),
        ("assert outcome.state['asked'] == 8", "assert outcome.state['asked'] == 8"),
        ("outcome.state['paid']", "KeyError: 'paid'"),
    ],
)
def test_a_failed_check_says_where_and_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "shop_checks", raising=False)
    path = tmp_path / "shop_checks.py"
    path.write_text(f"def paid(outcome):\n    {check}\n", encoding="utf-8")
    try:
        _, (message,) = failure_of(play(READY, "afterwards: {check: 'shop_checks:paid'}"))
    finally:
        sys.modules.pop("shop_checks", None)
    assert message == f"check shop_checks:paid ({path}:2): {said}"


def test_a_check_of_each_call_gets_its_own(checks: list[CallOutcome]) -> None:
    for number in (1, 2):
        play(READY.replace("id: 7", f"id: {number}"), "afterwards: {check: 'checks:sees'}")
    assert [dict(outcome.state) for outcome in checks] == [{"asked": 1}, {"asked": 2}]


def test_counts_tools_and_check_are_reported_together(checks: list[CallOutcome]) -> None:
    result = play(READY, "afterwards: {agent_turns: 2, tools: [], check: 'checks:refuses'}")
    assert failure_of(result)[1] == (
        "agent_turns: 1, not 2",
        'tools: order_status({"id": 7}) ran, not none',
        "check checks:refuses returned False",
    )
    assert checks == []
