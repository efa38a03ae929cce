from __future__ import annotations

import pytest

from yemot_ai import YemotAI
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
