"""A provider whose answers name the prompt and the number of the model call.

>>> echo = EchoProvider()
>>> echo.ask_blocking("אמירה 7001")
('תשובה 1 על אמירה 7001', 'echo-1')
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

from yemot_ai.errors import ProviderTimeoutError
from yemot_ai.providers import JSON, AnswerPart, Exchange, Reply, ToolCall, ToolCalls, ToolRequest
from yemot_ai_testing.doubles.failures import provider_error_for
from yemot_ai_testing.doubles.pauses import Pause, wait_until_open
from yemot_ai_testing.doubles.script import Gate
from yemot_ai_testing.doubles.scripted_double import PausableModel
from yemot_ai_testing.doubles.scripted_provider import ScriptedRequest
from yemot_ai_testing.doubles.steps import (
    Answer,
    Calls,
    Drop,
    Failure,
    Hang,
    Step,
    Transcription,
)
from yemot_ai_testing.history.correlation import answer_in_sentences, answer_text, sentence_text
from yemot_ai_testing.history.history import History
from yemot_ai_testing.history.recorders.provider import RecordedModelCall, record_model_call
from yemot_ai_testing.line.clock import Clock, EngineClock
from yemot_ai_testing.property.engines.kill import kill_tasks
from yemot_ai_testing.property.engines.ordered import OrderedEngine
from yemot_ai_testing.virtual_time import VirtualEngine

__all__ = ["EchoProvider"]

HOOK_GRACE_SECONDS = 0.05
"""Real seconds to wait for a hook before the answer."""

BLOCKING_TIMEOUT = 60.0
"""Seconds after which an ``ask_blocking`` without an answer raises."""


class EchoProvider(PausableModel):
    """Answer every prompt with the prompt and the number of the model call; failures can be scripted.

    It is a provider; an application without providers calls ``ask_blocking``. A scripted answer comes after
    its ``after`` seconds; its text follows the echo.

    With several sentences it streams: each is one piece, ``every`` seconds after the one before, and has its
    number (``משפט 2 מתוך 3 של תשובה 12 על אמירה 7001``). ``drops([…])`` writes as many sentences as it has
    pieces and stops in the middle of the next one; ``hangs(saying="…")`` writes one first.

    Its model calls tools if that is scripted, and the request offers some.

    Args:
        engine: the engine on which turns run; one with virtual time by default.
        history: records the model calls.
        sentences: sentences of an answer.

    Attributes:
        think_seconds: seconds of a model call without a scripted step.
        requests: the model calls so far.
        running: number of model calls in progress.
        clock: the line's clock; a blocking call advances it.
        on_thinking: a function to call once, during the next model call.
        on_first_sentence: a function to call once, after the first sentence of the next streamed answer.
        kill_after_steps: after a cancelled model call, kill all tasks of the engine after so many steps of
            its loop; None does not.
    """

    name = "echo"
    takes_tools = True

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
        self.streams = sentences > 1
        self._hook_threads: list[threading.Thread] = []
        self._hook_lock = threading.Lock()
        self._hook_task: asyncio.Task[object] | None = None
        self._kill_task: asyncio.Task[None] | None = None
        self.gate = Gate()
        self._steps: list[Step] = []
        self._sessions = itertools.count(1)

    def add(self, step: Step) -> None:
        """Append a step to the script."""
        self._steps.append(step)

    def assert_complete(self) -> None:
        """Check that every step was used; calls without a step are echoed.

        Raises:
            AssertionError: there are unused steps.
        """
        assert not self._steps, f"unused steps: {self._steps}"

    def clear_script(self) -> None:
        """Remove the unused steps."""
        self._steps.clear()

    def ask_blocking(
        self, prompt: str, session: str = "", history: Sequence[Exchange] = ()
    ) -> tuple[str, str]:
        """Answer a prompt; blocks.

        Args:
            prompt: what the caller said.
            session: the provider session to continue; "" for a new one.
            history: earlier exchanges.

        Returns:
            The answer and its provider session.

        Raises:
            ProviderError: the failure that is scripted.
        """
        with self._recorded_call(prompt, session or None, history) as model_call:
            return self._answer_text(model_call, prompt, self._wait_blocking(model_call)), model_call.session

    def ask(  # noqa: PLR0913 - the arguments of ``ToolProvider.ask``
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[AnswerPart]:
        """Answer a prompt, or call tools; sentence by sentence with ``stream``, if it has several."""
        del instructions
        rounds = tools.rounds if tools else ()
        continued = session if session is not None or not rounds else rounds[-1].state
        answer = self._stream_sentences if stream and self.streams else self._answer
        return answer(prompt, None if continued is None else str(continued), history, tools)

    async def _answer(
        self, prompt: str, session: str | None, history: Sequence[Exchange], tools: ToolRequest | None
    ) -> AsyncIterator[AnswerPart]:
        with self._recorded_call(prompt, session, history, tools) as model_call:
            step = await self._take_step(may_call=tools is not None and tools.may_call)
            if isinstance(step, Hang):
                await asyncio.Event().wait()
            end = self._end(model_call, prompt, step)
        yield end  # outside: the consumer may stop here, and the model call is over

    async def _stream_sentences(
        self, prompt: str, session: str | None, history: Sequence[Exchange], tools: ToolRequest | None
    ) -> AsyncIterator[AnswerPart]:
        with self._recorded_call(prompt, session, history, tools) as model_call:
            step = await self._take_step(may_call=tools is not None and tools.may_call)
            for number in range(1, self._sentences_to_write(step) + 1):
                if number > 1:
                    await asyncio.sleep(step.every if isinstance(step, Answer) else 0.0)
                    await wait_until_open(self.gate)
                piece = sentence_text(model_call.model_call_id, prompt, number, self._sentence_count)
                model_call.record_piece(piece)
                yield piece
                if number == 1:
                    await self._after_first_sentence()
            if rest := _unfinished_text(step):
                model_call.record_piece(rest)
                yield rest
            if isinstance(step, Hang):
                await asyncio.Event().wait()
            self._raise_failure(step, model_call)
            await self.pause.wait_at("last_text")
            end = self._end(model_call, prompt, step)
        yield end

    def _end(self, model_call: RecordedModelCall, prompt: str, step: Step) -> Reply | ToolCalls:
        """Return what a model call ends with."""
        self._raise_failure(step, model_call)
        if not isinstance(step, Calls):
            return Reply(self._answer_text(model_call, prompt, step), model_call.session)
        model_call.tool_calls = tuple(
            ToolCall(f"call_{model_call.model_call_id}_{number}", name, arguments)
            for number, (name, arguments) in enumerate(step.calls, 1)
        )
        return ToolCalls(model_call.tool_calls, step.saying, model_call.session)

    async def _take_step(self, *, may_call: bool) -> Step:
        """Take the step of a model call once the gate is open, and wait until it begins to answer.

        Args:
            may_call: whether the model may call tools; otherwise it answers in the place of a step that does.
        """
        await wait_until_open(self.gate)
        step, asked_at = self._next_step(), self.clock.now()
        if isinstance(step, Calls) and not may_call:
            step = Answer(("",), step.after)
        hook, self.on_thinking = self.on_thinking, None
        await self._run_hook(hook)
        delay = _delay(step) - (self.clock.now() - asked_at)
        await self.pause.wait_at("asked")
        await asyncio.sleep(max(delay, 0.0))
        return step

    async def _after_first_sentence(self) -> None:
        hook, self.on_first_sentence = self.on_first_sentence, None
        await self._run_hook(hook)
        await self.pause.wait_at("first_text")

    async def _run_hook(self, hook: Callable[[], object] | None) -> None:
        """Run a hook in a thread; shielded, because it may cancel this model call."""
        if hook is not None:
            self._hook_task = asyncio.create_task(self.engine.run_in_thread(hook))
            await asyncio.shield(self._hook_task)

    def _sentences_to_write(self, step: Step) -> int:
        """Return the number of sentences that a step writes."""
        match step:
            case Answer():
                return self._sentence_count
            case Drop(pieces=pieces):
                return min(len(pieces), self._sentence_count - 1)
            case Hang(saying=saying) if saying:
                return 1
        return 0

    def _answer_text(self, model_call: RecordedModelCall, prompt: str, step: Step) -> str:
        if self._sentence_count == 1:
            words = "".join(step.pieces) if isinstance(step, Answer) else ""
            answer = answer_text(model_call.model_call_id, prompt)
            model_call.text = f"{answer}. {words}" if words else answer
        else:
            model_call.text = answer_in_sentences(
                model_call.model_call_id, prompt, total=self._sentence_count
            )
        return model_call.text

    @contextmanager
    def _recorded_call(
        self,
        prompt: str,
        session: str | None,
        history: Sequence[Exchange],
        tools: ToolRequest | None = None,
    ) -> Iterator[RecordedModelCall]:
        self.requests.append(ScriptedRequest(prompt, None, session, tuple(history)))
        with record_model_call(self.history, prompt, session, history, tools=tools) as model_call:
            model_call.session = session or f"echo-{next(self._sessions)}"
            self.running += 1
            try:
                yield model_call
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

    def _wait_blocking(self, model_call: RecordedModelCall) -> Step:
        """Take the next step, wait its time, and return it."""
        step = self._next_step()
        asked_at = self.clock.now()
        # A hook that waits for this call may leave the next one, which should run as well.
        while (hook := self.on_thinking) is not None:
            self.on_thinking = None
            self._run_blocking_hook(hook)
        seconds = BLOCKING_TIMEOUT if isinstance(step, Hang) else _delay(step)
        seconds -= self.clock.now() - asked_at  # what the hook did took a part of the time
        if seconds > 0:
            self.clock.sleep(seconds)
        if isinstance(step, Hang):
            raise ProviderTimeoutError(seconds=BLOCKING_TIMEOUT, provider=self.name)
        self._raise_failure(step, model_call)
        return step

    def wait_until_idle(self) -> None:
        """Wait for the hooks, and for everything that can run at this moment of virtual time."""
        with self._hook_lock:  # not between the two lines that begin a hook
            threads, current = list(self._hook_threads), threading.current_thread()
        # A hook waits only for hooks that began after it: two that waited for each other would never end.
        for thread in threads[threads.index(current) + 1 :] if current in threads else threads:
            thread.join(BLOCKING_TIMEOUT)
        with self._hook_lock:
            self._hook_threads = [thread for thread in self._hook_threads if thread.is_alive()]
        self.clock.sleep(0)

    def kill_worker(self) -> None:
        """Cancel all tasks of the engine, as the end of a process does."""
        self.engine.run(kill_tasks())

    def _run_blocking_hook(self, hook: Callable[[], object]) -> None:
        """Run a hook in a thread; if it needs a lock of the caller, it ends after the answer."""
        thread = threading.Thread(target=hook, name="yemot-echo-hook", daemon=True)
        with self._hook_lock:
            self._hook_threads.append(thread)
            thread.start()
        thread.join(HOOK_GRACE_SECONDS)

    def _next_step(self) -> Step:
        return self._steps.pop(0) if self._steps else Answer(("",), self.think_seconds)

    def _raise_failure(self, step: Step, model_call: RecordedModelCall) -> None:
        if not isinstance(step, Answer | Calls | Hang | Transcription):
            raise provider_error_for(step, model_call.session, provider=self.name)


def _delay(step: Step) -> float:
    return step.after if isinstance(step, Answer | Calls | Failure) else 0.0


def _unfinished_text(step: Step) -> str:
    """Return what a stream writes after its whole sentences."""
    if isinstance(step, Calls):
        return step.saying
    return "משפט" if isinstance(step, Drop) else ""
