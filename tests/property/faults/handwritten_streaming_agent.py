"""A healthy streaming agent written without AIFlow; its methods are overridden to plant faults."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.property.faults.handwritten_agent import HANG_UP, LEAVE
from yemot_ai.errors import ProviderError
from yemot_ai.protocol import Request
from yemot_ai.providers import Exchange, Reply
from yemot_ai_testing.property import EchoProvider

__all__ = ["Spoken", "StreamingAgent"]

PATIENCE = 3.0
"""Seconds that a request waits for the next sentence."""


@dataclass
class Spoken:
    """The state of a call.

    Attributes:
        answers: the answer to each request, also while it is being made.
        pieces: the sentences of the newest answer, and how many of them were spoken.
        writing: the model's work on it.
        broken: it broke off.
        said: what was said and heard.
    """

    answers: dict[tuple[tuple[str, str], ...], asyncio.Task[str]] = field(default_factory=dict)
    session: str = ""
    turn: int = 0
    polls: int = 0
    silences: int = 0
    pieces: list[str] = field(default_factory=list)
    upto: int = 0
    prompt: str = ""
    writing: asyncio.Task[None] | None = None
    broken: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)
    said: list[Exchange] = field(default_factory=list)


class StreamingAgent:
    """Listens, calls the model, speaks sentence by sentence; all on the model's event loop."""

    def __init__(self, model: EchoProvider) -> None:
        self.model = model
        self.calls: dict[str, Spoken] = {}
        self.over: set[str] = set()

    def open_calls(self) -> int:
        return len(self.calls)

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> str:
        return self.model.engine.run(self.answer(Request.parse(pairs)))

    async def answer(self, request: Request) -> str:
        if request.hangup:
            return await self.hung_up(request)
        if request.call_id in self.over:
            return HANG_UP
        memory = self.calls.setdefault(request.call_id, Spoken())
        answer = await asyncio.shield(self.once(memory, request))
        return HANG_UP if request.call_id in self.over else answer

    def once(self, memory: Spoken, request: Request) -> asyncio.Task[str]:
        """Give a repeated request the same response."""
        if request.pairs not in memory.answers:
            memory.answers[request.pairs] = asyncio.create_task(self.react(memory, request))
        return memory.answers[request.pairs]

    async def hung_up(self, request: Request) -> str:
        self.over.add(request.call_id)
        memory = self.calls.pop(request.call_id, None)
        if memory is not None:
            await self.stop(memory)
        return "noop=ended"

    async def react(self, memory: Spoken, request: Request) -> str:
        if not request.values:
            return self.listen(memory, "שלום")
        name, value = request.values[-1]
        if name.startswith("poll_"):
            return await (self.speak(memory) if value == "None" else self.interrupted(memory))
        said = value.removeprefix("Digits-")
        memory.silences = 0 if said else memory.silences + 1
        if not said:
            return LEAVE if memory.silences == 3 else self.listen(memory, "לא שמעתי")
        if said == "0":
            memory.session, memory.said = "", []
            return self.listen(memory, "שלום")
        self.begin(memory, said)
        return await self.speak(memory)

    def begin(self, memory: Spoken, said: str) -> None:
        memory.pieces, memory.upto, memory.broken, memory.prompt = [], 0, False, said
        memory.writing = asyncio.create_task(self.write(memory, said))

    async def write(self, memory: Spoken, said: str) -> None:
        try:
            await self.ask(memory, said)
        except ProviderError:
            memory.broken = True
            self.broke_off(memory)
        finally:
            memory.news.set()

    async def ask(self, memory: Spoken, said: str) -> None:
        history = () if memory.session else tuple(memory.said)
        async for part in self.model.ask(said, session=memory.session or None, history=history, stream=True):
            if isinstance(part, Reply):
                memory.session = str(part.session)
                memory.said.append(Exchange(said, part.text))
            elif isinstance(part, str) and part.endswith(". "):  # an incomplete sentence is not spoken
                memory.pieces.append(part.removesuffix(". "))
                memory.news.set()

    async def interrupted(self, memory: Spoken) -> str:
        await self.stop(memory)
        self.remember(memory, memory.pieces[: memory.upto])
        return self.listen(memory, "כן")

    def broke_off(self, memory: Spoken) -> None:
        if memory.pieces:
            self.remember(memory, memory.pieces)

    def remember(self, memory: Spoken, pieces: Sequence[str]) -> None:
        # The model's own conversation does not have it: the next prompt says what was heard.
        memory.said.append(Exchange(memory.prompt, " ".join(pieces)))
        memory.session = ""

    async def stop(self, memory: Spoken) -> None:
        if memory.writing is not None:
            memory.writing.cancel()
            await asyncio.wait({memory.writing})

    async def speak(self, memory: Spoken) -> str:
        """Speak the pieces so far; after the last one the line listens, else it polls."""
        if memory.upto == len(memory.pieces) and not self.is_over(memory):
            memory.news.clear()
            await self.wait(memory)
        words = self.next_words(memory)
        if self.is_over(memory):
            return self.listen(memory, ", ".join([*words, *(["סליחה, נסו שוב"] * memory.broken)] or ["כן"]))
        memory.polls += 1
        text = ", ".join(words) or "רק רגע"
        return f"read=t-{text}=poll_{memory.polls},no,1,1,1,No,,,,,1,Ok,None,,no"

    async def wait(self, memory: Spoken) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await memory.news.wait()
        except TimeoutError:
            return

    def next_words(self, memory: Spoken) -> list[str]:
        begin, memory.upto = memory.upto, len(memory.pieces)
        return memory.pieces[begin : memory.upto]

    def is_over(self, memory: Spoken) -> bool:
        return memory.writing is None or memory.writing.done()

    def listen(self, memory: Spoken, text: str) -> str:
        memory.turn += 1
        return f"read=t-{text}=said_{memory.turn},no,voice"
