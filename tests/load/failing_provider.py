"""A provider whose failures depend on the seed only, not on the worker that calls it."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import AsyncIterator, Sequence

from yemot_ai import AIFlow, DialogSettings, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing.doubles.failures import provider_error_for
from yemot_ai_testing.doubles.steps import Answer, Calls, Drop, Hang, Step, Transcription
from yemot_ai_testing.history import FaultInjected, History, RecordedStore
from yemot_ai_testing.history.correlation import (
    answer_in_sentences,
    latest_utterance_id,
    sentence_text,
)
from yemot_ai_testing.history.recorders.provider import RecordedModelCall, record_model_call
from yemot_ai_testing.property.load_plan import model_fault

__all__ = ["FailingProvider", "load_flow"]

SENTENCES = 3


class FailingProvider:
    """Answers after at most ``slowest`` seconds; the first model call of some utterances fails.

    It streams sentence by sentence, within as many seconds again; a ``Drop`` ends the stream after the first
    sentence, or before it.
    """

    name = "failing"
    streams = True

    def __init__(
        self, seed: int, history: History, engine: Engine, *, slowest: float, worker: str = ""
    ) -> None:
        self.engine = engine
        self._seed = seed
        self._history = history
        self._slowest = slowest
        self._worker = worker
        self._asked: set[str] = set()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    async def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
    ) -> AsyncIterator[str | Reply]:
        with record_model_call(self._history, prompt, session, history, worker=self._worker) as model_call:
            model_call.session = str(session or f"talk-{self._worker or 'all'}-{next(self._numbers)}")
            step = await self._take_step(prompt)
            if not isinstance(step, Drop):
                await self._run_step(step, model_call)
            rng = random.Random(f"{self._seed} {prompt} writes")  # noqa: S311 - not for security
            for number in range(1, SENTENCES + 1):
                if number > 1 or isinstance(step, Drop):
                    await asyncio.sleep(rng.random() ** 2 * self._slowest / 2)
                if rng.random() < number / SENTENCES:
                    await self._run_step(step, model_call)
                piece = sentence_text(model_call.model_call_id, prompt, number, SENTENCES)
                model_call.record_piece(piece)
                yield piece
            await self._run_step(step, model_call)
            reply = Reply(
                answer_in_sentences(model_call.model_call_id, prompt, total=SENTENCES), model_call.session
            )
        yield reply

    async def _take_step(self, prompt: str) -> Step | None:
        """Wait; return the failure of this model call, or None."""
        utterance_id = latest_utterance_id(prompt)
        rng = random.Random(f"{self._seed} {utterance_id} thinks")  # noqa: S311 - not for security
        await asyncio.sleep(rng.random() ** 3 * self._slowest)
        with self._lock:
            step = None if utterance_id in self._asked else model_fault(self._seed, utterance_id)
            self._asked.add(utterance_id)
        return step

    async def _run_step(self, step: Step | None, model_call: RecordedModelCall) -> None:
        if isinstance(step, Hang):
            self._history.add(FaultInjected(self._history.now(), "the model: hangs", "nobody"))
            await asyncio.Event().wait()
        elif step is not None and not isinstance(step, Answer | Calls | Transcription):
            raise provider_error_for(step, model_call.session, provider=self.name)


def load_flow(
    provider: FailingProvider,
    store: RecordedStore,
    dialog: DialogSettings | None = None,
    *,
    turn_timeout: float,
    lease: float | None = None,
) -> AIFlow:
    """Return a flow with one agent."""
    flow = AIFlow(
        YemotAI(provider=provider, store=store, turn_timeout=turn_timeout, lease=lease), dialog=dialog
    )

    @flow.ai_agent("")
    async def agent(call: object, text: str) -> None:
        """Leave the answer to the model; a plain function would run in a thread, in no seeded order."""

    return flow
