"""An answer ends with its last event, whatever the connection does afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.providers.event_stream_server import End, EventStreamServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ProviderCrashError, ProviderTimeoutError
from yemot_ai.providers import AnthropicProvider, OpenAIProvider, Provider, Reply, Usage, read_reply

Events = list[dict[str, Any] | str]

TEXT = "פתוח עד שבע. ביום שישי עד אחת."
LIMIT = 10.0
"""Seconds for an answer; a provider that waited for the end of the connection would fail after them."""


def responses(url: str, timeout: float = LIMIT) -> Provider:
    return OpenAIProvider(api_key="test", model="m", base_url=f"{url}/v1", timeout=timeout)


def chat(url: str, timeout: float = LIMIT) -> Provider:
    return OpenAIProvider(api_key="test", model="m", base_url=f"{url}/v1", api="chat", timeout=timeout)


def messages(url: str, timeout: float = LIMIT) -> Provider:
    return AnthropicProvider(api_key="test", model="m", base_url=url, timeout=timeout)


def delta(text: str) -> dict[str, Any]:
    place = {"item_id": "m", "output_index": 0, "content_index": 0}
    return {"type": "response.output_text.delta", **place, "delta": text}


def completed(text: str = TEXT) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    output = [{"type": "message", "id": "m", "role": "assistant", "content": content}]
    return {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": output}}


def chunk(text: str = "", finish: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice], **fields}


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
USAGE_CHUNK = {"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": USAGE}


def block(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


START = {
    "type": "message_start",
    "message": {"id": "m", "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}},
}


def stopped(reason: str = "end_turn") -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}}


STOP = {"type": "message_stop"}

STREAMS: dict[str, tuple[Callable[..., Provider], Events]] = {
    "completed": (responses, [delta(TEXT), completed()]),
    "completed without text": (responses, [completed()]),
    "finish and usage": (chat, [chunk(TEXT), chunk(finish="stop"), USAGE_CHUNK]),
    "finish with usage": (chat, [chunk(TEXT, usage=USAGE), chunk(finish="stop", usage=USAGE)]),
    "finish, usage and done": (chat, [chunk(TEXT), chunk(finish="stop"), USAGE_CHUNK, "[DONE]"]),
    "message_stop": (messages, [START, block(TEXT), stopped(), STOP]),
}
UNFINISHED: dict[str, tuple[Callable[..., Provider], Events]] = {
    "finish": (chat, [chunk(TEXT), chunk(finish="stop")]),
    "finish and done": (chat, [chunk(TEXT, "stop"), "[DONE]"]),
    "stop reason": (messages, [START, block(TEXT), stopped()]),
}


async def listen(provider: Provider) -> tuple[list[str], Reply]:
    received: list[str] = []
    try:
        reply = await read_reply(provider.ask("עד מתי?", stream=True), provider.name, received.append)
    finally:
        await provider.aclose()  # type: ignore[attr-defined]  # these providers have it
    return received, reply


@pytest.mark.parametrize("end", ["whole", "cut", "open"])
@pytest.mark.parametrize("name", STREAMS)
def test_what_the_connection_does_after_the_last_event_changes_nothing(name: str, end: End) -> None:
    make, events = STREAMS[name]
    with EventStreamServer(*events, end=end) as server:
        received, reply = Engine.shared().run(listen(make(server.url)))

    assert reply.text == TEXT
    assert "".join(received) in {TEXT, ""}
    assert reply.usage == (None if make is responses else Usage(3, 0, 2, 0))


@pytest.mark.parametrize("end", ["whole", "cut", "open"])
@pytest.mark.parametrize("name", UNFINISHED)
def test_an_answer_is_whole_when_its_text_has_ended(name: str, end: End) -> None:
    make, events = UNFINISHED[name]
    with EventStreamServer(*events, end=end) as server:
        received, reply = Engine.shared().run(listen(make(server.url)))

    assert (received, reply.text) == ([TEXT], TEXT)


@pytest.mark.parametrize("name", STREAMS)
def test_nothing_after_the_last_event_is_read_as_the_answer(name: str) -> None:
    make, events = STREAMS[name]
    later: Events = [delta("סוד"), chunk("סוד"), block("סוד"), {"error": {"message": "late"}}]
    with EventStreamServer(*events, *later, end="open") as server:
        received, reply = Engine.shared().run(listen(make(server.url)))

    assert reply.text == TEXT
    assert "".join(received) in {TEXT, ""}


@pytest.mark.parametrize("name", STREAMS)
def test_a_response_that_ends_leaves_its_connection_for_the_next_turn(name: str) -> None:
    make, events = STREAMS[name]
    with EventStreamServer(*events) as server:
        provider = make(server.url)

        async def turns() -> None:
            for _ in range(3):
                async for _part in provider.ask("עד מתי?", stream=True):
                    pass
            await provider.aclose()  # type: ignore[attr-defined]  # these providers have it

        Engine.shared().run(turns())
        assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.parametrize("end", ["whole", "cut"])
@pytest.mark.parametrize(
    ("make", "events"),
    [(responses, [delta(TEXT)]), (chat, [chunk(TEXT), USAGE_CHUNK]), (messages, [START, block(TEXT)])],
    ids=["responses", "chat", "messages"],
)
def test_an_answer_without_its_end_is_an_error(
    make: Callable[..., Provider], events: Events, end: End
) -> None:
    with EventStreamServer(*events, end=end) as server, pytest.raises(ProviderCrashError):
        Engine.shared().run(listen(make(server.url)))


@pytest.mark.parametrize(
    ("make", "events"),
    [(responses, [delta(TEXT)]), (chat, [chunk(TEXT)]), (messages, [START, block(TEXT)])],
    ids=["responses", "chat", "messages"],
)
def test_a_stream_that_stays_open_in_the_answer_is_a_timeout(
    make: Callable[..., Provider], events: Events
) -> None:
    with EventStreamServer(*events, end="open") as server:
        with pytest.raises(ProviderTimeoutError) as caught:
            Engine.shared().run(listen(make(server.url, 0.3)))
        assert caught.value.seconds == 0.3
        assert len(server.requests) == 1
