"""An answer that the model could not finish says so, and why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.providers.streams.event_stream_server import EventStreamServer
from tests.providers.streams.stream_events import (
    MESSAGE_START,
    MESSAGE_STOP,
    USAGE_CHUNK,
    Event,
    block,
    chat,
    chunk,
    delta,
    ended,
    listen,
    messages,
    output,
    responses,
    stopped,
)
from tests.support.asking import ask_provider
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import (
    AnswerEmptyError,
    ContextOverflowError,
    OverloadedError,
    ProviderError,
    RateLimitedError,
    RefusedRequestError,
)
from yemot_ai.providers import FallbackProvider, Provider, Reply

Maker = Callable[..., Provider]

TEXT = "זה עולה. מאה ועש"


class CutProvider:
    """Answers with a text that reached the limit of tokens."""

    name = "cut"
    streams = False

    async def ask(self, prompt: str, **_: object) -> AsyncIterator[str | Reply]:
        yield Reply(f"{prompt} מאה ועש", session="1", cut="length")


def test_a_fallback_passes_on_that_an_answer_was_cut() -> None:
    assert asyncio.run(ask_provider(FallbackProvider([CutProvider()]), "כמה?")).cut == "length"


def streamed(make: Maker, *events: Event) -> Reply:
    with EventStreamServer(*events) as server:
        return Engine.shared().run(listen(make(server.url)))[1]


def whole(make: Maker, body: dict[str, Any]) -> Reply:
    with FixedResponseServer(json.dumps(body).encode()) as server:
        provider = make(server.url)

        async def ask() -> Reply:
            try:
                return await ask_provider(provider, "כמה?")
            finally:
                await provider.aclose()  # type: ignore[attr-defined]  # these providers have it

        return Engine.shared().run(ask())


def chat_body(reason: str | None, text: str | None = TEXT, **choice: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    message = {"role": "assistant", "content": text}
    return {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": reason, **choice}]}


def messages_body(reason: str | None, text: str = TEXT) -> dict[str, Any]:
    content = [{"type": "text", "text": text}]
    return {"id": "m", "type": "message", "role": "assistant", "content": content, "stop_reason": reason}


def response_body(status: str | None, text: str = TEXT, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"id": "resp_1", "status": status, "output": output(text), **fields}


CHAT_CUTS = [
    "length", "content_filter", "error", "tool_calls", "function_call", "model_length", "MAX_TOKENS",
    "SAFETY", "abort", "insufficient_system_resource", "network_error", "cancelled", "recitation",
    "model_context_window_exceeded", "sensitive", "ERROR_LIMIT", "maxPredictedTokensReached",
    "FINISH_REASON_MAX_TOKENS", "time_limit", "load", "<|python_tag|>", "cut for an unknown reason",
]  # fmt: skip


@pytest.mark.parametrize("reason", CHAT_CUTS)
def test_a_completion_that_was_cut_says_why(reason: str) -> None:
    reply = whole(chat, chat_body(reason))
    assert (reply.text, reply.cut) == (TEXT, reason)
    reply = streamed(chat, chunk(TEXT), chunk(finish=reason), USAGE_CHUNK)
    assert (reply.text, reply.cut) == (TEXT, reason)


WHOLE = [
    "stop", "STOP", "eos", "eos_token", "eosFound", "end_turn", "stop_sequence", "COMPLETE", "endoftext",
    "FINISH_REASON_STOP", "REASON_STOP", "done", "stopStringFound", "<|eot_id|>", "<|im_end|>", "</s>",
    "<｜end▁of▁sentence｜>",
]  # fmt: skip


@pytest.mark.parametrize("reason", WHOLE)
def test_a_completion_that_ended_is_whole(reason: str) -> None:
    assert whole(chat, chat_body(reason)).cut == ""
    assert streamed(chat, chunk(TEXT), chunk(finish=reason), USAGE_CHUNK).cut == ""


@pytest.mark.parametrize("reason", [None, "", "null", "NONE", "FINISH_REASON_UNSPECIFIED"])
def test_a_completion_without_a_reason_is_whole(reason: str | None) -> None:
    assert whole(chat, chat_body(reason)).cut == ""


def test_a_reason_of_any_length_and_type_is_kept_short() -> None:
    assert whole(chat, chat_body("x" * 9999)).cut == "x" * 60
    assert (
        whole(
            chat, {**chat_body("stop"), "choices": [{"message": {"content": TEXT}, "finish_reason": 7}]}
        ).cut
        == "7"
    )


def test_text_before_a_call_of_a_tool_is_no_whole_answer() -> None:
    call = [{"id": "1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]
    body = chat_body("stop")
    body["choices"][0]["message"]["tool_calls"] = call
    assert whole(chat, body).cut == "tool_calls"

    calling = chunk(TEXT)
    calling["choices"][0]["delta"]["tool_calls"] = [{"index": 0, **call[0]}]
    assert streamed(chat, calling, chunk(finish="stop"), USAGE_CHUNK).cut == "tool_calls"


ERRORS: dict[str, tuple[dict[str, Any], type[ProviderError]]] = {
    "another": ({"code": "rate_limit_exceeded", "message": "sorry"}, RateLimitedError),
    "a word": ({"code": "server_error", "message": "sorry"}, OverloadedError),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("text", [TEXT, ""], ids=["text", "none"])
def test_an_error_in_a_choice_is_an_error(name: str, text: str) -> None:
    error, kind = ERRORS[name]
    with pytest.raises(ProviderError, match="sorry") as caught:
        whole(chat, chat_body("error", text, error=error))
    assert isinstance(caught.value, kind)

    failed = chunk(finish="error")
    failed["choices"][0]["error"] = error
    with pytest.raises(ProviderError, match="sorry") as caught:
        streamed(chat, chunk(text), failed)
    assert isinstance(caught.value, kind)


@pytest.mark.parametrize(
    "reason",
    [
        "max_tokens",
        "pause_turn",
        "tool_use",
        "compaction",
        "model_context_window_exceeded",
        "any other",
    ],
)
def test_a_message_that_was_cut_says_why(reason: str) -> None:
    reply = whole(messages, messages_body(reason))
    assert (reply.text, reply.cut) == (TEXT, reason)
    reply = streamed(messages, MESSAGE_START, block(TEXT), stopped(reason), MESSAGE_STOP)
    assert (reply.text, reply.cut) == (TEXT, reason)


@pytest.mark.parametrize("reason", ["end_turn", "stop_sequence", "stop", None])
def test_a_message_that_ended_is_whole(reason: str | None) -> None:
    assert whole(messages, messages_body(reason)).cut == ""
    assert streamed(messages, MESSAGE_START, block(TEXT), stopped(reason), MESSAGE_STOP).cut == ""


def test_text_before_a_refusal_is_no_answer() -> None:
    with pytest.raises(RefusedRequestError, match="refusal"):
        streamed(messages, MESSAGE_START, block(TEXT), stopped("refusal"), MESSAGE_STOP)


INCOMPLETE: dict[str, tuple[dict[str, Any], str]] = {
    "content_filter": ({"incomplete_details": {"reason": "content_filter"}}, "content_filter"),
    "max_output_tokens": ({"incomplete_details": {"reason": "max_output_tokens"}}, "max_output_tokens"),
    "another": ({"incomplete_details": {"reason": "any other"}}, "any other"),
    "no reason": ({"incomplete_details": {}}, "incomplete"),
    "no details": ({}, "incomplete"),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_a_response_that_is_incomplete_says_why(name: str) -> None:
    fields, reason = INCOMPLETE[name]
    assert whole(responses, response_body("incomplete", **fields)).cut == reason
    assert streamed(responses, delta(TEXT), ended(kind="incomplete", **fields)).cut == reason
    assert streamed(responses, delta(TEXT), ended(TEXT, "incomplete", **fields)).cut == reason


@pytest.mark.parametrize("status", ["in_progress", "queued"])
def test_a_response_that_is_still_generated_is_cut(status: str) -> None:
    assert whole(responses, response_body(status)).cut == status


def test_a_response_that_waits_for_a_tool_is_cut() -> None:
    call = {"type": "function_call", "id": "f", "call_id": "c", "name": "clock", "arguments": "{}"}
    body = response_body("completed")
    body["output"].append(call)
    assert whole(responses, body).cut == "function_call"

    done: Event = {"type": "response.output_item.done", "output_index": 1, "item": call}
    assert streamed(responses, delta(TEXT), done, ended(output=[])).cut == "function_call"


@pytest.mark.parametrize("status", ["completed", None])
def test_a_response_that_is_completed_is_whole(status: str | None) -> None:
    assert whole(responses, response_body(status)).cut == ""


EMPTY: list[tuple[Maker, dict[str, Any], type[ProviderError]]] = [
    (chat, chat_body("content_filter", ""), RefusedRequestError),
    (chat, chat_body("SAFETY", None), RefusedRequestError),
    (chat, chat_body("PROHIBITED_CONTENT", None), RefusedRequestError),
    (chat, chat_body("sensitive", ""), RefusedRequestError),
    (chat, chat_body("guardrail_intervened", ""), RefusedRequestError),
    (chat, chat_body("length", ""), AnswerEmptyError),
    (chat, chat_body("stop", ""), AnswerEmptyError),
    (chat, chat_body(None, ""), AnswerEmptyError),
    (chat, chat_body("network_error", ""), OverloadedError),
    (chat, chat_body("insufficient_system_resource", ""), OverloadedError),
    (chat, chat_body("abort", ""), OverloadedError),
    (chat, chat_body("model_context_window_exceeded", ""), ContextOverflowError),
    (chat, chat_body("contextLengthReached", ""), ContextOverflowError),
    (messages, messages_body("model_context_window_exceeded", ""), ContextOverflowError),
    (messages, messages_body("refusal", ""), RefusedRequestError),
    (messages, messages_body("max_tokens", ""), AnswerEmptyError),
    (
        responses,
        response_body("incomplete", "", incomplete_details={"reason": "content_filter"}),
        RefusedRequestError,
    ),
    (responses, response_body("incomplete", ""), AnswerEmptyError),
]


@pytest.mark.parametrize("number", range(len(EMPTY)))
def test_an_answer_of_which_nothing_is_left_is_an_error(number: int) -> None:
    make, body, kind = EMPTY[number]
    with pytest.raises(kind):
        whole(make, body)


STREAMS_WITHOUT_TEXT = [
    (chat, [chunk(finish="content_filter")], RefusedRequestError),
    (chat, [chunk(finish="model_length")], ContextOverflowError),
    (messages, [MESSAGE_START, stopped("model_context_window_exceeded"), MESSAGE_STOP], ContextOverflowError),
    (messages, [MESSAGE_START, stopped("max_tokens"), MESSAGE_STOP], AnswerEmptyError),
]


@pytest.mark.parametrize("number", range(len(STREAMS_WITHOUT_TEXT)))
def test_a_stream_without_text_is_the_same_error(number: int) -> None:
    make, events, kind = STREAMS_WITHOUT_TEXT[number]
    with pytest.raises(kind):
        streamed(make, *events)
