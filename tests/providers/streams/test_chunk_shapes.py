"""The chunks of compatible servers, which deviate from those of OpenAI."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.providers.streams.event_stream_server import End, EventStreamServer
from tests.providers.streams.stream_events import USAGE, USAGE_CHUNK, Event, chat, chunk, listen
from tests.support.asking import ask_provider
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import AnswerEmptyError, OverloadedError, ProviderCrashError, ProviderError
from yemot_ai.providers import Reply

TEXT = "פתוח עד שבע. ביום שישי עד אחת."
PIECES = ["פתוח עד שבע.", " ביום שישי ", "עד אחת."]
STOP = chunk(finish="stop")


def choice(**fields: Any) -> Event:  # noqa: ANN401 - any field
    return {"id": "c", "choices": [{"index": 0, "finish_reason": None, **fields}]}


def message(content: object, **fields: Any) -> Event:  # noqa: ANN401 - any field
    return choice(message={"role": "assistant", "content": content}, **fields)


def parts(*texts: str) -> Event:
    return choice(delta={"content": [{"type": "text", "text": text} for text in texts]})


def two_choices(text: str) -> Event:
    second = {"index": 1, "delta": {"content": "סוד"}}
    return {"id": "c", "choices": [{"index": 0, "delta": {"content": text}}, second]}


CALL = [{"index": 0, "id": "1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "צריך לענות"}]}

SHAPES: dict[str, list[Event]] = {
    "pieces in messages": [*map(message, PIECES), STOP],
    "growing messages": [message(PIECES[0]), message("".join(PIECES[:2])), message(TEXT), STOP],
    "a whole message after deltas": [*map(chunk, PIECES), message(TEXT, finish_reason="stop")],
    "another message after deltas": [*map(chunk, PIECES), message("פתוח", finish_reason="stop")],
    "a message instead of a stream": [message(TEXT, finish_reason="stop")],
    "texts": [*(choice(text=piece) for piece in PIECES), STOP],
    "texts beside empty deltas": [*(choice(text=piece, delta={}) for piece in PIECES), STOP],
    "deltas that are null": [choice(delta=None), *map(chunk, PIECES), choice(delta=None), STOP],
    "chunks without deltas": [choice(), *map(chunk, PIECES), choice(), STOP],
    "chunks without choices": [{"id": "c", "choices": []}, *map(chunk, PIECES), STOP, USAGE_CHUNK],
    "choices that are null": [{"id": "c", "choices": None}, *map(chunk, PIECES), STOP],
    "other objects": [{"type": "ping"}, *map(chunk, PIECES), {"id": "c", "usage": USAGE}, STOP],
    "parts": [*map(parts, PIECES), STOP],
    "one part": [choice(delta={"content": {"type": "text", "text": TEXT}}), STOP],
    "parts without types": [choice(delta={"content": [{"text": TEXT}]}), STOP],
    "texts as parts": [choice(delta={"content": PIECES}), STOP],
    "parts of thoughts": [choice(delta={"content": [THOUGHT]}), parts(TEXT), STOP],
    "an image": [choice(delta={"content": [{"type": "image_url", "image_url": {}}]}), chunk(TEXT), STOP],
    "thoughts of their own": [
        choice(delta={"content": None, "reasoning_content": "צריך"}),
        choice(delta={"content": "", "reasoning": "לענות", "reasoning_details": [{"text": "קצר"}]}),
        *map(chunk, PIECES),
        STOP,
    ],
    "no content": [choice(delta={"role": "assistant"}), *map(chunk, PIECES), STOP],
    "an index for each token": [
        *(choice(index=number, delta={"content": piece}) for number, piece in enumerate(PIECES, 1)),
        STOP,
    ],
    "a second choice": [*map(two_choices, PIECES), STOP],
    "refusals": [*(choice(delta={"refusal": piece, "content": None}) for piece in PIECES), STOP],
    "reasons as texts": [*(chunk(piece, "null") for piece in PIECES), STOP],
    "empty reasons": [*(chunk(piece, "") for piece in PIECES), STOP],
    "the reason before the text": [chunk(finish="stop"), *map(chunk, PIECES)],
    "no reason": [*map(chunk, PIECES), "[DONE]"],
    "no reason, with usage": [*map(chunk, PIECES), USAGE_CHUNK, "[DONE]"],
    "reasons as texts to the end": [*(chunk(piece, "null") for piece in PIECES), "[DONE]"],
    "events without data": ["", *map(chunk, PIECES), "", "null", STOP, "[DONE]"],
    "done in quotes": [*map(chunk, PIECES), '"[DONE]"'],
    "done in small letters": [*map(chunk, PIECES), "[done]"],
    "no end but a reason": [*map(chunk, PIECES), STOP],
}


def ask_stream(*events: Event, end: End = "whole") -> tuple[str, Reply]:
    with EventStreamServer(*events, end=end) as server:
        received, reply = Engine.shared().run(listen(chat(server.url)))
    return "".join(received), reply


@pytest.mark.parametrize("name", SHAPES)
def test_the_answer_is_spoken_once_and_whole(name: str) -> None:
    spoken, reply = ask_stream(*SHAPES[name])

    assert (spoken, reply.text, reply.cut) == (TEXT, TEXT, "")


@pytest.mark.parametrize("end", ["whole", "cut", "open"])
def test_an_answer_without_a_reason_ends_with_done(end: End) -> None:
    spoken, reply = ask_stream(*map(chunk, PIECES), "[DONE]", end=end)

    assert (spoken, reply.text, reply.cut) == (TEXT, TEXT, "")


@pytest.mark.parametrize("events", [[], ["null"]], ids=["no chunk", "a null"])
def test_done_without_any_text_is_no_answer(events: list[Event]) -> None:
    with pytest.raises((AnswerEmptyError, ProviderCrashError)):
        ask_stream(chunk(), *events, "[DONE]")


def test_a_call_of_a_tool_in_a_message_of_a_stream_is_no_whole_answer() -> None:
    calling = choice(message={"content": TEXT, "tool_calls": CALL}, finish_reason="stop")

    assert ask_stream(calling)[1].cut == "tool_calls"


@pytest.mark.parametrize(
    "error",
    [
        {"object": "error", "message": "Internal server error", "code": 500},
        {"type": "error", "message": "overloaded", "status": 503},
        {"detail": "Service unavailable"},
        {"id": "c", "choices": None, "error_code": 503, "error_msg": "server is busy", "message": "busy"},
    ],
    ids=["flat", "type", "detail", "code"],
)
def test_an_error_in_a_chunk_without_choices_is_an_error(error: Event) -> None:
    for events in ([error], [chunk(PIECES[0]), error], [chunk(PIECES[0]), error, "[DONE]"]):
        with pytest.raises(OverloadedError):
            ask_stream(*events)


REFUSALS: dict[str, tuple[Event, str]] = {
    "minimax": ({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
                "quota_exceeded"),
    "minimax rate": ({"base_resp": {"status_code": 1002, "status_msg": "rate limit exceeded(RPM)"}},
                     "rate_limited"),
    "siliconflow": ({"code": 20015, "message": "The parameter is invalid.", "data": None}, "provider"),
    "tgi": ({"error": "Request failed during generation: CUDA out of memory", "error_type": "generation"},
            "overloaded"),
    "lmstudio": ({"error": {"message": "The model has crashed without additional information."}},
                 "overloaded"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_in_a_chunk_has_its_reason(name: str) -> None:
    event, kind = REFUSALS[name]
    with pytest.raises(ProviderError, match=r"invalid|balance|RPM|CUDA|crashed") as caught:
        ask_stream(event)
    assert caught.value.kind == kind


@pytest.mark.parametrize("content", [5, True, {"a": {}}, [[]]], ids=str)
def test_content_of_no_known_type_breaks_nothing(content: object) -> None:
    with pytest.raises((ProviderCrashError, AnswerEmptyError)):
        ask_stream(choice(delta={"content": content}), STOP)


def ask_whole(**fields: Any) -> Reply:  # noqa: ANN401 - any field
    body = {"id": "c", "choices": [{"index": 0, "finish_reason": "stop", **fields}]}
    with FixedResponseServer(json.dumps(body).encode()) as server:
        provider = chat(server.url)

        async def ask() -> Reply:
            try:
                return await ask_provider(provider, "עד מתי?")
            finally:
                await provider.aclose()  # type: ignore[attr-defined]  # this provider has it

        return Engine.shared().run(ask())


@pytest.mark.parametrize(
    "fields",
    [
        {"message": {"content": TEXT}},
        {"message": {"content": [{"type": "text", "text": TEXT}]}},
        {"message": {"content": [THOUGHT, {"type": "text", "text": TEXT}]}},
        {"message": {"content": None, "refusal": TEXT}},
        {"message": {"content": TEXT, "reasoning_content": "צריך לענות"}},
        {"delta": {"content": TEXT}},
        {"text": TEXT},
        {"message": None, "text": TEXT},
    ],
    ids=["text", "parts", "thoughts", "refusal", "reasoning", "delta", "legacy", "null"],
)
def test_a_whole_completion_has_the_same_shapes(fields: dict[str, Any]) -> None:
    assert ask_whole(**fields).text == TEXT


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_without_content_are_no_answer(field: str) -> None:
    with pytest.raises(AnswerEmptyError):
        ask_whole(message={"content": None, field: TEXT})
    with pytest.raises(AnswerEmptyError):
        ask_stream(choice(delta={"content": None, field: TEXT}), STOP)
