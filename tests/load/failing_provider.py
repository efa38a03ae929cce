"""A model that fails when the seed says so, whichever worker asks it."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import AsyncIterator, Sequence

from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai.runtime.engine import Engine
from yemot_ai_testing.doubles.failures import provider_error_for
from yemot_ai_testing.doubles.script import Answer, Drop, Hang, Step, Transcription
from yemot_ai_testing.history import FaultInjected, History
from yemot_ai_testing.history.correlation import (
    answer_in_sentences,
    answer_text,
    latest_utterance_id,
    sentence_text,
)
from yemot_ai_testing.history.recorders.provider import RecordedModelCall, record_model_call
from yemot_ai_testing.property.load_plan import model_fault

__all__ = ["Fickle"]

SENTENCES = 3


class Fickle:
    """Answers, after at most ``slowest`` seconds; the first question about some utterances fails.

    To an agent it hands its answer over sentence by sentence, within as many seconds again; what drops
    breaks off after the first one, or before it.
    """

    name = "fickle"

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

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return await self._answer(prompt, None, history)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await self._answer(prompt, str(session), ())

    async def _answer(self, prompt: str, session: str | None, history: Sequence[Exchange]) -> Reply:
        with record_model_call(self._history, prompt, session, history, worker=self._worker) as question:
            question.session = session or self._new_session()
            await self._does(await self._thinks(prompt), question)
            return Reply(answer_text(question.model_call_id, prompt), question.session)

    async def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        with record_model_call(self._history, prompt, session, history, worker=self._worker) as question:
            question.session = str(session) if session else self._new_session()
            step = await self._thinks(prompt)
            if not isinstance(step, Drop):
                await self._does(step, question)
            chance = random.Random(f"{self._seed} {prompt} writes")  # noqa: S311 - chance, no secret
            for number in range(1, SENTENCES + 1):
                if number > 1 or isinstance(step, Drop):
                    await asyncio.sleep(chance.random() ** 2 * self._slowest / 2)
                if chance.random() < number / SENTENCES:
                    await self._does(step, question)
                piece = sentence_text(question.model_call_id, prompt, number, SENTENCES)
                question.record_piece(piece)
                yield piece
            await self._does(step, question)
            reply = Reply(
                answer_in_sentences(question.model_call_id, prompt, total=SENTENCES), question.session
            )
        yield reply

    def _new_session(self) -> str:
        return f"talk-{self._worker or 'all'}-{next(self._numbers)}"

    async def _thinks(self, prompt: str) -> Step | None:
        """Think, and return what is done instead of answering."""
        mark = latest_utterance_id(prompt)
        chance = random.Random(f"{self._seed} {mark} thinks")  # noqa: S311 - chance, no secret
        await asyncio.sleep(chance.random() ** 3 * self._slowest)
        with self._lock:
            step = None if mark in self._asked else model_fault(self._seed, mark)
            self._asked.add(mark)
        return step

    async def _does(self, step: Step | None, question: RecordedModelCall) -> None:
        if isinstance(step, Hang):
            self._history.add(FaultInjected(self._history.now(), "the model: hangs", "nobody"))
            await asyncio.Event().wait()
        elif step is not None and not isinstance(step, Answer | Transcription):
            raise provider_error_for(step, question.session, provider=self.name)
