"""A model that fails when the seed says so, whichever worker asks it."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import Sequence

from yemot_ai.engine import Engine
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing.doubles.failures import failure_of
from yemot_ai_testing.doubles.script import Answer, Hang, Transcription
from yemot_ai_testing.history import Faulted, History
from yemot_ai_testing.history.marks import answer, mark_of
from yemot_ai_testing.history.provider import asking
from yemot_ai_testing.property.evening import fault_of

__all__ = ["Fickle"]


class Fickle:
    """Answers, after at most ``slowest`` seconds; the first question about some utterances fails."""

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
        with asking(self._history, prompt, session, history, worker=self._worker) as question:
            question.session = session or f"talk-{self._worker}{next(self._numbers)}"
            mark = mark_of(prompt)
            chance = random.Random(f"{self._seed} {mark} thinks")  # noqa: S311 - chance, no secret
            await asyncio.sleep(chance.random() ** 3 * self._slowest)
            with self._lock:
                step = None if mark in self._asked else fault_of(self._seed, mark)
                self._asked.add(mark)
            if isinstance(step, Hang):
                self._history.add(Faulted(self._history.now(), "the model: hangs", "nobody"))
                await asyncio.Event().wait()
            elif step is not None and not isinstance(step, Answer | Transcription):
                raise failure_of(step, question.session, provider=self.name)
            return Reply(answer(question.ask, prompt), question.session)
