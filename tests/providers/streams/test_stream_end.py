"""An answer ends with its last event, independent of what the connection does afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.providers.streams.event_stream_server import End, EventStreamServer
from tests.providers.streams.stream_events import (
    MESSAGE_START,
    MESSAGE_STOP,
    USAGE,
    USAGE_CHUNK,
    Event,
    block,
    chat,
    chunk,
    delta,
    ended,
    listen,
    messages,
    responses,
    stopped,
)
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ProviderCrashError, ProviderTimeoutError
from yemot_ai.providers import Provider, Usage

Events = list[Event]

TEXT = "פתוח עד שבע. ביום שישי עד אחת."

STREAMS: dict[str, tuple[Callable[..., Provider], Events]] = {
    "completed": (responses, [delta(TEXT), ended(TEXT)]),
    "completed without text": (responses, [ended(TEXT)]),
    "finish and usage": (chat, [chunk(TEXT), chunk(finish="stop"), USAGE_CHUNK]),
    "finish with usage": (chat, [chunk(TEXT, usage=USAGE), chunk(finish="stop", usage=USAGE)]),
    "finish, usage and done": (chat, [chunk(TEXT), chunk(finish="stop"), USAGE_CHUNK, "[DONE]"]),
    "message_stop": (messages, [MESSAGE_START, block(TEXT), stopped(), MESSAGE_STOP]),
}
UNFINISHED: dict[str, tuple[Callable[..., Provider], Events]] = {
    "finish": (chat, [chunk(TEXT), chunk(finish="stop")]),
    "finish and done": (chat, [chunk(TEXT, "stop"), "[DONE]"]),
    "stop reason": (messages, [MESSAGE_START, block(TEXT), stopped()]),
}


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
    [
        (responses, [delta(TEXT)]),
        (chat, [chunk(TEXT), USAGE_CHUNK]),
        (messages, [MESSAGE_START, block(TEXT)]),
    ],
    ids=["responses", "chat", "messages"],
)
def test_an_answer_without_its_end_is_an_error(
    make: Callable[..., Provider], events: Events, end: End
) -> None:
    with EventStreamServer(*events, end=end) as server, pytest.raises(ProviderCrashError):
        Engine.shared().run(listen(make(server.url)))


@pytest.mark.parametrize(
    ("make", "events"),
    [(responses, [delta(TEXT)]), (chat, [chunk(TEXT)]), (messages, [MESSAGE_START, block(TEXT)])],
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
