"""An evening whose calls are tasks of one loop, in an order that the seed decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.load.failing_provider import Fickle
from yemot_ai import AIFlow, YemotAI
from yemot_ai.sessions import MemoryStore, SessionStore
from yemot_ai_testing.history import History, RecordedStore
from yemot_ai_testing.history.recorders.app import record_request, record_response
from yemot_ai_testing.history.recorders.sans_io_call import Pairs
from yemot_ai_testing.property.engines.seeded import seeded_engine
from yemot_ai_testing.property.load_plan import LoadStep, plan_call

__all__ = ["carried_by_tasks"]

AT_ONCE = 32


def carried_by_tasks(
    seed: int, calls: int, marks: range, make_store: Callable[..., SessionStore] = MemoryStore
) -> History:
    """Let ``calls`` calls happen, 32 at a time; the same seed is the same history."""
    engine = seeded_engine(seed)
    history = History(now=engine.clock.now)
    store = RecordedStore(make_store(now=engine.time), history)
    ai = YemotAI(provider=Fickle(seed, history, engine, slowest=8.0), store=store, turn_timeout=20.0)
    flow = AIFlow(ai)

    @flow.ai_agent("")
    async def agent(call: object, text: str) -> None:
        """Let the AI answer; a plain function would run in a thread, which no seed orders."""

    async def send(pairs: Pairs, *, copy: bool = False) -> str:
        number = record_request(history, pairs, is_repeat=copy)
        body = await flow.ahandle_request(pairs)
        record_response(history, number, body)
        return body

    async def does(deed: LoadStep) -> str:
        store.fails(deed.store_failures)
        body, *_ = await asyncio.gather(
            send(deed.pairs), *(send(pairs, copy=True) for pairs in deed.concurrent)
        )
        for pairs in deed.delayed:
            await send(pairs, copy=True)
        return body

    async def carry(number: int, room: asyncio.Semaphore) -> None:
        call = plan_call(seed=seed, number=number, first_utterance_id=marks[number * 3], history=history)
        async with room:
            deed = next(call, None)
            while deed is not None:
                body = await does(deed)
                await asyncio.sleep(1.0)  # what the line plays, or waits in a poll
                try:
                    deed = call.send(body)
                except StopIteration:
                    deed = None

    async def all_calls() -> None:
        room = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(carry(number, room) for number in range(1, calls + 1)))

    engine.run(all_calls())
    engine.close()
    return history
