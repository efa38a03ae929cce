"""A model whose answers tell which question they answer.

>>> echo = Echo()
>>> echo.ask("אמירה 7001")
('תשובה 1 על אמירה 7001', 'echo-1')
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

from yemot_ai.errors import ProviderTimeoutError
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing.doubles.failures import provider_error_for
from yemot_ai_testing.doubles.pauses import Pause, PausePoint, wait_until_open
from yemot_ai_testing.doubles.script import (
    Answer,
    Crash,
    Drop,
    Failure,
    Gate,
    Hang,
    ScriptableModel,
    Step,
    Transcription,
    UnknownSession,
)
from yemot_ai_testing.doubles.scripted_provider import ScriptedRequest
from yemot_ai_testing.history.correlation import answer_in_sentences, answer_text, sentence_text
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.provider import RecordedModelCall, record_model_call
from yemot_ai_testing.line.clock import Clock, EngineClock
from yemot_ai_testing.property.engines.kill import kill_tasks
from yemot_ai_testing.property.engines.ordered import OrderedEngine
from yemot_ai_testing.virtual_time import VirtualEngine

__all__ = ["MODEL_STEPS", "STREAMING_STEPS", "EchoProvider"]

HOOK_GRACE_SECONDS = 0.05
"""Real seconds that something beside a question gets to end before the answer."""

BLOCKING_TIMEOUT = 60.0
"""Seconds after which whoever asks and blocks is told that there is no answer."""


MARKDOWN_ANSWER = '**כן**, מע"מ & ד-1 = 1.5 | [כאן](https://a.example/?b=1&c=2)\n\n| א | ב |\n|---|---|'
"""What models write though nobody wants to hear it: what has a meaning to the line, or to Markdown."""

MODEL_STEPS: Sequence[Step | None] = (
    None,
    Answer((MARKDOWN_ANSWER,)),
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

STREAMING_STEPS: Sequence[Step | None] = (
    *MODEL_STEPS,
    Answer(("",), every=1.0),
    Answer(("",), 1.0, every=4.0),
    Answer(("",), every=9.0),
    Drop(("…", "…")),
    Hang("…"),
)
"""What a model does that writes its answer sentence by sentence."""


class EchoProvider(ScriptableModel):
    """Answers every prompt with the prompt and the number of the question; faults can be scripted.

    It is a provider (``start_session``, ``continue_session``); an application without providers asks it
    with ``ask``, which blocks. An answer that is scripted is thought about ``after`` seconds, and its
    words follow the echo.

    With several sentences it streams: each is a piece of its own, ``every`` seconds after the one before,
    and names its place (``משפט 2 מתוך 3 של תשובה 12 על אמירה 7001``). ``drops([…])`` breaks off after as
    many of them as there are pieces, in the middle of the next; ``hangs(saying="…")`` writes one first.

    Args:
        engine: where turns run; one with virtual time unless given.
        history: where questions are written down.
        sentences: how many an answer has.

    Attributes:
        think_seconds: how long it thinks, where nothing else is scripted.
        requests: what was asked.
        running: how many questions are being thought about right now.
        clock: the line's time; whoever blocks lets it pass.
        on_thinking: what happens, once, while the next question is thought about.
        on_first_sentence: likewise, when the first sentence of the next streamed answer is handed over.
        kill_after_steps: once a question is broken off, all that runs on the engine ends after so many steps of its
            loop; None: it does not.
        pause: where questions stand still, once ``pause_at`` has said so.
    """

    name = "echo"

    def __init__(
        self,
        *,
        engine: VirtualEngine | None = None,
        history: History | None = None,
        sentences: int = 1,
    ) -> None:
        self.engine = engine or OrderedEngine()
        self.history = History() if history is None else history
        self.think_seconds = 0.0
        self.requests: list[ScriptedRequest] = []
        self.running = 0
        self.clock: Clock = EngineClock(self.engine.clock)
        self.on_thinking: Callable[[], object] | None = None
        self.on_first_sentence: Callable[[], object] | None = None
        self.kill_after_steps: int | None = None
        self.pause = Pause()
        self._sentence_count = sentences
        if sentences > 1:
            self.stream = (
                self._stream_sentences
            )  # only then: an application sees by it that answers come in pieces
        self._hook_threads: list[threading.Thread] = []
        self._hook_task: asyncio.Task[object] | None = None
        self._kill_task: asyncio.Task[None] | None = None
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

    def clear_script(self) -> None:
        """Drop the steps that nobody has asked for."""
        self._steps.clear()

    def hold(self) -> None:
        """Let every later question wait until ``release()``."""
        self._gate.hold()

    def release(self) -> None:
        """Let everything through that waits."""
        self._gate.release()

    def pause_at(self, point: PausePoint) -> None:
        """Let every later question stand still at a point of its answer, until ``resume()``.

        Args:
            point: ``asked``, ``first_text`` (the first sentence is handed over) or ``last_text`` (all are,
                but not the end of the answer).

        Raises:
            ValueError: there is no such point.
        """
        self.pause.set_point(point)

    def resume(self) -> None:
        """Let everything go on that stands at the point."""
        self.pause.release()

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
        with self._recorded_call(prompt, session or None, history) as question:
            return self._answer_text(question, prompt, self._wait_blocking(question)), question.session

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
        with self._recorded_call(prompt, session, history) as question:
            step = await self._take_step()
            if isinstance(step, Hang):
                await asyncio.Event().wait()
            await asyncio.sleep(_delay(step))
            self._raise_failure(step, question)
            return Reply(self._answer_text(question, prompt, step), question.session)

    async def _stream_sentences(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        """Answer sentence by sentence; ``session`` is None for the first prompt of a conversation."""
        del instructions
        with self._recorded_call(prompt, None if session is None else str(session), history) as question:
            step = await self._take_step()
            await asyncio.sleep(_delay(step))
            for number in range(1, self._sentences_to_write(step) + 1):
                if number > 1:
                    await asyncio.sleep(step.every if isinstance(step, Answer) else 0.0)
                    await wait_until_open(self._gate)
                piece = sentence_text(question.model_call_id, prompt, number, self._sentence_count)
                question.record_piece(piece)
                yield piece
                if number == 1:
                    await self._after_first_sentence()
            if isinstance(step, Drop):
                question.record_piece("משפט")
                yield "משפט"
            if isinstance(step, Hang):
                await asyncio.Event().wait()
            self._raise_failure(step, question)
            await self.pause.wait_at("last_text")
            reply = Reply(self._answer_text(question, prompt, step), question.session)
        yield reply  # outside: whoever has it need not ask for more, and the question is over

    async def _take_step(self) -> Step:
        """Take the step of a question, once it may begin."""
        await wait_until_open(self._gate)
        step = self._next_step()
        deed, self.on_thinking = self.on_thinking, None
        await self._run_hook(deed)
        await self.pause.wait_at("asked")
        return step

    async def _after_first_sentence(self) -> None:
        deed, self.on_first_sentence = self.on_first_sentence, None
        await self._run_hook(deed)
        await self.pause.wait_at("first_text")

    async def _run_hook(self, hook: Callable[[], object] | None) -> None:
        """Do it in a thread; it goes on, and virtual time knows, though it ends the very question."""
        if hook is not None:
            self._hook_task = asyncio.create_task(self.engine.run_in_thread(hook))
            await asyncio.shield(self._hook_task)

    def _sentences_to_write(self, step: Step) -> int:
        """Return how many sentences are written."""
        match step:
            case Answer():
                return self._sentence_count
            case Drop(pieces=pieces):
                return min(len(pieces), self._sentence_count - 1)
            case Hang(saying=saying) if saying:
                return 1
        return 0

    def _answer_text(self, question: RecordedModelCall, prompt: str, step: Step) -> str:
        if self._sentence_count == 1:
            words = "".join(step.pieces) if isinstance(step, Answer) else ""
            return (
                f"{answer_text(question.model_call_id, prompt)}. {words}"
                if words
                else answer_text(question.model_call_id, prompt)
            )
        return answer_in_sentences(question.model_call_id, prompt, total=self._sentence_count)

    @contextmanager
    def _recorded_call(
        self, prompt: str, session: str | None, history: Sequence[Exchange]
    ) -> Iterator[RecordedModelCall]:
        self.requests.append(ScriptedRequest(prompt, None, session, tuple(history)))
        with record_model_call(self.history, prompt, session, history) as question:
            question.session = session or f"echo-{next(self._sessions)}"
            self.running += 1
            try:
                yield question
            except (asyncio.CancelledError, GeneratorExit):
                self._on_cancelled()
                raise
            finally:
                self.running -= 1

    def _on_cancelled(self) -> None:
        steps, self.kill_after_steps = self.kill_after_steps, None
        if steps is not None:
            self._kill_task = asyncio.create_task(
                kill_tasks(after_steps=steps, excluding=self.engine.awaited_tasks)
            )

    def _wait_blocking(self, question: RecordedModelCall) -> Step:
        """Let the time of a question pass, and return what the model does about it."""
        step = self._next_step()
        deed, self.on_thinking = self.on_thinking, None
        if deed is not None:
            self._run_blocking_hook(deed)
        seconds = BLOCKING_TIMEOUT if isinstance(step, Hang) else _delay(step)
        if seconds:
            self.clock.sleep(seconds)
        if isinstance(step, Hang):
            raise ProviderTimeoutError(seconds=BLOCKING_TIMEOUT, provider=self.name)
        self._raise_failure(step, question)
        return step

    def wait_until_idle(self) -> None:
        """Wait for what was begun beside a question, and for all that can be done at this moment."""
        here = threading.current_thread()
        for beside in [one for one in self._hook_threads if one is not here]:
            beside.join(BLOCKING_TIMEOUT)
        self._hook_threads = [one for one in self._hook_threads if one.is_alive()]
        self.clock.sleep(0)

    def kill_worker(self) -> None:
        """End whatever runs on its engine, as the end of a process does."""
        self.engine.run(kill_tasks())

    def _run_blocking_hook(self, hook: Callable[[], object]) -> None:
        """Do it beside whoever asks, who may hold what it needs: then it ends after the answer."""
        beside = threading.Thread(target=hook, name="yemot-beside", daemon=True)
        beside.start()
        beside.join(HOOK_GRACE_SECONDS)
        self._hook_threads.append(beside)

    def _next_step(self) -> Step:
        return self._steps.pop(0) if self._steps else Answer(("",), self.think_seconds)

    def _raise_failure(self, step: Step, question: RecordedModelCall) -> None:
        if not isinstance(step, Answer | Hang | Transcription):
            raise provider_error_for(step, question.session, provider=self.name)


def _delay(step: Step) -> float:
    return step.after if isinstance(step, Answer | Failure) else 0.0
