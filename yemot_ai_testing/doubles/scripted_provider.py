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
from dataclasses import dataclass, replace

from yemot_ai import Engine
from yemot_ai.errors import ProviderError
from yemot_ai.providers import (
    JSON,
    Exchange,
    Reply,
    ToolCall,
    ToolCalls,
    ToolRequest,
    ToolRound,
    Usage,
    read_reply,
)
from yemot_ai_testing.doubles.failures import provider_error_for
from yemot_ai_testing.doubles.pauses import wait_until_open
from yemot_ai_testing.doubles.script import NO_TOOLS
from yemot_ai_testing.doubles.scriptable import ScriptableService
from yemot_ai_testing.doubles.scripted_double import ScriptedDouble
from yemot_ai_testing.doubles.steps import Answer, Calls, Cut, Failure, Hang, Reconnect, Step, Transcription
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
        tools: the names of the tools that the model may call.
        rounds: the calls of this turn so far, and their results.
        may_call: whether the model may call more of them.
    """

    prompt: str
    instructions: str | None
    session: str | None
    history: tuple[Exchange, ...] = ()
    tools: tuple[str, ...] = ()
    rounds: tuple[ToolRound, ...] = ()
    may_call: bool = True


class ScriptedProvider(ScriptedDouble, ScriptableService):
    """A provider and transcriber whose model calls consume a script, in order.

    Args:
        engine: the engine on which turns run; one with virtual time by default.
        takes_tools: whether its model can call tools.

    Attributes:
        requests: the model calls so far.
        ended_sessions: the provider sessions that were ended.
        running: number of model calls in progress.
    """

    name = "scripted"
    streams = True

    def __init__(self, *, engine: Engine | None = None, takes_tools: bool = True) -> None:
        super().__init__()
        self.engine = engine or virtual_engine()
        self.takes_tools = takes_tools
        self.requests: list[ScriptedRequest] = []
        self.ended_sessions: list[str] = []
        self.running = 0
        self._session_numbers = itertools.count(1)
        self._call_numbers = itertools.count(1)

    async def ask(  # noqa: PLR0913 - the arguments of ``ToolProvider.ask``
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[str | Reply | ToolCalls]:
        """Yield the pieces of the scripted answer, then the reply or the calls of tools.

        ``session`` is None at first.
        """
        session_id = None if session is None else str(session)
        request = ScriptedRequest(prompt, instructions, session_id, tuple(history))
        self.requests.append(request if tools is None else _with_tools(request, tools))
        turn = session_id or _session_of(tools) or f"scripted-{next(self._session_numbers)}"
        wanted = (Answer,) if tools is None else (Answer, Calls)
        async with aclosing(self._answer_parts(prompt, turn, wanted=wanted)) as parts:
            async for part in parts:
                if stream or not isinstance(part, str):
                    yield part

    async def end_session(self, session: JSON) -> None:
        """Record the end of a provider session."""
        self.ended_sessions.append(str(session))

    async def transcribe(self, audio: bytes) -> str:
        """Return the text that ``transcribes`` scripted."""
        parts = self._answer_parts(f"(a recording of {len(audio)} bytes)", "", wanted=(Transcription,))
        return (await read_reply(parts, self.name)).text

    async def _answer_parts(
        self, prompt: str, session: str, *, wanted: tuple[type, ...]
    ) -> AsyncGenerator[str | Reply | ToolCalls]:
        step = self._take_step(prompt)
        if isinstance(step, Answer | Calls | Transcription) and not isinstance(step, wanted):
            has_no_tools = isinstance(step, Calls)
            self.script.record_unscripted(f"{prompt}{NO_TOOLS}" if has_no_tools else prompt)
            step = None
        self.running += 1
        try:
            await wait_until_open(self.gate)
            await self.pause.wait_at("asked")
            if isinstance(step, Answer | Cut):
                written = step.as_one_message() if isinstance(step, Answer) else Answer(step.pieces)
                async for piece in self._pieces(written):
                    yield piece
            elif isinstance(step, Calls):
                async for piece in self._pieces(Answer(step.pieces, step.after)):
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

    async def _finish(self, step: Step | None, prompt: str, session: str) -> Reply | ToolCalls:
        match step:
            case None:
                raise ProviderError(f"nothing is scripted for {prompt!r}", provider=self.name)
            case Answer() | Transcription():
                text = step.as_one_message().text if isinstance(step, Answer) else step.text
                return Reply(text, session, Usage(len(prompt), 0, len(text)))
            case Calls():
                calls = tuple(ToolCall(f"call_{next(self._call_numbers)}", *call) for call in step.calls)
                return ToolCalls(calls, step.saying, session, Usage(len(prompt), 0, len(calls)))
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


def _with_tools(request: ScriptedRequest, tools: ToolRequest) -> ScriptedRequest:
    names = tuple(spec.name for spec in tools.specs)
    return replace(request, tools=names, rounds=tools.rounds, may_call=tools.may_call)


def _session_of(tools: ToolRequest | None) -> str | None:
    """Return the session of a turn that has called tools before."""
    state = tools.rounds[-1].state if tools is not None and tools.rounds else None
    return None if state is None else str(state)
