"""A provider that answers from a script, in this process, in virtual time.

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

from yemot_ai import Engine
from yemot_ai.errors import ProviderError
from yemot_ai.providers import JSON, Exchange, Reply, Usage, read_reply
from yemot_ai_testing.doubles.failures import provider_error_for
from yemot_ai_testing.doubles.pauses import wait_until_open
from yemot_ai_testing.doubles.scriptable import ScriptableService
from yemot_ai_testing.doubles.scripted_double import ScriptedDouble
from yemot_ai_testing.doubles.steps import Answer, Cut, Failure, Hang, Reconnect, Step, Transcription
from yemot_ai_testing.virtual_time import virtual_engine

__all__ = ["ScriptedProvider", "ScriptedRequest"]


@dataclass(frozen=True, slots=True)
class ScriptedRequest:
    """One recorded model call.

    Attributes:
        prompt: what the caller said.
        instructions: the model's instructions.
        session: the provider session that is continued; None for a new one.
        history: earlier exchanges, when a conversation is rebuilt.
    """

    prompt: str
    instructions: str | None
    session: str | None
    history: tuple[Exchange, ...] = ()


class ScriptedProvider(ScriptedDouble, ScriptableService):
    """A provider and transcriber whose model calls consume a script, in order.

    Args:
        engine: the engine on which turns run; one with virtual time by default.

    Attributes:
        requests: the model calls so far.
        ended_sessions: the provider sessions that were ended.
        running: number of model calls in progress.
    """

    name = "scripted"
    streams = True

    def __init__(self, *, engine: Engine | None = None) -> None:
        super().__init__()
        self.engine = engine or virtual_engine()
        self.requests: list[ScriptedRequest] = []
        self.ended_sessions: list[str] = []
        self.running = 0
        self._session_numbers = itertools.count(1)

    async def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
    ) -> AsyncIterator[str | Reply]:
        """Yield the pieces of the scripted answer, then the reply; ``session`` is None at first."""
        session_id = None if session is None else str(session)
        self.requests.append(ScriptedRequest(prompt, instructions, session_id, tuple(history)))
        async with aclosing(
            self._answer_parts(prompt, session_id or f"scripted-{next(self._session_numbers)}")
        ) as parts:
            async for part in parts:
                if stream or isinstance(part, Reply):
                    yield part

    async def end_session(self, session: JSON) -> None:
        """Record the end of a provider session."""
        self.ended_sessions.append(str(session))

    async def transcribe(self, audio: bytes) -> str:
        """Return the text that ``transcribes`` scripted."""
        parts = self._answer_parts(f"(a recording of {len(audio)} bytes)", "", wanted=Transcription)
        return (await read_reply(parts, self.name)).text

    async def _answer_parts(
        self, prompt: str, session: str, *, wanted: type = Answer
    ) -> AsyncGenerator[str | Reply]:
        step = self._take_step(prompt)
        if isinstance(step, Answer | Transcription) and not isinstance(step, wanted):
            self.script.record_unscripted(prompt)
            step = None
        self.running += 1
        try:
            await wait_until_open(self.gate)
            await self.pause.wait_at("asked")
            if isinstance(step, Answer | Cut):
                written = step.as_one_message() if isinstance(step, Answer) else Answer(step.pieces)
                async for piece in self._pieces(written):
                    yield piece
            elif isinstance(step, Transcription):
                await asyncio.sleep(step.after)
            yield await self._finish(step, prompt, session)
        finally:
            self.running -= 1

    def _take_step(self, prompt: str) -> Step | None:
        """Return the step that ends the call: nothing of a stream that begins again is passed on."""
        step = self.script.take(prompt)
        while isinstance(step, Reconnect):
            step = self.script.take(prompt)
        return step

    async def _pieces(self, step: Answer) -> AsyncIterator[str]:
        await asyncio.sleep(step.after)
        for number, piece in enumerate(step.pieces):
            if number and (step.every or self.gate.held):
                await asyncio.sleep(step.every)
                await wait_until_open(self.gate)
            yield piece
            if not number:
                await self.pause.wait_at("first_text")
        await self.pause.wait_at("last_text")

    async def _finish(self, step: Step | None, prompt: str, session: str) -> Reply:
        match step:
            case None:
                raise ProviderError(f"nothing is scripted for {prompt!r}", provider=self.name)
            case Answer() | Transcription():
                text = step.as_one_message().text if isinstance(step, Answer) else step.text
                return Reply(text, session, Usage(len(prompt), 0, len(text)))
            case Cut(reason="length" | "content_filter" as reason):
                return Reply("".join(step.pieces), session, Usage(len(prompt), 0, 1), cut=reason)
            case Failure():
                await asyncio.sleep(step.after)
                raise provider_error_for(step, session, provider=self.name)
            case Hang():
                await asyncio.Event().wait()
                raise AssertionError("the event is never set")  # pragma: no cover
            case _:
                raise provider_error_for(step, session, provider=self.name)
