"""An evening whose calls run freely beside each other, each in a thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.load.failing_provider import Fickle
from yemot_ai import AIFlow, YemotAI
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.runtime.engine import Engine
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing.history import History, RecordedStore, StallDetector
from yemot_ai_testing.history.recorders.app import record_request, record_response
from yemot_ai_testing.history.recorders.sans_io_call import Pairs
from yemot_ai_testing.property.load_plan import LoadStep, plan_call

__all__ = ["carried_by_threads"]

THREADS = 32

TURN = 5.0
"""Seconds for one turn: more than a busy machine may stand still, for a turn that is late is given up."""


def carried_by_threads(seed: int, calls: int, marks: range) -> History:
    """Let ``calls`` calls happen, 32 at a time."""
    history, engine = History(), Engine()
    store = RecordedStore(MemoryStore(), history)
    provider = Fickle(seed, history, engine, slowest=0.05)
    ai = YemotAI(provider=provider, store=store, turn_timeout=TURN)
    flow = AIFlow(ai, dialog=DialogSettings(answer_wait=0.02, poll_wait=0.02))
    flow.ai_agent("")(lambda call, text: None)

    def send(pairs: Pairs, *, copy: bool = False) -> str:
        number = record_request(history, pairs, is_repeat=copy)
        body = flow.handle_request(pairs)
        record_response(history, number, body)
        return body

    def does(deed: LoadStep, beside: ThreadPoolExecutor) -> str:
        store.fails(deed.store_failures)
        others = [beside.submit(send, pairs, copy=True) for pairs in deed.concurrent]
        body = send(deed.pairs)
        for other in others:
            other.result()
        for pairs in deed.delayed:
            send(pairs, copy=True)
        return body

    def carry(number: int) -> None:
        call = plan_call(seed=seed, number=number, first_utterance_id=marks[number * 3], history=history)
        with ThreadPoolExecutor(2) as beside:
            deed = next(call, None)
            while deed is not None:
                body = does(deed, beside)
                try:
                    deed = call.send(body)
                except StopIteration:
                    deed = None

    with StallDetector(history), ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(carry, range(1, calls + 1)))
    ai.close()
    engine.close()
    return history
