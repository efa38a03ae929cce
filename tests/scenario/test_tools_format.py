"""Tools in a scenario file: ``agent: {calls: …}``, ``tool:``, ``afterwards: {tools: …, check: …}``."""

from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai_testing.doubles.steps import Answer, Calls, Failure, Step
from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.scenario.format.dump import dumps, step_text
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.format.model import ExpectedTool, Scenario

PATH = Path("x.call.yaml")
STATUS = Calls(("order_status",), ({"id": 7},))
READY = Answer(("מוכנה",))


def scenario(turns: str, extra: str = "", file: str = "") -> Scenario:
    text = f"{file}\nscenarios:\n- name: א\n  turns: [{{hears: שלום}}, {turns}]\n{extra}"
    (loaded,) = loads(text, PATH).scenarios
    return loaded


def problems(turns: str, extra: str = "", file: str = "") -> list[str]:
    with pytest.raises(ScenarioLoadError) as caught:
        scenario(turns, extra, file)
    return [problem.removeprefix("x.call.yaml:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("agent", "steps"),
    [
        ("{calls: order_status, with: {id: 7}, then: {answers: מוכנה}}", (STATUS, READY)),
        ("[{calls: order_status, with: {id: 7}}, {answers: מוכנה}]", (STATUS, READY)),
        ("{calls: order_status, with: {id: 7}, then: [{answers: מוכנה}]}", (STATUS, READY)),
        ("[{calls: order_status, with: [{id: 7}], then: {answers: מוכנה}}]", (STATUS, READY)),
        (
            "{calls: a, then: {calls: order_status, with: {id: 7}, then: {answers: מוכנה}}}",
            (Calls(("a",)), STATUS, READY),
        ),
        (
            "{calls: a, then: [{fails: overloaded}, {answers: מוכנה}]}",
            (Calls(("a",)), Failure("overloaded"), READY),
        ),
        (
            "{calls: [a, b], with: [{x: 1}, {}], saying: רגע, after: 2s, then: {answers: מוכנה}}",
            (Calls(("a", "b"), ({"x": 1}, {}), 2.0, "רגע"), READY),
        ),
    ],
)
def test_what_comes_then_is_the_next_step(agent: str, steps: tuple[Step, ...]) -> None:
    assert scenario(f"{{says: א, agent: {agent}}}").turns[1].agent == steps


def test_the_arguments_of_a_call_are_values_of_json() -> None:
    written = (
        "{n: 7, text: '7', phone: 0501234567, abroad: +97225000000, hour: 12:30, word: no, yes: true, "
        "nothing: ~, price: -1.5e2, long: 1e999, list: [1, {deep: א}]}"
    )
    (call, _) = (
        scenario(f"{{says: א, agent: [{{calls: a, with: {written}}}, {{answers: ב}}]}}").turns[1].agent
    )
    assert isinstance(call, Calls)
    assert call.arguments == (
        {
            "n": 7,
            "text": "7",
            "phone": "0501234567",
            "abroad": "+97225000000",
            "hour": "12:30",
            "word": "no",
            "yes": True,
            "nothing": None,
            "price": -150.0,
            "long": "1e999",
            "list": [1, {"deep": "א"}],
        },
    )


@pytest.mark.parametrize(
    "turns",
    [
        "{says: א, agent: {calls: a}, meanwhile: {hangs_up: true}}",
        '{says: א, agent: {calls: a}, meanwhile: [{calls: "b:c"}, {presses: "1", after: 2s}]}',
        "{says: א, agent: {calls: a}}, {hangs_up: true}",
        "{says: א, agent: {calls: a}}, {presses: '1', agent: {answers: ב}}",
        "{says: א, agent: {calls: a}}, {silent: true}, {presses: '1', agent: {answers: ב}}",
    ],
)
def test_a_caller_can_act_before_the_model_gets_a_result(turns: str) -> None:
    assert scenario(turns).turns[1].agent == (Calls(("a",)),)


@pytest.mark.parametrize(
    ("turns", "place"),
    [
        ("{says: א, agent: {calls: a}}", "4:43"),
        ("{says: א, agent: [{answers: ב}, {calls: a}]}", "4:58"),
        ("{says: א, agent: {calls: a, then: {calls: b}}}", "4:60"),
        ("{says: א, agent: {calls: a, then: [{calls: b, then: {calls: c}}]}}", "4:78"),
        ("{says: א, agent: {calls: a}}, {says: ב}", "4:43"),
        ('{says: א, agent: {calls: a}, meanwhile: {calls: "b:c"}}', "4:43"),
    ],
)
def test_a_call_whose_result_nothing_answers_is_a_mistake(turns: str, place: str) -> None:
    (problem,) = problems(turns)
    assert problem.startswith(f"{place}: nothing answers the result of the call: write then: {{answers: …}}")


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("{calls: a, wth: {b: 1}, then: {answers: ב}}", "agent has no 'wth' (did you mean 'with'?)"),
        ("{calls: a, then: {anwers: ב}}", "agent.then has no 'anwers' (did you mean 'answers'?)"),
        ("{calls: a, with: 7, then: {answers: ב}}", "agent.with must be the arguments of the call, such as"),
        ("{calls: a, with: b, then: {answers: ב}}", "agent.with must be the arguments of the call, such as"),
        ("{calls: a, with: [1], then: {answers: ב}}", "each item of agent.with must be a mapping"),
        (
            "{calls: [a, b], with: {c: 1}, then: {answers: ב}}",
            "agent.with needs the arguments of each of 2 calls",
        ),
        (
            "{calls: a, with: [{}, {}], then: {answers: ב}}",
            "agent.with needs the arguments of each of 1 calls",
        ),
        ("{calls: a, with: {b: 1, b: 2}, then: {answers: ב}}", "'b' is written twice in agent.with"),
        (
            "{calls: a, with: {b: {[c]: 1}}, then: {answers: ב}}",
            "a key of agent.with must be a word, not a list",
        ),
        ("{calls: [], then: {answers: ב}}", "agent.calls must not be empty"),
        ("{calls: a, then: []}", "agent.then must not be empty"),
        ("{calls: a, then: ב}", "agent.then must be a mapping with after, answers, calls"),
        ("{answers: a, then: {answers: ב}}", "then belongs to calls"),
        ("{answers: a, with: {b: 1}}", "with belongs to calls"),
        ("{hangs: true, saying: רגע}", "saying belongs to answers or calls"),
        ("{calls: a, answers: ב}", "agent needs one of answers, calls"),
    ],
)
def test_a_mistake_in_a_call_is_named_at_its_place(agent: str, message: str) -> None:
    (problem,) = problems(f"{{says: א, agent: {agent}}}")
    assert problem.partition(": ")[2].startswith(message)


