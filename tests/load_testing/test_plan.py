from __future__ import annotations

from dataclasses import replace

import pytest

from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.load.plan import LoadPlan, numbered
from yemot_ai_testing.scenario.format.model import CallerAction

URL = "http://127.0.0.1:8000/"

TWO_CALLS = """
scenarios:
  - name: menu
    caller: {phone: "0527654321", extension: orders, method: POST}
    turns:
      - presses: "1"
        hears: {contains: name}
      - says: אמירה 7001
        agent: [{answers: yes}]
      - silent: true
  - name: listener
    turns:
      - hears: {contains: hello}
      - hears: {ends: agent}
"""


def test_a_plan_without_a_scenario_speaks_and_hangs_up() -> None:
    call = LoadPlan(URL, utterances=2, extension="1").call(7)

    assert [action.verb for action in call.actions] == ["says", "says", "hangs_up"]
    assert (call.phone, call.extension, call.method) == ("0500000007", "1", "GET")


def test_scenarios_are_played_in_turn() -> None:
    plan = LoadPlan(URL, scenario=TWO_CALLS, name="two.call.yaml")
    first, second, third = (plan.call(number) for number in (1, 2, 3))

    assert first.actions == third.actions
    assert first.actions == (
        CallerAction("presses", "1"),
        CallerAction("says", "אמירה 7001"),
        CallerAction("silent"),
    )
    assert (first.phone, first.extension, first.method) == ("0527654321", "orders", "POST")
    assert second.actions == (CallerAction("silent"),)
    assert second.phone == "0500000002"


def test_what_is_not_played_of_a_scenario_is_named() -> None:
    plan = LoadPlan(URL, scenario=TWO_CALLS, name="two.call.yaml")

    assert plan.left_out == "of two.call.yaml only the steps of the caller are played, not hears:, agent:"
    assert replace(plan, scenario="").left_out == ""


def test_a_scenario_with_a_mistake_is_refused_with_its_place() -> None:
    with pytest.raises(ScenarioLoadError, match=r"bad\.call\.yaml:2:"):
        LoadPlan(URL, scenario="scenarios:\n  - nam: x\n", name="bad.call.yaml").call(1)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("אמירה 7001", "אמירה 7009"),
        ("כן, אמירה 70015, בבקשה", "כן, אמירה 7009, בבקשה"),
        ("הקוד הוא 1234", None),
        ("אמירה", None),
        ("", None),
    ],
)
def test_only_a_numbered_utterance_gets_its_own_number(said: str, expected: str | None) -> None:
    assert numbered(said, "7009") == expected


def test_a_plan_travels_as_text() -> None:
    plan = LoadPlan(URL, 500, 20, scenario=TWO_CALLS, name="two.call.yaml", remote=True)

    assert LoadPlan.loads(plan.dumps()) == plan
