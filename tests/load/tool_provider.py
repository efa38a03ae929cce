"""A provider whose model calls tools for most utterances; the seed decides which, not the worker."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from typing import Final

from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import OverloadedError
from yemot_ai.providers import JSON, AnswerPart, Exchange, Reply, ToolCall, ToolCalls, ToolRequest
from yemot_ai_testing.history import History
from yemot_ai_testing.history.correlation import (
    answer_in_sentences,
    latest_utterance_id,
    sentence_text,
    utterance_text,
)
from yemot_ai_testing.history.recorders.provider import RecordedModelCall, record_model_call

__all__ = ["ToolProvider"]

SENTENCES: Final = 2
SLOWEST: Final = 0.5
"""The most seconds until the model has written a message, or a sentence."""

MESSAGES: Final[Sequence[Sequence[Sequence[str]]]] = (
    (),
    (("place_order",),),
    (("cancel_order",),),
    (("find_order", "place_order"),),
    (("place_order", "place_order"),),
    (("find_order",), ("cancel_order",)),
)
"""The tools that the model calls in each message before its answer."""

FAILURE_RATE: Final = 0.05
"""The share of model calls that fail, and may be retried."""


class ToolProvider:
    """Calls tools, then answers in sentences.

    Args:
        seed: decides which tools an utterance needs.
        history: records the model calls.
        engine: the engine on which turns run.
        worker: the name of the worker.
    """

    name = "tools"
    streams = True
    takes_tools = True

    def __init__(self, seed: int, history: History, engine: Engine, *, worker: str) -> None:
        self.engine = engine
        self._seed = seed
        self._history = history
        self._worker = worker
        self._random = random.Random(f"{seed} {worker}")  # noqa: S311 - not for security

    async def ask(  # noqa: PLR0913 - the arguments of ``ToolProvider.ask``
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
        tools: ToolRequest | None = None,
    ) -> AsyncIterator[AnswerPart]:
        utterance_id = latest_utterance_id(prompt)
        with record_model_call(
            self._history, prompt, session, history, tools=tools, worker=self._worker
        ) as model_call:
            model_call.session = str(session or f"talk-{self._worker}-{model_call.model_call_id}")
            await self._think()
            calls = self._calls(utterance_id, tools, model_call.model_call_id)
            if not calls:
                async for piece in self._sentences(model_call, prompt):
                    yield piece
            end = self._end(model_call, prompt, calls)
        yield end

    async def _think(self) -> None:
        await asyncio.sleep(self._random.random() * SLOWEST)
        if self._random.random() < FAILURE_RATE:
            raise OverloadedError("too many requests at once", provider=self.name)

    def _calls(
        self, utterance_id: str, tools: ToolRequest | None, model_call_id: str
    ) -> tuple[ToolCall, ...]:
        rng = random.Random(f"{self._seed} {utterance_id} tools")  # noqa: S311 - not for security
        messages, done = rng.choice(MESSAGES), len(tools.rounds) if tools else 0
        names = messages[done] if tools and tools.may_call and done < len(messages) else ()
        return tuple(
            ToolCall(
                f"call_{model_call_id}_{number}",
                name,
                json.dumps({"order": f"{done}.{number} {utterance_text(utterance_id)}"}, ensure_ascii=False),
            )
            for number, name in enumerate(names, 1)
        )

    async def _sentences(self, model_call: RecordedModelCall, prompt: str) -> AsyncIterator[str]:
        for number in range(1, SENTENCES + 1):
            piece = sentence_text(model_call.model_call_id, prompt, number, SENTENCES)
            model_call.record_piece(piece)
            yield piece
            await asyncio.sleep(self._random.random() * SLOWEST)

    def _end(
        self, model_call: RecordedModelCall, prompt: str, calls: tuple[ToolCall, ...]
    ) -> Reply | ToolCalls:
        if calls:
            model_call.tool_calls = calls
            return ToolCalls(calls, state=model_call.session)
        text = answer_in_sentences(model_call.model_call_id, prompt, total=SENTENCES)
        return Reply(text, model_call.session)
