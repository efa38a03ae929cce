"""A hang-up while the store is away: the end of the call is written later, also by a process that stops."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.flow_line import Line
from yemot_ai import AIFlow, YemotAI
from yemot_ai.errors import StoreError
from yemot_ai.sessions import MemoryStore, Session
from yemot_ai_testing import ScriptedProvider


class AwayStore(MemoryStore):
    """A shared store of which the next ``failures`` writes fail."""

    immediate = False
    failures = 0

    async def save(self, session: Session, *, ttl: float) -> Session:
        if self.failures:
            self.failures -= 1
            raise StoreError("away")
        return await super().save(session, ttl=ttl)


@dataclass
class Call:
    """A call whose caller has hung up while the store was away."""

    store: AwayStore
    ai: YemotAI

    def drain(self, seconds: float) -> int:
        return self.ai.engine.run(self.ai.adrain(seconds))


@pytest.fixture
def call(provider: ScriptedProvider) -> Call:
    store = AwayStore(now=provider.engine.time)
    flow = AIFlow(YemotAI(provider=provider, store=store))
    flow.ai_agent("a", greeting="שלום")(lambda call, text: None)
    line = Line(flow)
    line.enter("a")
    store.failures = 4
    line.hang_up()
    return Call(store, flow.ai)


def test_a_process_that_stops_first_ends_the_calls_whose_callers_have_hung_up(call: Call) -> None:
    assert call.ai.open_calls() == 1

    assert call.drain(5) == 0
    assert call.ai.open_calls() == 0


def test_a_process_does_not_wait_for_a_store_that_does_not_come_back(call: Call) -> None:
    call.store.failures = 1000

    assert call.drain(5) == 1
    assert call.ai.open_calls() == 1
