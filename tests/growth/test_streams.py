"""Reading a stream is linear in the number of its pieces: in work, time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.protocol import growth
from tests.growth.measure import TIME_BOUND, Job, assert_linear
from yemot_ai.errors import ProviderError
from yemot_ai.providers.answer_filter import AnswerFilter
from yemot_ai.providers.anthropic.message_stream import MessageAccumulator as Messages
from yemot_ai.providers.codex.app_server.turn import AppServerTurn
from yemot_ai.providers.openai.chat import SDK_MODULE, ChatCompletionsAPI
from yemot_ai.providers.openai.provider import SERVICE
from yemot_ai.providers.openai.responses import ResponsesAPI
from yemot_ai.providers.sdk.client import ServiceClient, StreamAccumulator

pytestmark = pytest.mark.generated

OPENAI = ServiceClient(SERVICE, module=SDK_MODULE, key="k", model="m", base_url=None, timeout=1.0)


def heard(writing: StreamAccumulator, events: list[Any]) -> object:
    for event in events:
        writing.feed(event)
    return writing.response if writing.ended else None


def answer(pieces: list[str], thought_end: str = "") -> object:
    answer_filter = AnswerFilter(thought_end)
    for piece in pieces:
        answer_filter.feed(piece)
    return answer_filter.finish()


def chunk(text: str, finish: str | None = None) -> Any:  # noqa: ANN401 - as the SDK makes it
    choice = SimpleNamespace(delta=SimpleNamespace(content=text), finish_reason=finish)
    return SimpleNamespace(id="c", choices=[choice])


def block(text: str) -> Any:  # noqa: ANN401 - an event of an SDK
    delta = SimpleNamespace(type="text_delta", text=text)
    return SimpleNamespace(type="content_block_delta", delta=delta)


def delta(number: int) -> Any:  # noqa: ANN401 - an event of an SDK
    place = {"item_id": "m", "output_index": 0, "content_index": number}
    return SimpleNamespace(type="response.output_text.delta", delta="ש" * 40, **place)


def turn_of(size: int) -> None:
    """Read a turn of an app-server in which half of the messages are not the answer."""

    async def talk() -> None:
        turn = AppServerTurn("t", len)
        for number in range(size):
            aside = {"type": "agentMessage", "phase": "commentary", "id": f"m{number}"}
            turn.handle("item/started", {"item": aside})
            turn.handle("item/agentMessage/delta", {"itemId": "m-1", "delta": "ש" * 40})
        turn.fail(ProviderError("the end"))

    asyncio.run(talk())


def responses() -> StreamAccumulator:
    return ResponsesAPI(OPENAI, store=False).accumulator()


def chat() -> StreamAccumulator:
    return ChatCompletionsAPI(OPENAI).accumulator()


STREAMS: dict[str, Callable[[int], Job]] = {
    "responses": lambda size: lambda: heard(responses(), [delta(number) for number in range(size)]),
    "chat": lambda size: lambda: heard(chat(), [chunk("ש" * 40)] * size),
    "thoughts": lambda size: lambda: answer(["<think>", *["hm [ < " * 9] * size]),
    "inline thoughts": lambda size: lambda: answer(["שלום <think>", *["hm [ < " * 9] * size]),
    "withheld thoughts": lambda size: lambda: answer(["ש" * 40] * size, "</think>"),
    "a text with marks": lambda size: lambda: answer(["ש < [ ` { " * 4] * size),
    "a call": lambda size: lambda: answer(['{"name": "f", "arguments": {', *['"a": "{",'] * size]),
    "a header": lambda size: lambda: answer(["<|channel|>", *["final "] * size]),
    "chat, ended often": lambda size: lambda: heard(chat(), [chunk("ש" * 9, "stop")] * size),
    "messages": lambda size: lambda: heard(Messages(), [block("ש" * 40)] * size),
    "app-server": lambda size: lambda: turn_of(size),
}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_is_linear_in_work_and_memory(stream: str) -> None:
    small, large = (STREAMS[stream](size) for size in (150, 1_500))
    assert_linear(small, large)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_is_not_quadratic_in_time(stream: str) -> None:
    assert growth(lambda size: STREAMS[stream](int(size))(), str, small=2_000, rounds=3) < TIME_BOUND
