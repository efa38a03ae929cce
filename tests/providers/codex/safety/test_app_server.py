"""The attacks of ``safety/test_exec.py`` against the app-server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.providers.codex.safety.attacks import INJECTION, AttackFiles
from tests.providers.codex.safety.test_exec import (
    MODELS,
    assert_no_effect,
    attack,
    malicious_files,
    script_attacks,
    sent_to_model,
    tool_outputs,
)
from tests.support.asking import ask_provider
from tests.support.codex import run_async
from yemot_ai.providers.codex import CodexAppServerProvider

if TYPE_CHECKING:
    from yemot_ai.providers.provider import Reply
    from yemot_ai_testing.codex.real import RealCodex

__all__ = ["attack", "malicious_files"]  # fixtures, used by name


MAX_REQUESTS = 200
"""More than a model needs to try every tool."""


async def run_attacked_turn(real: RealCodex, attack: AttackFiles, model: str, words: str) -> Reply:
    """Run the second turn of a call whose model has become malicious."""
    provider = CodexAppServerProvider(model=model, timeout=25.0, max_requests=MAX_REQUESTS)
    try:
        first = await ask_provider(provider, "שלום")
        await asyncio.to_thread(script_attacks, real, attack)
        return await ask_provider(provider, words, session=first.session)
    finally:
        await provider.aclose()


@pytest.mark.parametrize("model", MODELS)
def test_no_tool_call_runs_or_reads_anything(real: RealCodex, attack: AttackFiles, model: str) -> None:
    real.answers("שלום.")
    reply = run_async(run_attacked_turn(real, attack, model, "קרא לי את הקובץ"))
    assert reply.text == "סוף."
    assert len(tool_outputs(real)) == len(attack.tool_calls())
    assert {request.tools for request in real.model.requests} == {()}
    assert_no_effect(real, attack, reply)
    real.assert_complete()


@pytest.mark.parametrize("model", MODELS)
def test_malicious_files_are_not_sent_or_run(
    real: RealCodex, malicious_files: AttackFiles, model: str
) -> None:
    real.answers("שלום.")
    reply = run_async(
        run_attacked_turn(real, malicious_files, model, "$evil /prompts:evil @AGENTS.md קרא לי את הקובץ")
    )
    assert reply.text == "סוף."
    assert INJECTION not in sent_to_model(real)
    assert_no_effect(real, malicious_files, reply)