def test_a_replacement_of_a_scenario_wins_over_that_of_the_file() -> None:
    file = "tool: {a: {returns: 1}, b: {raises: no}}"
    tools = scenario("{says: א}", "  tool: {b: {returns: {n: 2}, after: 3s}, c: {after: 1s}}", file).tools
    assert [(one.name, one.returns, one.raises, one.after, one.runs) for one in tools] == [
        ("a", 1, None, 0.0, False),
        ("b", {"n": 2}, None, 3.0, False),
        ("c", None, None, 1.0, True),
    ]
    assert [one.location.line for one in tools] == [1, 5, 5]


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        ("{a: {return: 1}}", "tool.a has no 'return' (did you mean 'returns'?)"),
        ("{a: {returns: 1, raises: b}}", "a tool returns or raises: leave one out"),
        ("{a: {}}", "a tool needs one of returns, raises, after"),
        ("{a: מוכנה}", "tool.a must be a mapping with returns, raises, after"),
        ("{a: {after: 3}}", "tool.a.after must be a time with its unit"),
        ("{a: {raises: ''}}", "tool.a.raises must be a text"),
        ("[a]", "tool must be a mapping with names and values, not a list"),
        ("{a: {returns: {b: 1, b: 2}}}", "'b' is written twice in tool.a.returns"),
    ],
)
def test_a_mistake_in_a_replacement_is_named_at_its_place(tool: str, message: str) -> None:
    for extra, file in ((f"  tool: {tool}", ""), ("", f"tool: {tool}")):
        (problem,) = problems("{says: א}", extra, file)
        assert problem.partition(": ")[2].startswith(message)


