"""Handwritten streaming agents, each with one planted fault."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from tests.property.faults.handwritten_streaming_agent import Spoken, StreamingAgent
from tests.property.faults.subject import Fault, healthy
from yemot_ai.errors import ProviderError
from yemot_ai.protocol import Request
from yemot_ai.providers import Exchange
from yemot_ai_testing.doubles.steps import Answer, Drop
from yemot_ai_testing.property import EchoProvider, StreamingMachine

STEPS = (None, Answer(("",), every=1.0), Answer(("",), 1.0, every=4.0), Drop(), Drop(("…", "…")))
"""Steps that end: these agents wait for their model without a timeout."""


class StreamingByHand(StreamingMachine):
    """Runs a handwritten streaming agent."""

    agent: ClassVar[type[StreamingAgent]]
    model_steps = STEPS

    def make_app(self, provider: EchoProvider) -> object:
        return self.agent(provider)


fault = Fault(StreamingByHand, "agent")


@healthy("a streaming agent written by hand")
class StreamingWrittenByHand(StreamingByHand):
    agent = StreamingAgent


@fault("repeats a sentence after a repeated poll", "answered_twice")
class RepeatsASentence(StreamingAgent):
    def once(self, memory: Spoken, request: Request) -> asyncio.Task[str]:
        if request.pairs in memory.answers and not self.is_over(memory):
            memory.upto = max(memory.upto - 1, 0)
        return super().once(memory, request)


@fault("gives the next sentence to a repeated poll", "unstable", "out_of_order", "unheard")
class LosesASentenceToACopy(StreamingAgent):
    def once(self, memory: Spoken, request: Request) -> asyncio.Task[str]:
        if request.values and request.values[-1][0].startswith("poll_"):
            return asyncio.create_task(self.react(memory, request))
        return super().once(memory, request)


@fault("does not speak the last sentence", "unheard")
class LosesTheLastSentence(StreamingAgent):
    def next_words(self, memory: Spoken) -> list[str]:
        words = super().next_words(memory)
        return [] if self.is_over(memory) and memory.upto > 1 else words


@fault("speaks the newest sentence first", "out_of_order", "answered_twice")
class NewestFirst(StreamingAgent):
    def next_words(self, memory: Spoken) -> list[str]:
        return super().next_words(memory)[::-1]


@fault(
    "lets the model write on when a key interrupts",
    "ran_after_interruption",
    "two_writers",
    "ran_after_hangup",
)
class WritesOnAfterAKey(StreamingAgent):
    async def interrupted(self, memory: Spoken) -> str:
        memory.said.append(Exchange(memory.prompt, " ".join(memory.pieces)))
        return self.listen(memory, "כן")


@fault("speaks on when a key interrupts", "spoke_after_interruption")
class SpeaksOnAfterAKey(StreamingAgent):
    async def interrupted(self, memory: Spoken) -> str:
        return await self.speak(memory)


@fault("forgets the spoken part of an interrupted answer", "forgot")
class ForgetsWhatWasInterrupted(StreamingAgent):
    async def interrupted(self, memory: Spoken) -> str:
        await self.stop(memory)
        return self.listen(memory, "כן")


@fault("forgets the spoken part of a failed answer", "forgot")
class ForgetsWhatBrokeOff(StreamingAgent):
    def broke_off(self, memory: Spoken) -> None:
        """Continue as if no part of it had been spoken."""


@fault("restarts a failed answer that was already spoken in part", "asked_twice", "answered_twice")
class BeginsAnew(StreamingAgent):
    async def ask(self, memory: Spoken, said: str) -> None:
        try:
            await super().ask(memory, said)
        except ProviderError:
            await super().ask(memory, said)


@fault("keys sentences by the number of the turn, without the call", "crossed_calls")
class SpeaksAPieceOfAnotherCall(StreamingAgent):
    def __init__(self, model: EchoProvider) -> None:
        super().__init__(model)
        self.of_turns: dict[int, list[str]] = {}

    def begin(self, memory: Spoken, said: str) -> None:
        super().begin(memory, said)
        memory.pieces = self.of_turns.setdefault(memory.turn, [])
