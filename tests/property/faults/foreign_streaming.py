"""A healthy streaming agent of another author: no violation may be found in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace

from tests.property.faults.broken_streams import STEPS
from tests.property.faults.subject import healthy
from yemot_ai.errors import ProviderError
from yemot_ai.providers import Exchange
from yemot_ai_testing.property import EchoProvider, StreamingMachine

Pairs = Sequence[tuple[str, str]]
ENDED = "go_to_folder=hangup"


class Radio:
    """Speaks while the model writes, with a filler after each two seconds; all in coroutines."""

    def __init__(self, model: EchoProvider) -> None:
        self.model = model
        self.shows: dict[str, Show] = {}
        self.off: set[str] = set()

    async def ahandle_request(self, pairs: Pairs) -> str:
        call_id = next(value for name, value in pairs if name == "ApiCallId")
        if ("hangup", "yes") in pairs or call_id in self.off:
            self.off.add(call_id)
            show = self.shows.pop(call_id, None)
            if show is not None:
                await show.cancel()
            return ENDED
        show = self.shows.setdefault(call_id, Show(self.model))
        response = await asyncio.shield(show.respond(tuple(pairs)))
        return ENDED if call_id in self.off else response

    def handle_request(self, pairs: Pairs) -> str:
        return self.model.engine.run(self.ahandle_request(pairs))


class Show:
    """One call of the radio."""

    def __init__(self, model: EchoProvider) -> None:
        self.model = model
        self.responses: dict[Pairs, asyncio.Task[str]] = {}
        self.queue: asyncio.Queue[str | None] = asyncio.Queue()
        self.writer: asyncio.Task[None] | None = None
        self.aired: list[Exchange] = []
        self.heard: list[str] = []
        self.number = self.misses = 0

    def respond(self, pairs: Pairs) -> asyncio.Task[str]:
        if pairs not in self.responses:
            self.responses[pairs] = asyncio.create_task(self.turn(*pairs[-1]))
        return self.responses[pairs]

    async def turn(self, name: str, value: str) -> str:
        self.number += 1
        if name.startswith("mic"):
            if not value:
                return self.nothing()
            await self.begin(value.removeprefix("Digits-"))
        elif name.startswith("on_air") and value != "more":
            await self.cancel()
            return self.listen("עצרתי, מה עכשיו")
        elif not name.startswith("on_air"):
            return self.listen("Radio, go ahead")
        return await self.broadcast()

    def nothing(self) -> str:
        self.misses += 1
        return self.listen("Pardon") if self.misses < 4 else f"id_list_message=t-Over and out&{ENDED}"

    async def begin(self, words: str) -> None:
        self.misses, self.heard, self.queue = 0, [], asyncio.Queue()
        self.aired.append(Exchange(words, ""))
        self.writer = asyncio.create_task(self.write(words, self.queue))

    async def write(self, words: str, queue: asyncio.Queue[str | None]) -> None:
        text = ""
        try:
            async for part in self.model.ask(words, history=self.aired[:-1], stream=True):
                if isinstance(part, str):
                    text += part
                    *complete, text = text.split(". ")
                    for sentence in complete:
                        queue.put_nowait(sentence)
        except ProviderError:
            queue.put_nowait("השידור נקטע")
        finally:
            queue.put_nowait(None)

    async def broadcast(self) -> str:
        sentences, over = await self.next_sentences()
        self.heard += sentences
        self.aired[-1] = replace(self.aired[-1], answer=". ".join(self.heard))
        if over:
            return self.listen(", ".join(sentences) or "זהו")
        words = ", ".join(sentences) or "ממשיכים"
        return f"read=t-{words}=on_air{self.number},no,1,1,1,No,yes,,,,1,Ok,more,,no"

    async def next_sentences(self) -> tuple[list[str], bool]:
        found: list[str | None] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                found.append(await self.queue.get())
        while not self.queue.empty():
            found.append(self.queue.get_nowait())
        return [sentence for sentence in found if sentence is not None], None in found

    async def cancel(self) -> None:
        if self.writer is not None:
            self.writer.cancel()
            await asyncio.wait({self.writer})

    def listen(self, words: str) -> str:
        return f"read=t-{words}=mic{self.number},no,voice"


@healthy("coroutines that speak while the model writes, with fillers, and pass the whole conversation")
class RadioLine(StreamingMachine):
    model_steps = STEPS
    reset_key = ""

    def make_app(self, provider: EchoProvider) -> object:
        return Radio(provider)
