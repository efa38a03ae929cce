"""A model whose answers tell which question they answer.

>>> echo = Echo()
>>> echo.ask("אמירה 7001")
('תשובה 1 על אמירה 7001', 'echo-1')
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from yemot_ai.errors import ProviderTimeoutError
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing.doubles.failures import failure_of
from yemot_ai_testing.doubles.provider import ScriptedRequest
from yemot_ai_testing.doubles.script import (
    Answer,
    Crash,
    Drop,
    Failure,
    Gate,
    Hang,
    Step,
    Transcription,
    UnknownSession,
    Vocabulary,
)
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.marks import answer
from yemot_ai_testing.history.provider import Question, asking
from yemot_ai_testing.line.clock import Clock, EngineClock
from yemot_ai_testing.virtual import VirtualEngine, virtual_engine

__all__ = ["STEPS", "Echo"]

BESIDE = 0.02
"""Real seconds that something beside a question gets to end before the answer."""

PATIENCE = 60.0
"""Seconds after which whoever asks and blocks is told that there is no answer."""


STEPS: Sequence[Step | None] = (
    None,
    Answer(("",), 1.0),
    Answer(("",), 4.0),
    Answer(("",), 9.0),
    Failure("overloaded"),
    Failure("rate_limited"),
    Drop(),
    Crash(),
    UnknownSession(),
    Hang(),
)
"""What the model does about a question; None: it answers at once."""


class Echo(Vocabulary):
    """Answers every prompt with the prompt and the number of the question; faults can be scripted.

    It is a provider (``start_session``, ``continue_session``); an application without providers asks it
    with ``ask``, which blocks. An answer that is scripted stands for one that is thought about
    ``after`` seconds: what is said is always the echo.

    Args:
        engine: where turns run; one with virtual time unless given.
        history: where questions are written down.

    Attributes:
        seconds: how long it thinks, where nothing else is scripted.
        requests: what was asked.
        running: how many questions are being thought about right now.
        clock: the line's time; whoever blocks lets it pass.
        meanwhile: what happens, once, while the next question is thought about.
    """

    name = "echo"

    def __init__(self, *, engine: VirtualEngine | None = None, history: History | None = None) -> None:
        self.engine = engine or virtual_engine()
        self.history = History() if history is None else history
        self.seconds = 0.0
        self.requests: list[ScriptedRequest] = []
        self.running = 0
        self.clock: Clock = EngineClock(self.engine.clock)
        self.meanwhile: Callable[[], object] | None = None
        self._beside: list[threading.Thread] = []
        self._gate = Gate()
        self._steps: list[Step] = []
        self._sessions = itertools.count(1)

    def add(self, step: Step) -> None:
        """Script the next question that is not scripted yet."""
        self._steps.append(step)

    def assert_complete(self) -> None:
        """Check that every step was used; what is not scripted is echoed.

        Raises:
            AssertionError: some were not.
        """
        assert not self._steps, f"nobody asked for {self._steps}"

    def forgets_script(self) -> None:
        """Drop the steps that nobody has asked for."""
        self._steps.clear()

    def holds(self) -> None:
        """Let every later question wait until ``releases()``."""
        self._gate.hold()

    def releases(self) -> None:
        """Let everything through that waits."""
        self._gate.release()

    def ask(self, prompt: str, session: str = "", history: Sequence[Exchange] = ()) -> tuple[str, str]:
        """Answer, to whoever blocks.

        Args:
            prompt: what was said.
            session: the conversation to go on with; "" for a new one.
            history: earlier exchanges.

        Returns:
            The answer, and the conversation that it is part of.

        Raises:
            ProviderError: as it was scripted.
        """
        with self._question(prompt, session or None, history) as question:
            self._block(question)
            return answer(question.ask, prompt), question.session

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Answer the first prompt of a conversation."""
        del instructions
        return await self._answer(prompt, None, history)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further prompt."""
        del instructions
        return await self._answer(prompt, str(session), ())

    async def _answer(self, prompt: str, session: str | None, history: Sequence[Exchange]) -> Reply:
        with self._question(prompt, session, history) as question:
            loop, opened = asyncio.get_running_loop(), asyncio.Event()
            self._gate.when_open(lambda: loop.call_soon_threadsafe(opened.set))
            await opened.wait()
            step = self._step()
            deed, self.meanwhile = self.meanwhile, None
            if deed is not None:
                await self.engine.in_thread(deed)
            if isinstance(step, Hang):
                await asyncio.Event().wait()
            await asyncio.sleep(_seconds(step))
            self._fail(step, question)
            return Reply(answer(question.ask, prompt), question.session)

    @contextmanager
    def _question(self, prompt: str, session: str | None, history: Sequence[Exchange]) -> Iterator[Question]:
        self.requests.append(ScriptedRequest(prompt, None, session, tuple(history)))
        with asking(self.history, prompt, session, history) as question:
            question.session = session or f"echo-{next(self._sessions)}"
            self.running += 1
            try:
                yield question
            finally:
                self.running -= 1

    def _block(self, question: Question) -> None:
        step = self._step()
        deed, self.meanwhile = self.meanwhile, None
        if deed is not None:
            self._do_beside(deed)
        seconds = PATIENCE if isinstance(step, Hang) else _seconds(step)
        if seconds:
            self.clock.sleep(seconds)
        if isinstance(step, Hang):
            raise ProviderTimeoutError(seconds=PATIENCE, provider=self.name)
        self._fail(step, question)

    def settles(self) -> None:
        """Wait for what was begun beside a question and could not end before its answer."""
        while self._beside:
            self._beside.pop().join(PATIENCE)

    def dies(self) -> None:
        """End whatever runs on its engine, as the end of a process does."""
        self.engine.run(_cancel_all())

    def _do_beside(self, deed: Callable[[], object]) -> None:
        """Do it beside whoever asks, who may hold what it needs: then it ends after the answer."""
        beside = threading.Thread(target=deed, name="yemot-beside", daemon=True)
        beside.start()
        beside.join(BESIDE)
        self._beside.append(beside)

    def _step(self) -> Step:
        return self._steps.pop(0) if self._steps else Answer(("",), self.seconds)

    def _fail(self, step: Step, question: Question) -> None:
        if not isinstance(step, Answer | Hang | Transcription):
            raise failure_of(step, question.session, provider=self.name)


def _seconds(step: Step) -> float:
    return step.after if isinstance(step, Answer | Failure) else 0.0


async def _cancel_all() -> None:
    """Cancel whatever else runs on this loop, and wait until it is gone."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)
