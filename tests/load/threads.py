"""Run calls concurrently, each in a thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.load.failing_provider import FailingProvider
from yemot_ai import AIFlow, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing.history import History, RecordedStore, StallDetector
from yemot_ai_testing.history.recorders.app import record_request, record_response
from yemot_ai_testing.history.recorders.sans_io_call import Pairs
from yemot_ai_testing.property.load_plan import LoadStep, plan_call

__all__ = ["run_in_threads"]

THREADS = 32

TURN_TIMEOUT = 5.0
"""Seconds for one turn: longer than a busy machine stalls a thread, because a late turn is cancelled."""


def run_in_threads(seed: int, calls: int, utterance_ids: range) -> History:
    """Run ``calls`` calls, 32 at a time."""
    history, engine = History(), Engine()
    store = RecordedStore(MemoryStore(), history)
    provider = FailingProvider(seed, history, engine, slowest=0.05)
    ai = YemotAI(provider=provider, store=store, turn_timeout=TURN_TIMEOUT)
    flow = AIFlow(ai, dialog=DialogSettings(answer_wait=0.02, poll_wait=0.02))
    flow.ai_agent("")(lambda call, text: None)

    def send(pairs: Pairs, *, copy: bool = False) -> str:
        number = record_request(history, pairs, is_repeat=copy)
        body = flow.handle_request(pairs)
        record_response(history, number, body)
        return body

    def run_step(step: LoadStep, threads: ThreadPoolExecutor) -> str:
        store.fails(step.store_failures)
        others = [threads.submit(send, pairs, copy=True) for pairs in step.concurrent]
        body = send(step.pairs)
        for other in others:
            other.result()
        for pairs in step.delayed:
            send(pairs, copy=True)
        return body

    def run_call(number: int) -> None:
        call = plan_call(
            seed=seed, number=number, first_utterance_id=utterance_ids[number * 3], history=history
        )
        with ThreadPoolExecutor(2) as threads:
            step = next(call, None)
            while step is not None:
                body = run_step(step, threads)
                try:
                    step = call.send(body)
                except StopIteration:
                    step = None

    with StallDetector(history), ThreadPoolExecutor(THREADS) as executor:
        list(executor.map(run_call, range(1, calls + 1)))
    ai.close()
    engine.close()
    return history
