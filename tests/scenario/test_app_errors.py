"""A mistake in the developer's own code fails a scenario, whatever the caller was expected to hear."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.conftest import MODULE
from tests.support.scenario_calls import PlayModule
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider
from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.play.result import EXPECTATION_KINDS, ScenarioFailure, ScenarioResult
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import PlayTarget
from yemot_ai_testing.scenario.update import ScenarioUpdate

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


HANDLER = FLOW + '\n{code}\n\nflow.get("")(menu)\n'
AGENT_CODE = FLOW + '\n@flow.ai_agent("", greeting="שלום")\n{code}\n'
HOOK = (
    AGENT
    + """
@flow.get("")
def menu(call):
    call.read("הקישו משהו", mode="tap", max_digits=1)
    call.hangup()

@{where}
{code}
"""
)
LISTENS = "- {name: א, turns: [{hears: {excludes: שלום לכולם}}]}"
SPEAKS = "- {name: א, turns: [{says: מתי פותחים}]}"
PRESSES = '- {name: א, turns: [{presses: "1"}]}'

GROUP = """
async def later():
    return 1 / 0

async def menu(call):
    import asyncio
    async with asyncio.TaskGroup() as group:
        group.create_task(later())
"""

MISTAKES = {
    "a handler raises": (HANDLER, "def menu(call):\n    raise KeyError('price')", LISTENS, 8, "KeyError"),
    "an async handler raises": (
        HANDLER,
        "async def menu(call):\n    raise KeyError('price')",
        LISTENS,
        8,
        "KeyError",
    ),
    "a handler returns a text": (
        HANDLER,
        "def menu(call):\n    return 'שלום, כאן המאפייה'",
        LISTENS,
        7,
        "returned",
    ),
    "a handler awaits nothing": (
        HANDLER,
        "async def menu(call):\n    call.ask_ai('שלום')",
        LISTENS,
        8,
        "never awaited",
    ),
    "a handler keeps what cannot be saved": (
        HANDLER,
        "def menu(call):\n    call.state['x'] = object()\n    call.play_message('שלום')",
        LISTENS,
        7,
        "cannot be saved",
    ),
    "a task of a handler raises": (
        HANDLER,
        GROUP,
        LISTENS,
        9,
        "ZeroDivisionError",
    ),
    "an agent raises": (AGENT_CODE, "def agent(call, text):\n    return {}['x']", SPEAKS, 9, "KeyError: 'x'"),
    "an async agent raises": (
        AGENT_CODE,
        "async def agent(call, text):\n    return {}['x']",
        SPEAKS,
        9,
        "KeyError: 'x'",
    ),
    "an agent returns a number": (
        AGENT_CODE,
        "def agent(call, text):\n    return 5",
        SPEAKS,
        7,
        "returned int",
    ),
    "an agent awaits nothing": (
        AGENT_CODE,
        "async def agent(call, text):\n    call.ask_ai('שלום')",
        SPEAKS,
        9,
        "never awaited",
    ),
    "an agent keeps what cannot be saved": (
        AGENT_CODE,
        "def agent(call, text):\n    call.state['x'] = object()\n    return 'שלום'",
        SPEAKS,
        7,
        "cannot be saved",
    ),
    "a hook at the start raises": (
        HOOK.replace("{where}", "flow.ai.on_call_start"),
        "def hook(call_id, phone):\n    raise KeyError('crm')",
        PRESSES,
        17,
        "the hook hook",
    ),
    "a hook at the end raises": (
        HOOK.replace("{where}", "flow.ai.on_call_end"),
        "async def hook(summary, usage):\n    raise KeyError('crm')",
        PRESSES,
        17,
        "the hook hook",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_fails_a_scenario_that_accepts_any_words(play_module: PlayModule, mistake: str) -> None:
    module, code, scenario, line, cause = MISTAKES[mistake]
    (result,) = play_module(module.replace("{code}", code), scenario)
    assert failure(result).kind == "app_error"
    place, _, message = failure(result).messages[0].partition(": ")
    assert place.endswith(f"{MODULE}.py:{line}")
    assert cause in message
    assert not failure(result).is_wording


EXPECTED = """
- name: א
  turns:
    - says: מתי פותחים
      hears: סליחה
  afterwards: {errors: 1, agent_turns: 0}