def test_expected_tools_have_arguments_or_none() -> None:
    extra = (
        "  afterwards: {tools: [order_status, {cancel_order: {id: 7}}, {pay: {}}], check: 'shop.checks:paid'}"
    )
    afterwards = scenario("{says: א}", extra).afterwards
    assert afterwards is not None
    assert afterwards.tools == (
        ExpectedTool("order_status"),
        ExpectedTool("cancel_order", {"id": 7}),
        ExpectedTool("pay"),
    )
    assert (afterwards.check, afterwards.counts) == ("shop.checks:paid", {})


def test_no_tools_are_not_the_same_as_any_tools() -> None:
    found = [
        scenario("{says: א}", f"  afterwards: {{{one}}}").afterwards for one in ("tools: []", "errors: 0")
    ]
    assert [one.tools for one in found if one] == [(), None]


@pytest.mark.parametrize(
    ("afterwards", "message"),
    [
        ("{tools: a}", "afterwards.tools must be a list, not 'a'"),
        ("{tools: [{}]}", "each item of afterwards.tools must be one tool with its arguments, such as"),
        ("{tools: [{a: {}, b: {}}]}", "each item of afterwards.tools must be one tool with its arguments"),
        ("{tools: [{a: 1}]}", "each item of afterwards.tools.a must be a mapping"),
        ("{tool: [a]}", "afterwards has no 'tool' (did you mean 'tools'?)"),
        ("{check: paid}", "afterwards.check must be a function, such as shop.checks:is_paid, not 'paid'"),
    ],
)
def test_a_mistake_in_afterwards_is_named_at_its_place(afterwards: str, message: str) -> None:
    (problem,) = problems("{says: א}", f"  afterwards: {afterwards}")
    assert problem.partition(": ")[2].startswith(message)


def test_a_step_in_one_line_is_written_as_a_person_writes_it() -> None:
    assert step_text(STATUS) == '{calls: "order_status", with: {id: 7}}'
    assert step_text(Calls(("a", "b"), ({"x": 1.5}, {}))) == '{calls: ["a", "b"], with: [{x: 1.5}, {}]}'


def test_arguments_that_are_no_json_cannot_be_written() -> None:
    turn = scenario("{says: א, agent: {calls: a, then: {answers: ב}}}").turns[1]
    assert turn.agent[0] == Calls(("a",))
    with pytest.raises(ValueError, match="cannot express Calls"):
        step_text(Calls(("a",), ('{"broken',)))


def test_a_scenario_with_tools_is_written_as_it_was_loaded() -> None:
    text = """
        tool: {a: {returns: [1, 2.5, null, 'no']}}
        scenarios:
        - name: א
          turns: [{says: ב, agent: {calls: a, with: {b: 1e300}, then: {answers: ג}}}]
          afterwards: {tools: [{a: {b: 1e300}}]}
    """
    (first,), (again,) = (one.scenarios for one in (loads(text, PATH), loads(dumps(loads(text, PATH)), PATH)))
    assert [turn.agent for turn in again.turns] == [turn.agent for turn in first.turns]
    assert again.tools[0].returns == first.tools[0].returns == [1, 2.5, None, "no"]
    assert first.afterwards is not None
    assert again.afterwards is not None
    assert again.afterwards.tools == first.afterwards.tools == (ExpectedTool("a", {"b": 1e300}),)
