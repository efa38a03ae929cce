"""The model service serves Chat Completions to OpenAI's own library."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from yemot_ai_testing.doubles.model_service.server import ModelServer

MESSAGES: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "קצר"},
    {"role": "user", "content": "היי"},
]


def chunks(client: openai.OpenAI) -> Iterator[str]:
    for chunk in client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content


def test_a_chat_is_answered(model: ModelServer, client: openai.OpenAI) -> None:
    model.answers(["שלום, ", "מה שלומך?"])
    completion = client.chat.completions.create(model="m", messages=MESSAGES)

    assert completion.choices[0].message.content == "שלום, מה שלומך?"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 107
    (request,) = model.requests
    assert (request.prompt, request.instructions, request.session) == ("היי", "קצר", None)


def test_a_chat_is_streamed_in_its_pieces(model: ModelServer, client: openai.OpenAI) -> None:
    model.answers(["שלום, ", "מה שלומך?"])

    assert list(chunks(client)) == ["שלום, ", "מה שלומך?"]


def test_a_truncated_chat_stream_raises_a_connection_error(model: ModelServer, client: openai.OpenAI) -> None:
    model.drops(["חצי ", "תשובה"])
    received: list[str] = []

    with pytest.raises(openai.APIConnectionError):
        received.extend(chunks(client))


def test_an_overflow_of_a_chat_fails_before_it_streams(model: ModelServer, client: openai.OpenAI) -> None:
    model.fails("context_overflow")

    with pytest.raises(openai.BadRequestError, match="maximum context length") as caught:
        list(chunks(client))
    assert caught.value.code == "context_length_exceeded"


def test_one_script_serves_all_apis_in_the_order_of_the_requests(
    model: ModelServer, client: openai.OpenAI
) -> None:
    model.answers("ראשון").answers("שני")

    assert client.responses.create(model="m", input="א").output_text == "ראשון"
    assert list(chunks(client)) == ["שני"]
    assert [request.path for request in model.requests] == ["/v1/responses", "/v1/chat/completions"]
