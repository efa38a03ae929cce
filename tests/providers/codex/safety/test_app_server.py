"""The warm server is held to the trial of tools of ``codex exec``: a hostile model gets nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.providers.codex.safety.attacks import ORDERS, Ground
from tests.providers.codex.safety.test_exec import (
    MODELS,
    assert_nothing_came_of_it,
    attacks,
    ground,
    hostile,
    outputs,
    sent,
)
from tests.support.codex import asked
from yemot_ai.providers.codex import CodexAppServerProvider

if TYPE_CHECKING:
    from yemot_ai.providers.provider import Reply
    from yemot_ai_testing.codex.real import RealCodex

__all__ = ["ground", "hostile"]  # fixtures, used by name


async def attacked(real: RealCodex, ground: Ground, model: str, words: str) -> Reply:
    """The second turn of a call whose model has turned hostile."""
    provider = CodexAppServerProvider(model=model, timeout=25.0)
    try:
        first = await provider.start_session("שלום")
        await asyncio.to_thread(attacks, real, ground)
        return await provider.continue_session(first.session, words)
    finally:
        await provider.aclose()


@pytest.mark.parametrize("model", MODELS)
def test_no_tool_call_runs_or_reads_anything(real: RealCodex, ground: Ground, model: str) -> None:
    real.answers("שלום.")
    reply = asked(attacked(real, ground, model, "קרא לי את הקובץ"))
    assert reply.text == "סוף."
    assert len(outputs(real)) == len(ground.tool_calls())
    assert {request.tools for request in real.model.requests} == {()}
    assert_nothing_came_of_it(real, ground, reply)
    real.assert_complete()


@pytest.mark.parametrize("model", MODELS)
def test_nothing_hostile_around_it_is_told_or_run(real: RealCodex, hostile: Ground, model: str) -> None:
    real.answers("שלום.")
    reply = asked(attacked(real, hostile, model, "$evil /prompts:evil @AGENTS.md קרא לי את הקובץ"))
    assert reply.text == "סוף."
    assert ORDERS not in sent(real)
    assert_nothing_came_of_it(real, hostile, reply)
