"""Run calls as tasks of one loop, in a seeded order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from tests.load.failing_provider import FailingProvider, load_flow
from yemot_ai.sessions import MemoryStore, SessionStore
from yemot_ai_testing.history import History, RecordedStore
from yemot_ai_testing.history.recorders.app import record_request, record_response
from yemot_ai_testing.line.transports.transport import Pairs
from yemot_ai_testing.property.engines.seeded import seeded_engine
from yemot_ai_testing.property.load_plan import LoadStep, plan_call

__all__ = ["run_as_tasks"]

CONCURRENT_CALLS = 32


def run_as_tasks(
    seed: int, calls: int, utterance_ids: range, make_store: Callable[..., SessionStore] = MemoryStore
) -> History:
    """Run ``calls`` calls, 32 at a time; the same seed gives the same history."""
    engine = seeded_engine(seed)
    history = History(now=engine.clock.now)
    store = RecordedStore(make_store(now=engine.time), history)
    flow = load_flow(FailingProvider(seed, history, engine, slowest=8.0), store, turn_timeout=20.0)

    async def send(pairs: Pairs, *, copy: bool = False) -> str:
        number = record_request(history, pairs, is_repeat=copy)
        body = await flow.ahandle_request(pairs)
        record_response(history, number, body)
        return body

    async def run_step(step: LoadStep) -> str:
        store.fails(step.store_failures)
        body, *_ = await asyncio.gather(
            send(step.pairs), *(send(pairs, copy=True) for pairs in step.concurrent)
        )
        for pairs in step.delayed:
            await send(pairs, copy=True)
        return body

    async def run_call(number: int, limit: asyncio.Semaphore) -> None:
        call = plan_call(
            seed=seed, number=number, first_utterance_id=utterance_ids[number * 3], history=history
        )
        async with limit:
            with suppress(StopIteration):
                step = next(call)
                while True:
                    body = await run_step(step)
                    await asyncio.sleep(1.0)  # the line plays the response, or waits in a poll
                    step = call.send(body)

    async def all_calls() -> None:
        limit = asyncio.Semaphore(CONCURRENT_CALLS)
        await asyncio.gather(*(run_call(number, limit) for number in range(1, calls + 1)))

    engine.run(all_calls())
    engine.close()
    return history