"""
RAISES = AGENT_CODE.replace("{code}", "def agent(call, text):\n    return {}['x']")


def test_an_error_that_the_scenario_counts_passes(play_module: PlayModule) -> None:
    (result,) = play_module(RAISES, EXPECTED)
    assert result.failure is None


def test_an_error_that_did_not_come_fails(play_module: PlayModule) -> None:
    (result,) = play_module(RAISES, EXPECTED.replace("errors: 1", "errors: 2"))
    assert failure(result).kind == "afterwards"
    assert failure(result).messages == ("errors: 1, not 2",)


def test_without_an_error_none_is_counted(play_module: PlayModule) -> None:
    scenario = "- {name: א, turns: [{hears: שלום}], afterwards: {errors: 0}}"
    (result,) = play_module(AGENT_CODE.replace("{code}", "def agent(call, text): ..."), scenario)
    assert result.failure is None


def test_a_scripted_failure_of_the_model_is_no_mistake(play_module: PlayModule) -> None:
    scenario = """
    - name: א
      turns:
        - says: מתי פותחים
          agent: {fails: unauthorized}
        - says: מתי פותחים
          agent: {fails: refused_request}
          hears: אי אפשר לענות
      afterwards: {errors: 0}
    """
    (result,) = play_module(AGENT_CODE.replace("{code}", "def agent(call, text): ..."), scenario)
    assert result.failure is None


def test_a_scripted_failure_in_a_handler_is_no_mistake(play_module: PlayModule) -> None:
    module = f"{AGENT}\n@flow.get('1')\ndef shop(call):\n    call.play_message(call.ask_ai('מתי'))\n"
    scenario = """
    - name: א
      caller: {extension: "1"}
      turns: [{agent: {fails: refused_request}, hears: אי אפשר לענות}]
    """
    (result,) = play_module(module, scenario)
    assert result.failure is None


def test_an_error_comes_before_an_unused_step_and_other_words(play_module: PlayModule) -> None:
    scenario = """
    - name: א
      turns:
        - says: מתי פותחים
          agent: {answers: בשמונה}
          hears: בשמונה
    """
    (result,) = play_module(RAISES, scenario)
    assert failure(result).kind == "app_error"
    first, *others = failure(result).messages
    assert "KeyError: 'x' (the agent of extension '')" in first
    assert any("בשמונה" in message for message in others)


def test_an_error_after_the_last_turn_is_before_the_words_of_a_turn(play_module: PlayModule) -> None:
    module, code, _, _, _ = MISTAKES["a hook at the end raises"]
    scenario = "- {name: א, turns: [{hears: בוקר טוב}]}"
    (result,) = play_module(module.replace("{code}", code), scenario)
    assert failure(result).kind == "app_error"
    assert len(failure(result).messages) == 2
    assert not failure(result).is_wording


@pytest.mark.parametrize("mount", ["wsgi_app", "asgi_app"])
def test_an_error_behind_a_web_application_is_found(play_module: PlayModule, mount: str) -> None:
    module = RAISES.replace("flow = AIFlow", "inner = AIFlow").replace("@flow", "@inner")
    (result,) = play_module(f"{module}\nflow = inner.{mount}\n", SPEAKS)
    assert failure(result).kind == "app_error"
    assert "KeyError: 'x'" in failure(result).messages[0]


def test_an_error_in_another_call_does_not_count(play_module: PlayModule) -> None:
    module = f"""{RAISES}
@flow.get("other")
def other(call):
    raise KeyError("other")

def calls_too(call_id):
    from threading import Thread
    from yemot_ai_testing import Caller
    thread = Thread(target=Caller(flow, extension="other").dial)
    thread.start()
    thread.join()
"""
    scenario = f"""
    - name: א
      turns:
        - hears: שלום
        - meanwhile: {{calls: "{MODULE}:calls_too"}}
    """
    (result,) = play_module(module, scenario)
    assert result.failure is None


def test_an_apology_is_never_written_into_the_file(tmp_path: Path) -> None:
    provider = ScriptedProvider()
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("", greeting="שלום")(lambda call, text: {"א": "ב"}[text])
    file = tmp_path / "x.call.yaml"
    file.write_text(
        "scenarios: [{name: א, turns: [{hears: בוקר טוב}, {says: ג, hears: בשמונה}]}]\n", encoding="utf-8"
    )
    (scenario,) = load(file).scenarios
    result = play_scenario(scenario, PlayTarget(flow, provider), continue_after=EXPECTATION_KINDS)
    assert failure(result).kind == "app_error"
    assert failure(result).turn == 2
    update = ScenarioUpdate()
    assert update.collect(result, file) is result
    update.write()
    assert update.written == []
