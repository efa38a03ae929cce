"""A turn that failed because its questions had no step, or no way to the double, says so first."""

from __future__ import annotations

import pytest

from tests.support.scenario_calls import PlayModule, failure_of

LINE = """
import os

from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import (
    AnthropicProvider, CodexAppServerProvider, CodexCLIProvider, FallbackProvider, OpenAIProvider, Reply
)
from yemot_ai_testing import ScriptedProvider


class Parrot:
    name = "parrot"

    async def start_session(self, prompt, *, instructions=None, history=()):
        return Reply(prompt, session=1)

    async def continue_session(self, session, prompt, *, instructions=None):
        return Reply(prompt, session=session)


flow = AIFlow({ai})


@flow.ai_agent("", greeting="שלום")
def agent(call, text):
    if text == "נציג":
        return "אין נציג"
"""
OPENAI, CODEX, SCRIPTED = 'YemotAI("openai")', 'YemotAI("codex")', "YemotAI(provider=ScriptedProvider())"
OWN_URL = 'YemotAI(provider=OpenAIProvider(api="chat", base_url="http://127.0.0.1:9/v1"))'
OWN_CLAUDE = 'YemotAI(provider=AnthropicProvider(base_url="http://user:word@127.0.0.1:9"))'
PARROT = "YemotAI(provider=Parrot())"
OTHER_ADDRESS = (
    "agent: does not reach '{provider}' at 127.0.0.1:9: write "
    'base_url=os.environ.get("{name}_BASE_URL", "…"), which a test replaces'
)
OWN_PROVIDER = (
    "agent: does not reach 'parrot', a provider of your own: let the application use a ScriptedProvider() "
    "in the test"
)
OWN_CODEX = (
    "agent: does not reach '{name}', whose executable is not the first codex on PATH: leave the path out, "
    "or let the test choose it"
)
TURN = "- {name: א, turns: [{says: מה חדש, agent: {answers: הכול}, hears: הכול}]}"


def messages_of(play_module: PlayModule, ai: str, scenario: str = TURN) -> tuple[str, tuple[str, ...]]:
    (result,) = play_module(LINE.format(ai=ai), scenario)
    return failure_of(result)


@pytest.mark.slow
@pytest.mark.parametrize("ai", [OPENAI, CODEX, SCRIPTED], ids=["openai", "codex", "scripted"])
def test_a_turn_whose_agent_is_forgotten_fails_with_script(play_module: PlayModule, ai: str) -> None:
    kind, messages = messages_of(play_module, ai, "- {name: א, turns: [{says: מה חדש, hears: הכול}]}")

    assert kind == "script"
    assert messages[0] == (
        "the model was asked 'מה חדש', but this turn has no agent:, such as agent: {answers: …}"
    )


@pytest.mark.slow
def test_a_failure_that_is_retried_without_a_second_step_fails_with_script(play_module: PlayModule) -> None:
    turn = "- {name: א, turns: [{says: מה חדש, agent: {fails: overloaded}, hears: הכול}]}"
    kind, messages = messages_of(play_module, OPENAI, turn)

    assert kind == "script"
    assert "it takes two steps" in messages[0]


@pytest.mark.slow
def test_a_step_of_a_process_does_not_happen_to_a_service(play_module: PlayModule) -> None:
    turn = "- {name: א, turns: [{says: מה חדש, agent: {crash: {exit: 1}}, hears: הכול}]}"
    kind, messages = messages_of(play_module, OPENAI, turn)

    assert kind == "script"
    assert "crash, malformed and busy_session are for Codex" in messages[0]


def test_wrong_words_after_a_scripted_answer_are_no_mismatch_of_the_script(play_module: PlayModule) -> None:
    turn = "- {name: א, turns: [{says: מה חדש, agent: {answers: כלום}, hears: הכול}]}"
    assert messages_of(play_module, SCRIPTED, turn)[0] == "heard"


def test_an_answer_of_the_function_is_no_mismatch_of_the_script(play_module: PlayModule) -> None:
    turn = "- {name: א, turns: [{says: נציג, agent: {answers: הכול}, hears: הכול}]}"
    assert messages_of(play_module, SCRIPTED, turn)[0] == "heard"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ai", "message"),
    [
        (OWN_URL, OTHER_ADDRESS.format(provider="openai", name="OPENAI")),
        (OWN_CLAUDE, OTHER_ADDRESS.format(provider="anthropic", name="ANTHROPIC")),
        (PARROT, OWN_PROVIDER),
        ("YemotAI(provider=FallbackProvider([Parrot()]))", OWN_PROVIDER),
        ('YemotAI(provider=CodexCLIProvider("/nowhere/codex"))', OWN_CODEX.format(name="codex")),
        (
            'YemotAI(provider=CodexAppServerProvider("/nowhere/codex"))',
            OWN_CODEX.format(name="codex-app-server"),
        ),
    ],
    ids=["chat", "anthropic", "own", "fallback", "codex", "app-server"],
)
def test_a_provider_that_no_step_reaches_is_named_with_the_way_out(
    play_module: PlayModule, ai: str, message: str
) -> None:
    for turn in (TURN, TURN.replace(", hears: הכול", "")):
        kind, messages = messages_of(play_module, ai, turn)
        assert kind == "script"
        assert messages[0] == message


@pytest.mark.slow
def test_an_address_from_the_environment_is_replaced(play_module: PlayModule) -> None:
    ai = OWN_URL.replace(
        '"http://127.0.0.1:9/v1"', 'os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")'
    )
    (result,) = play_module(LINE.format(ai=ai), TURN)
    assert result.failure is None, result.failure
