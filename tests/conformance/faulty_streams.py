"""Clients of a chat API with one fault each in their streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import openai

from tests.conformance.chat_client import ChatClient, Message
from tests.conformance.faults import fault
from yemot_ai.errors import ProviderError
from yemot_ai.providers import JSON


@fault("yields all that there is so far as each piece", "stream-joined", "stream-own-answers")
class GrowingPieces(ChatClient):
    async def parts(self, pieces: AsyncIterator[str], *, stream: bool) -> AsyncIterator[str | list[str]]:
        so_far = ""
        async for part in super().parts(pieces, stream=stream):
            if isinstance(part, str):
                so_far += part
                yield so_far
            else:
                yield part


@fault("loses pieces that it has yielded before", "stream-joined")
class LosesPieces(ChatClient):
    async def parts(self, pieces: AsyncIterator[str], *, stream: bool) -> AsyncIterator[str | list[str]]:
        seen: set[str] = set()
        async for part in super().parts(pieces, stream=stream):
            if isinstance(part, list) or part not in seen:
                yield part
            seen.update(part if isinstance(part, list) else [part])


@fault("says that it streams, and yields all at the end", "stream-early")
class StreamsLate(ChatClient):
    async def parts(self, pieces: AsyncIterator[str], *, stream: bool) -> AsyncIterator[str | list[str]]:
        async for part in super().parts(pieces, stream=False):
            if stream:
                for piece in part:
                    yield piece
            yield part


@fault("yields pieces that nobody asked for", "answer-reply")
class UnaskedPieces(ChatClient):
    async def parts(self, pieces: AsyncIterator[str], *, stream: bool) -> AsyncIterator[str | list[str]]:
        async for part in super().parts(pieces, stream=True):
            yield part


@fault(
    "reads on in a task when the answer is closed",
    "stream-closed",
    "stream-leftovers",
    "work-stopped",
    "work-leftovers",
    "failure-deadline",
    "failure-deadline-later",
)
class ReadsOn(ChatClient):
    tasks: set[asyncio.Task[None]]

    async def pieces(self, messages: list[Message]) -> AsyncGenerator[str]:
        queue: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self.tasks = getattr(self, "tasks", set())
        self.tasks.add(asyncio.create_task(self._fill(queue, super().pieces(messages))))
        while (piece := await queue.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def _fill(self, queue: asyncio.Queue[str | Exception | None], pieces: AsyncIterator[str]) -> None:
        try:
            async for piece in pieces:
                queue.put_nowait(piece)
        except (openai.APIError, ProviderError) as error:
            queue.put_nowait(error)
        queue.put_nowait(None)


@fault("collects the pieces of all streams in the provider", "stream-own-answers")
class PiecesOnSelf(ChatClient):
    text: list[str]

    async def parts(self, pieces: AsyncIterator[str], *, stream: bool) -> AsyncIterator[str | list[str]]:
        if not stream:
            async for part in super().parts(pieces, stream=False):
                yield part
            return
        self.text = []
        async for part in super().parts(pieces, stream=True):
            if isinstance(part, str):
                self.text.append(part)
                yield part
        yield self.text


@fault("has a deadline for the first piece only", "failure-deadline-later")
class DeadlineForFirstPiece(ChatClient):
    async def parts(self, pieces: AsyncIterator[str], *, stream: bool) -> AsyncIterator[str | list[str]]:
        text: list[str] = []
        async with asyncio.timeout(self.deadline) as limit:
            async for piece in pieces:
                limit.reschedule(None)
                text.append(piece)
                if stream:
                    yield piece
        yield text


@fault("takes a stream without an end for an answer", "failure-broken-off", "stream-broken-off", "answer-cut")
class EndsAnywhere(ChatClient):
    async def pieces(self, messages: list[Message]) -> AsyncGenerator[str]:
        any_text = False
        try:
            async for piece in super().pieces(messages):
                any_text = True
                yield piece
        except (ProviderError, openai.APIError):
            if not any_text:
                raise


@fault("returns no history with a streamed answer", "stream-continued")
class ForgetsStreams(ChatClient):
    async def parts(self, pieces: AsyncIterator[str], *, stream: bool) -> AsyncIterator[str | list[str]]:
        self.streamed = stream
        async for part in super().parts(pieces, stream=stream):
            yield part

    def session(self, messages: list[Message]) -> JSON:
        return super().session([] if self.streamed else messages)
