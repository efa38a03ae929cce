"""What was streamed is the answer, also when the last event of a response holds less of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.streams.event_stream_server import EventStreamServer
from tests.providers.streams.stream_events import (
    MESSAGE_START,
    MESSAGE_STOP,
    Event,
    block,
    delta,
    ended,
    listen,
    messages,
    output,
    responses,
    stopped,
)
from yemot_ai._runtime.engine import Engine
from yemot_ai.providers import Reply

FIRST, SECOND = "פתוח עד שבע. ", "ביום שישי עד אחת."
TEXT = FIRST + SECOND
PIECES: list[Event] = [delta(FIRST), delta(SECOND)]
CREATED: Event = {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}


def last(kind: str = "completed", **response: Any) -> Event:  # noqa: ANN401 - any field
    return {"type": f"response.{kind}", "response": response}


LESS: dict[str, Event] = {
    "an empty output": ended(output=[]),
    "no output": last(id="resp_1", status="completed"),
    "a null output": ended(output=None),
    "an output of another type": ended(output={}),
    "the last token": ended("."),
    "the last piece": ended(SECOND),
    "a null text": ended(output=[{"type": "message", "content": [{"type": "output_text", "text": None}]}]),
    "no content": ended(output=[{"type": "message"}]),
    "only a reasoning item": ended(output=[{"type": "reasoning", "summary": []}]),
    "response.done": last("done", id="resp_1", status="completed", output=[]),
    "response.done without a status": last("done", id="resp_1", output=output(TEXT)),
    "a status that was not updated": last(id="resp_1", status="in_progress", output=[]),
    "no response": {"type": "response.completed"},
    "a null response": {"type": "response.completed", "response": None},
    "no id": last(status="completed", output=[]),
}


def heard(*events: Event) -> tuple[list[str], Reply]:
    with EventStreamServer(*events) as server:
        return Engine.shared().run(listen(responses(server.url)))


@pytest.mark.parametrize("name", LESS)
def test_what_was_streamed_is_the_answer(name: str) -> None:
    received, reply = heard(CREATED, *PIECES, LESS[name])

    assert (received, reply.text, reply.cut) == ([FIRST, SECOND], TEXT, "")
    assert reply.session == {"response_id": "resp_1"}


@pytest.mark.parametrize("name", LESS)
def test_the_next_turn_continues_the_conversation(name: str) -> None:
    with EventStreamServer(CREATED, *PIECES, LESS[name]) as server:
        provider = responses(server.url)

        async def turns() -> None:
            session = None
            for _ in range(2):
                async for part in provider.ask("עד מתי?", session=session, stream=True):
                    if isinstance(part, Reply):
                        session = part.session
            await provider.aclose()  # type: ignore[attr-defined]  # it has one

        Engine.shared().run(turns())
        assert [body.get("previous_response_id") for body in server.sent] == [None, "resp_1"]


@pytest.mark.parametrize("name", LESS)
def test_an_answer_of_one_sentence_is_kept_whole(name: str) -> None:
    received, reply = heard(CREATED, delta("כן."), LESS[name])

    assert "".join(received).startswith("כן.")
    assert reply.text == "".join(received)


MORE: dict[str, list[Event]] = {
    "the last event": [ended(TEXT)],
    "a finished text": [
        {
            "type": "response.output_text.done",
            "item_id": "m",
            "output_index": 0,
            "content_index": 0,
            "text": TEXT,
        },
        ended(output=[]),
    ],
    "a finished item": [
        {"type": "response.output_item.done", "output_index": 0, "item": output(TEXT)[0]},
        ended(output=[]),
    ],
}


@pytest.mark.parametrize("streamed", [[], [delta(FIRST)], PIECES], ids=["nothing", "half", "all"])
@pytest.mark.parametrize("name", MORE)
def test_what_was_not_streamed_is_a_piece_too(name: str, streamed: list[Event]) -> None:
    received, reply = heard(CREATED, *streamed, *MORE[name])

    assert "".join(received) == reply.text == TEXT


def test_all_that_repeats_the_text_adds_nothing() -> None:
    repeated = [event for events in MORE.values() for event in events[:1]]
    received, reply = heard(CREATED, *PIECES, *repeated[1:], repeated[0])

    assert (received, reply.text) == ([FIRST, SECOND], TEXT)


def test_two_messages_are_separated() -> None:
    second = {**delta(SECOND), "item_id": "m2", "output_index": 1}
    received, reply = heard(CREATED, delta("רגע, אני בודק"), second, ended(output=[]))

    assert "".join(received) == reply.text == f"רגע, אני בודק\n{SECOND}"


@pytest.mark.parametrize("repeat", [[], output("אחפש")], ids=["added", "repeated"])
def test_commentary_is_not_spoken_when_only_its_item_names_it(repeat: list[dict[str, Any]]) -> None:
    item = {"type": "message", "id": "m", "phase": "commentary"}
    added: Event = {"type": "response.output_item.added", "output_index": 0, "item": item}
    done: list[Event] = [
        {"type": "response.output_item.done", "output_index": 0, "item": {**part, **item}} for part in repeat
    ]
    answer = {**delta(TEXT), "item_id": "m2", "output_index": 1}
    received, reply = heard(CREATED, added, delta("אחפש"), *done, answer, ended(output=[]))

    assert (received, reply.text) == ([TEXT], TEXT)


def test_text_at_the_start_of_a_block_of_anthropic_is_spoken() -> None:
    start: Event = {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": FIRST},
    }
    events: list[Event] = [MESSAGE_START, start, block(SECOND), stopped(), MESSAGE_STOP]
    with EventStreamServer(*events) as server:
        received, reply = Engine.shared().run(listen(messages(server.url)))

    assert (received, reply.text) == ([FIRST, SECOND], TEXT)
