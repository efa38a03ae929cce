"""A provider that answers from a script, in this process and in virtual time.

>>> from yemot_ai import YemotAI
>>> provider = ScriptedProvider().answers("באיזה גודל?", after=30)
>>> YemotAI(provider=provider).reply("c1", "אני רוצה פיצה")
'באיזה גודל?'
>>> provider.requests[0].prompt
'אני רוצה פיצה'
>>> provider.assert_complete()
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from yemot_ai.errors import ProviderError
from yemot_ai.providers import JSON, Exchange, Reply, Usage
from yemot_ai.runtime.engine import Engine
from yemot_ai_testing.doubles.failures import provider_error_for
from yemot_ai_testing.doubles.pauses import Pause, PausePoint, wait_until_open
from yemot_ai_testing.doubles.script import (
    Answer,
    Failure,
    Hang,
    Script,
    ScriptableService,
    Step,
    Transcription,
)
from yemot_ai_testing.virtual_time import virtual_engine

__all__ = ["ScriptedProvider", "ScriptedRequest"]


@dataclass(frozen=True, slots=True)
class ScriptedRequest:
    """What the provider was asked.

    Attributes:
        prompt: what the caller said.
        instructions: how it was told to answer.
        session: the conversation that is continued; None for a new one.
        history: earlier exchanges, when a conversation is rebuilt.
    """

    prompt: str
    instructions: str | None
    session: str | None
    history: tuple[Exchange, ...] = ()


class ScriptedProvider(ScriptableService):
    """Answers what it was told to answer, in the order in which it is asked; a transcriber, too.

    Args:
        engine: where turns run; one with virtual time unless given.

    Attributes:
        requests: what was asked so far.
        ended_sessions: the sessions that were to be forgotten.
        running: how many questions are being thought about right now.
        pause: where questions stand still, once ``pause_at`` has said so.
    """

    name = "scripted"

    def __init__(self, *, engine: Engine | None = None) -> None:
        self.engine = engine or virtual_engine()
        self.requests: list[ScriptedRequest] = []
        self.ended_sessions: list[str] = []
        self.running = 0
        self.pause = Pause()
        self._script = Script()
        self._session_numbers = itertools.count(1)

    def add(self, step: Step) -> None:
        """Append a step to the script."""
        self._script.add(step)

    def hold(self) -> None:
        """Let every later question wait until ``release()``."""
        self._script.gate.hold()

    def release(self) -> None:
        """Let everything through that waits."""
        self._script.gate.release()

    def pause_at(self, point: PausePoint) -> None:
        """Let every later question stand still at a point of its answer, until ``resume()``.

        Args:
            point: ``asked``: nothing is written yet; ``first_text``: the first piece is handed over;
                ``last_text``: all of the text is, but not its end.

        Raises:
            ValueError: there is no such point.
        """
        self.pause.set_point(point)

    def resume(self) -> None:
        """Let everything go on that stands at the point."""
        self.pause.release()

    def wait_for_requests(self, count: int) -> None:
        """Block until ``count`` questions have arrived in all.

        Raises:
            TimeoutError: they have not, within 10 s.
        """
        self._script.wait_for_requests(count)

    def assert_complete(self) -> None:
        """Check that every step was used and every question was scripted.

        Raises:
            ScriptMismatchError: the message lists what was asked and what was scripted.
        """
        self._script.assert_complete()

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        """Answer the first utterance of a conversation."""
        return await _reply_of(self.stream(None, prompt, instructions=instructions, history=history))

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        """Answer a further utterance."""
        return await _reply_of(self.stream(session, prompt, instructions=instructions))

    async def stream(
        self,
        session: JSON,
        prompt: str,
        *,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
    ) -> AsyncIterator[str | Reply]:
        """Answer in the pieces of the script; ``session`` is None for the first utterance."""
        known = None if session is None else str(session)
        self.requests.append(ScriptedRequest(prompt, instructions, known, tuple(history)))
        async with aclosing(
            self._answer_parts(prompt, known or f"scripted-{next(self._session_numbers)}")
        ) as parts:
            async for part in parts:
                yield part

    async def end_session(self, session: JSON) -> None:
        """Note that the session is to be forgotten."""
        self.ended_sessions.append(str(session))

    async def transcribe(self, audio: bytes) -> str:
        """Hear what was scripted by ``transcribes``."""
        return (
            await _reply_of(
                self._answer_parts(f"(a recording of {len(audio)} bytes)", "", wanted=Transcription)
            )
        ).text

    async def _answer_parts(
        self, prompt: str, session: str, *, wanted: type = Answer
    ) -> AsyncGenerator[str | Reply]:
        step = self._script.take(prompt)
        if isinstance(step, Answer | Transcription) and not isinstance(step, wanted):
            self._script.record_unscripted(prompt)
            step = None
        self.running += 1
        try:
            await wait_until_open(self._script.gate)
            await self.pause.wait_at("asked")
            if isinstance(step, Answer):
                async for piece in self._pieces(step):
                    yield piece
            elif isinstance(step, Transcription):
                await asyncio.sleep(step.after)
            yield await self._finish(step, prompt, session)
        finally:
            self.running -= 1

    async def _pieces(self, step: Answer) -> AsyncIterator[str]:
        await asyncio.sleep(step.after)
        for number, piece in enumerate(step.pieces):
            if number and (step.every or self._script.gate.held):
                await asyncio.sleep(step.every)
                await wait_until_open(self._script.gate)
            yield piece
            if not number:
                await self.pause.wait_at("first_text")
        await self.pause.wait_at("last_text")

    async def _finish(self, step: Step | None, prompt: str, session: str) -> Reply:
        match step:
            case None:
                raise ProviderError(f"nothing is scripted for {prompt!r}", provider=self.name)
            case Answer() | Transcription():
                return Reply(step.text, session, Usage(len(prompt), 0, len(step.text)))
            case Failure():
                await asyncio.sleep(step.after)
                raise provider_error_for(step, session, provider=self.name)
            case Hang():
                await asyncio.Event().wait()
                raise AssertionError("nobody sets that event")  # pragma: no cover
            case _:
                raise provider_error_for(step, session, provider=self.name)


async def _reply_of(parts: AsyncIterator[str | Reply]) -> Reply:
    async for part in parts:
        if isinstance(part, Reply):
            return part
    raise AssertionError("a script ends with a reply or an error")  # pragma: no cover
