from __future__ import annotations

from pathlib import Path

import pytest

from tests.property.faults import replay_apps
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.errors import AppError, OrderSyntaxError
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import PlayTarget

SCENARIO = """
scenarios:
- name: x
  {order}
  turns:
  - says: אמירה 7001
    hears: "7001"
"""


def play(app: AIFlow, order: str) -> ScenarioResult:
    (scenario,) = loads(SCENARIO.format(order=order), Path("x.call.yaml")).scenarios
    return play_scenario(scenario, PlayTarget(app))


def test_a_scenario_runs_the_tasks_in_its_order() -> None:
    as_they_come = play(replay_apps.speaks_before_it_remembers(), "")
    by_priority = play(replay_apps.speaks_before_it_remembers(), "order: priorities 0")

    assert as_they_come.failure is None
    assert by_priority.failure is not None


def test_an_engine_that_cannot_order_tasks_is_an_error() -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))
    flow.ai_agent("")(lambda call, text: None)

    with pytest.raises(AppError, match=r"order: 'priorities 0' needs an application .* EchoProvider"):
        play(flow, "order: priorities 0")


def test_a_text_that_is_no_order_is_an_error_that_shows_one() -> None:
    with pytest.raises(OrderSyntaxError, match="'quickly' is not an order: write for example"):
        play(replay_apps.speaks_before_it_remembers(), "order: quickly")
