"""Run calls concurrently, each in a thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

from tests.load.failing_provider import FailingProvider, load_flow
from yemot_ai._runtime.engine import Engine
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing.history import History, RecordedStore, StallDetector
from yemot_ai_testing.history.recorders.app import record_request, record_response
from yemot_ai_testing.line.transports.transport import Pairs
from yemot_ai_testing.property.load_plan import LoadStep, plan_call

__all__ = ["run_calls", "run_in_threads"]

THREADS = 32

TURN_TIMEOUT = 5.0
"""Seconds for one turn: longer than a busy machine stalls a thread, because a late turn is cancelled."""


class Send(Protocol):
    """Sends a request; returns the response."""

    def __call__(self, pairs: Pairs, *, copy: bool = False, store_failures: int = 0) -> str: ...


def run_calls(
    plan: tuple[int, int, range],
    history: History,
    send: Send,
    on_end: Callable[[int], object] = lambda number: None,
) -> None:
    """Run calls, 32 at a time.

    Args:
        plan: the seed, the number of calls, and the IDs of their utterances.
        history: records the utterances and faults.
        send: sends the requests.
        on_end: called after each call with its number.
    """
    seed, calls, utterance_ids = plan

    def run_step(step: LoadStep, threads: ThreadPoolExecutor) -> str:
        others = [threads.submit(send, pairs, copy=True) for pairs in step.concurrent]
        body = send(step.pairs, store_failures=step.store_failures)
        for other in others:
            other.result()
        for pairs in step.delayed:
            send(pairs, copy=True)
        return body

    def run_call(number: int) -> None:
        call = plan_call(
            seed=seed, number=number, first_utterance_id=utterance_ids[number * 3], history=history
        )
        with ThreadPoolExecutor(2) as threads, suppress(StopIteration):
            step = next(call)
            while True:
                step = call.send(run_step(step, threads))
        on_end(number)

    with StallDetector(history), ThreadPoolExecutor(THREADS) as executor:
        list(executor.map(run_call, range(1, calls + 1)))


def run_in_threads(seed: int, calls: int, utterance_ids: range) -> History:
    """Run calls over one flow."""
    history, engine = History(), Engine()
    store = RecordedStore(MemoryStore(), history)
    provider = FailingProvider(seed, history, engine, slowest=0.05)
    dialog = DialogSettings(answer_wait=0.02, poll_wait=0.02)
    flow = load_flow(provider, store, dialog, turn_timeout=TURN_TIMEOUT)

    def send(pairs: Pairs, *, copy: bool = False, store_failures: int = 0) -> str:
        if store_failures:
            store.fails(store_failures)
        number = record_request(history, pairs, is_repeat=copy)
        body = flow.handle_request(pairs)
        record_response(history, number, body)
        return body

    run_calls((seed, calls, utterance_ids), history, send)
    flow.ai.close()
    engine.close()
    return history
