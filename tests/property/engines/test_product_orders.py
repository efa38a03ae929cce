"""The library itself in many orders of tasks, and with requests that are cancelled at each suspension."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from yemot_ai import AIFlow, YemotAI
from yemot_ai.sessions import MemoryStore, Session
from yemot_ai_testing.history import History, RecordedStore, check
from yemot_ai_testing.property import EchoProvider, check_orders, find_order
from yemot_ai_testing.property.engines.ordered import OrderedEngine

Pairs = list[tuple[str, str]]

GREETING: Pairs = [("ApiCallId", "c1"), ("ApiExtension", "")]
QUESTION: Pairs = [*GREETING, ("ai_1", "אמירה 7001")]


class SlowStore(MemoryStore):
    """A store whose loads and saves take steps of the loop, as those of a server do."""

    immediate = False

    async def load(self, call_id: str) -> Session | None:
        await asyncio.sleep(0)
        return await super().load(call_id)

    async def save(self, session: Session, *, ttl: float) -> Session:
        await asyncio.sleep(0)
        return await super().save(session, ttl=ttl)


class LastWriterWins(SlowStore):
    """Overwrites a session although another request has saved it since the load."""

    async def save(self, session: Session, *, ttl: float) -> Session:
        stored = await self.load(session.call_id)
        version = session.version if stored is None else stored.version
        return await super().save(replace(session, version=version), ttl=ttl)


def repeated_question(store: Callable[..., MemoryStore]) -> Callable[[OrderedEngine], None]:
    """Return a program in which a question comes three times at once, and the call hangs up afterwards."""

    def program(engine: OrderedEngine) -> None:
        provider, history = EchoProvider(engine=engine), History(now=engine.clock.now)
        recorded = RecordedStore(store(now=engine.time), history)
        flow = AIFlow(YemotAI(provider=provider, store=recorded))
        flow.ai_agent("")(lambda call, text: None)

        async def request(pairs: Pairs) -> str:
            return await flow.ahandle_request(pairs)

        async def main() -> None:
            await flow.ahandle_request(GREETING)
            sent = [asyncio.create_task(request(QUESTION)) for _ in range(3)]
            bodies = await asyncio.gather(*sent, return_exceptions=True)
            answer = await flow.ahandle_request(QUESTION)
            assert "תשובה 1 על אמירה 7001" in answer
            assert {body for body in bodies if isinstance(body, str)} <= {answer}
            assert len(provider.requests) == 1
            assert not [one for one in check(history) if one.kind == "two_writers"]

        engine.run(main())

    return program


@pytest.mark.parametrize("store", [MemoryStore, SlowStore])
def test_a_question_that_comes_three_times_is_asked_once_in_every_order(
    store: type[MemoryStore],
) -> None:
    check_orders(repeated_question(store), runs=60)


@pytest.mark.parametrize("store", [MemoryStore, SlowStore])
def test_a_request_may_be_cancelled_at_each_suspension(store: type[MemoryStore]) -> None:
    check_orders(repeated_question(store), runs=150, cancels="request")


def test_a_store_without_versions_is_found() -> None:
    found = find_order(repeated_question(LastWriterWins), runs=60)
    assert found is not None
