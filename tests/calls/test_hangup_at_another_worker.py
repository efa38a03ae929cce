from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai._calls.lifecycle import MAX_SWEEP_INTERVAL
from yemot_ai.errors import CallEndedError
from yemot_ai.sessions import MemoryStore, Session
from yemot_ai_testing import ScriptedProvider


class HungUpElsewhere(MemoryStore):
    """Another worker ends the call when this one has claimed a turn, before the model is asked."""

    async def acquire(self, key: str, token: str, seconds: float) -> bool:
        if "talk" in key:
            session = await self.load("c1") or Session("c1")
            await self.save(session.tombstone(), ttl=60)
        return await super().acquire(key, token, seconds)


def test_no_model_is_asked_for_a_call_that_hung_up_at_another_worker() -> None:
    provider = ScriptedProvider().answers("שלום")
    ai = YemotAI(provider=provider, store=HungUpElsewhere())
    with pytest.raises(CallEndedError):
        ai.reply("c1", "מי שם?")
    assert provider.requests == []


def test_a_sweep_drops_what_a_worker_keeps_of_a_call_that_hung_up_at_another_worker(tmp_path: Path) -> None:
    provider = ScriptedProvider()
    here, there = (plain_flow(provider, f"sqlite:{tmp_path / 'calls.db'}") for _worker in range(2))
    for call_id in ("ended", "open"):
        here.handle_request({"ApiCallId": call_id, "ApiPhone": "0501234567", "ApiExtension": ""})
    there.handle_request({"ApiCallId": "ended", "ApiPhone": "0501234567", "hangup": "yes"})
    assert {*here.active_calls} == {"ended", "open"}

    here.ai.engine.run(asyncio.sleep(MAX_SWEEP_INTERVAL + 1))

    assert {*here.active_calls} == {"open"}


def plain_flow(provider: ScriptedProvider, store: str) -> AIFlow:
    flow = AIFlow(YemotAI(provider=provider, store=store))

    @flow.get("")
    def menu(call: AICall) -> None:
        call.read("הקישו ספרה", max_digits=1)

    return flow
