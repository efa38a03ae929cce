"""A mistake in the developer's own code fails a scenario, whatever the caller was expected to hear."""

from __future__ import annotations

from tests.support.scenario_calls import PlayModule
from yemot_ai_testing.scenario.play.result import ScenarioFailure, ScenarioResult

FLOW = """
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider

flow = AIFlow(YemotAI(provider=ScriptedProvider()))
"""
AGENT = FLOW + '\n@flow.ai_agent("agent", greeting="שלום")\ndef agent(call, text): ...\n'
MOVES = AGENT + '\n@flow.get("")\ndef menu(call):\n    call.goto("{target}")\n'
RELATIVE = (
    FLOW
    + """
@flow.ai_agent("agent", greeting="שלום")
def agent(call, text):
    call.goto("appointment")

@flow.get("appointment")
def appointment(call):
    call.read("מתי לבוא", mode="voice")
"""
)


def failure(result: ScenarioResult) -> ScenarioFailure:
    assert result.failure is not None
    return result.failure


def test_a_move_to_no_handler_ends_the_circle_and_comes_first(play_module: PlayModule) -> None:
    (result,) = play_module(MOVES.format(target="/ajent"), "- {name: א, turns: [{hears: שלום}]}")
    assert failure(result).kind == "app_error"
    first, second = failure(result).messages
    assert first.startswith("no-handler: / goes to '/ajent'")
    assert "did you mean '/agent'?" in first
    assert "the call goes round through /, /ajent" in second
    assert len(result.exchanges) < 10


def test_a_relative_move_fails_a_scenario_that_accepts_any_words(play_module: PlayModule) -> None:
    scenario = """
    - name: א
      caller: {extension: agent}
      turns:
        - says: תור בבקשה
    """
    (result,) = play_module(RELATIVE, scenario)
    assert failure(result).kind == "app_error"
    assert failure(result).turn == 1
    assert "did you mean '/appointment'?" in failure(result).messages[0]
    assert not failure(result).is_wording


def test_a_move_to_no_handler_is_no_wording(play_module: PlayModule) -> None:
    scenario = """
    - name: א
      caller: {extension: agent}
      turns:
        - says: תור בבקשה
          hears: מתי לבוא
    """
    (result,) = play_module(RELATIVE, scenario)
    assert failure(result).kind == "app_error"
    assert not failure(result).is_wording


def test_a_move_to_a_handler_passes(play_module: PlayModule) -> None:
    (result,) = play_module(MOVES.format(target="/agent"), "- {name: א, turns: [{hears: שלום}]}")
    assert result.failure is None
    assert result.warnings == ()
