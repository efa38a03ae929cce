"""``agent:`` reaches each provider of an application in this process, without a key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.scenario_calls import KEYS, PlayModule
from yemot_ai_testing.isolation.audit_hook import activate
from yemot_ai_testing.isolation.guard import IsolationGuard
from yemot_ai_testing.scenario.play.model_double import service_environment
from yemot_ai_testing.scenario.report.call_record import render_result

PROVIDERS = {
    "openai": 'YemotAI("openai")',
    "anthropic": 'YemotAI("anthropic")',
    "chat": 'YemotAI(provider=OpenAIProvider(api="chat"))',
    "unstored": "YemotAI(provider=OpenAIProvider(store=False))",
    "own key": 'YemotAI("openai", openai_api_key="mine")',
    "codex": 'YemotAI("codex")',
    "codex-app-server": 'YemotAI("codex-app-server")',
    "fallback": "YemotAI(provider=FallbackProvider([OpenAIProvider(), AnthropicProvider()]))",
    "fallback to codex": "YemotAI(provider=FallbackProvider([AnthropicProvider(), CodexCLIProvider()]))",
}
LINE = """
from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import AnthropicProvider, CodexCLIProvider, FallbackProvider, OpenAIProvider

flow = AIFlow({ai})


@flow.ai_agent("", greeting="שלום")
def agent(call, text): ...
"""
TWO_CALLS = """
- name: ראשונה
  turns:
    - hears: שלום
    - says: מתי פותחים
      agent: {answers: בשמונה}
      hears: בשמונה
    - says: ומתי סוגרים
      agent: {answers: בתשע}
      hears: בתשע
    - silent: true
      hears: לא שמעתי
  afterwards: {agent_turns: 2, sessions_open: 0, processes: 0}
- name: שנייה
  turns:
    - says: יש חניה
      agent: [{fails: overloaded}, {answers: "כן, ברחוב"}]
      hears: ברחוב
    - hangs_up: true
  afterwards: {agent_turns: 1, sessions_open: 0, processes: 0}
"""


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_steps_of_each_scenario_reach_the_provider_without_a_key(
    play_module: PlayModule, provider: str
) -> None:
    warm = provider == "codex-app-server"  # its server lives as long as the application
    calls = TWO_CALLS.replace(", processes: 0", "") if warm else TWO_CALLS
    for result in play_module(LINE.format(ai=PROVIDERS[provider]), calls):
        assert result.failure is None, render_result(result)


SDK_OF_AN_AGENT = """
import sys
from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import FallbackProvider, OpenAIProvider
from yemot_ai_testing.scenario.play.model_double import service_environment, warm_up_services

with service_environment():
    flow = AIFlow(YemotAI("codex"))
    provider = FallbackProvider([OpenAIProvider(api="chat")])
    flow.ai_agent("", greeting="שלום", provider=provider)(lambda call, text: None)
    assert "openai" not in sys.modules
    warm_up_services(flow)
    assert "openai.types.chat" in sys.modules
"""


@pytest.mark.slow
def test_the_sdk_of_each_provider_is_imported_before_the_call() -> None:
    """In a process of its own, because the SDK is imported once."""
    run = subprocess.run([sys.executable, "-c", SDK_OF_AN_AGENT], check=False, capture_output=True, text=True)

    assert run.returncode == 0, run.stderr


@pytest.mark.slow
def test_a_step_that_fails_lets_the_next_provider_take_the_next_step(play_module: PlayModule) -> None:
    (result,) = play_module(
        LINE.format(ai=PROVIDERS["fallback"]),
        """
        - name: מפתח שגוי
          turns:
            - says: מתי פותחים
              agent: [{fails: unauthorized}, {answers: בשמונה}]
              hears: בשמונה
          afterwards: {agent_turns: 1}
        """,
    )
    assert result.failure is None, render_result(result)


def test_a_factory_needs_no_key(play_module: PlayModule) -> None:
    factory = """
    from yemot_ai import AIFlow, YemotAI

    def flow():
        flow = AIFlow(YemotAI("openai"))
        flow.ai_agent("", greeting="שלום")(lambda call, text: None)
        return flow
    """
    (result,) = play_module(dedent(factory), "- {name: א, turns: [{hears: שלום}]}")
    assert result.failure is None, render_result(result)


@pytest.mark.slow
def test_a_client_of_the_developer_needs_no_key(play_module: PlayModule) -> None:
    module = """
    import openai

    def flow(pairs):
        values = dict(pairs)
        if "hangup" in values:
            return "noop=bye"
        if "q1" not in values:
            return "read=t-שלום=q1,no,voice"
        answer = openai.OpenAI().responses.create(model="m", input=values["q1"])
        return f"read=t-{answer.output_text}=q2,no,voice"
    """
    (result,) = play_module(
        dedent(module),
        """
        - name: א
          turns: [{says: מה חדש, agent: {answers: הכול}, hears: הכול}]
          afterwards: {agent_turns: 1}
        """,
    )
    assert result.failure is None, render_result(result)


@pytest.mark.slow
def test_another_codex_of_the_developer_is_replaced(
    play_module: PlayModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YEMOT_AI_CODEX", "/nowhere/codex")
    (result,) = play_module(
        LINE.format(ai=PROVIDERS["codex"]),
        "- {name: א, turns: [{says: מה חדש, agent: {answers: הכול}, hears: הכול}]}",
    )
    assert result.failure is None, render_result(result)


def test_a_host_that_is_allowed_is_asked_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.setenv(name, "of the developer")
    guard = IsolationGuard(tmp_path, allowed=["api.openai.com"])
    with activate(guard), service_environment() as model:
        assert [os.environ[name] for name in KEYS] == [
            "of the developer",
            "of the developer",
            "none",
            model.root_url,
        ]


def test_the_environment_is_restored(play_module: PlayModule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of the developer")
    play_module(LINE.format(ai=PROVIDERS["openai"]), "- {name: א, turns: [{hears: שלום}]}")
    assert [os.environ.get(name) for name in KEYS] == ["of the developer", None, None, None]
