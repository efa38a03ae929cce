"""What each server does differently, in the raw bytes of its answers."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import Any

import openai
import pytest

from tests.doubles.raw_http import (
    PIECES,
    TEXT,
    THOUGHTS,
    events_of,
    post,
    request_body,
    stream,
    whole,
)
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.script import FakeOnlyError
from yemot_ai_testing.doubles.sdk_mocks import AnthropicMock, OpenAIMock

FIELDS = [
    ("vllm", "reasoning"),
    ("vllm-old", "reasoning_content"),
    ("ollama", "reasoning"),
    ("llama.cpp", "reasoning_content"),
    ("openrouter", "reasoning"),
    ("groq", "reasoning"),
    ("deepseek", "reasoning_content"),
    ("xai", "reasoning_content"),
]


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_thoughts_are_in_a_field_beside_the_text(name: str, field: str) -> None:
    message = whole(name, thoughts=THOUGHTS)["choices"][0]["message"]
    assert (message[field], message["content"]) == (THOUGHTS, TEXT)
    events, _ = stream(name, thoughts=THOUGHTS)
    deltas = [event["choices"][0]["delta"] for event in events if event["choices"]]
    assert [delta[field] for delta in deltas if field in delta] == [THOUGHTS]
    assert "".join(delta.get("content") or "" for delta in deltas) == TEXT


TAGS = [
    ("lmstudio", f"<think>\n{THOUGHTS}\n</think>\n\n"),
    ("together", f"<think>\n{THOUGHTS}\n</think>\n\n"),
    ("ollama-old", f"<think>\n{THOUGHTS}\n</think>\n\n"),
    ("vllm-unparsed", f"{THOUGHTS}\n</think>\n\n"),
]


@pytest.mark.parametrize(("name", "before"), TAGS)
def test_thoughts_are_in_the_text(name: str, before: str) -> None:
    assert whole(name, thoughts=THOUGHTS)["choices"][0]["message"]["content"] == before + TEXT
    events, _ = stream(name, thoughts=THOUGHTS)
    deltas = [event["choices"][0]["delta"] for event in events if event["choices"]]
    assert [delta["content"] for delta in deltas if delta.get("content")] == [before, *PIECES]


@pytest.mark.parametrize("name", ["openai", "azure", "mistral", "gemini"])
def test_a_server_that_hides_thoughts_sends_none(name: str) -> None:
    assert THOUGHTS not in json.dumps(whole(name, thoughts=THOUGHTS), ensure_ascii=False)
    assert THOUGHTS not in stream(name, thoughts=THOUGHTS)[1]


@pytest.mark.parametrize("name", ["vllm", "ollama", "lmstudio"])
def test_thoughts_are_an_item_of_a_response(name: str) -> None:
    items = whole(name, "/responses", THOUGHTS)["output"]
    assert [item["type"] for item in items] == ["reasoning", "message"]
    events, _ = stream(name, "/responses", THOUGHTS)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["delta"] for event in events if event["type"] == "response.reasoning_text.delta"] == [
        THOUGHTS
    ]
    texts = [event for event in events if event["type"] == "response.output_text.delta"]
    assert [(event["delta"], event["output_index"]) for event in texts] == [(piece, 1) for piece in PIECES]
    assert events[-1]["response"]["output"] == items


@pytest.mark.parametrize("name", ["anthropic", "ollama"])
def test_thoughts_are_a_block_of_a_message(name: str) -> None:
    blocks = whole(name, "/messages", THOUGHTS)["content"]
    assert [block["type"] for block in blocks] == ["thinking", "text"]
    events, _ = stream(name, "/messages", THOUGHTS)
    deltas = [(event["index"], event["delta"]) for event in events if event["type"] == "content_block_delta"]
    assert [index for index, _ in deltas] == [0, 1, 1]
    assert deltas[0][1] == {"type": "thinking_delta", "thinking": THOUGHTS}


@pytest.mark.parametrize("name", ["anthropic-compatible", "vllm-unparsed"])
def test_thoughts_are_in_the_text_of_a_message(name: str) -> None:
    (block,) = whole(name, "/messages", THOUGHTS)["content"]
    assert block["text"] == f"<think>\n{THOUGHTS}\n</think>\n\n{TEXT}"
    assert f"<think>\\n{THOUGHTS}" in stream(name, "/messages", THOUGHTS)[1]


def test_the_usage_is_in_its_own_chunk_in_the_last_one_or_nowhere() -> None:
    def usages(name: str) -> list[tuple[bool, bool]]:
        return [("usage" in event, bool(event["choices"])) for event in stream(name)[0]][-2:]

    assert usages("openai") == [(False, True), (True, False)]
    assert usages("mistral") == [(False, True), (True, True)]
    assert usages("llama-cpp-python") == [(False, True), (False, True)]


def test_the_finish_reason_is_in_the_chunk_with_the_last_piece() -> None:
    for name in ("gemini", "vllm-old", "ollama-old"):
        choices = [event["choices"][0] for event in stream(name)[0] if event["choices"]]
        assert (choices[-1]["delta"]["content"], choices[-1]["finish_reason"]) == (PIECES[-1], "stop")


def test_the_role_is_in_each_chunk() -> None:
    choices = [event["choices"][0] for event in stream("ollama-old")[0] if event["choices"]]
    assert {choice["delta"]["role"] for choice in choices} == {"assistant"}
    assert "role" not in stream("ollama")[0][1]["choices"][0]["delta"]


def test_streams_end_with_done_or_without_it() -> None:
    assert stream("llama.cpp")[1].endswith("data: [DONE]\n\n")
    assert "[DONE]" not in stream("llama.cpp-old")[1]


def test_a_stream_begins_with_filter_results_or_a_comment() -> None:
    first = stream("azure")[0][0]
    assert (first["choices"], len(first["prompt_filter_results"])) == ([], 1)
    assert stream("openrouter")[1].startswith(": OPENROUTER PROCESSING\n\n")
    assert stream("deepseek")[1].startswith(": keep-alive\n\n")


def test_the_last_event_of_a_response_holds_less_than_was_streamed() -> None:
    assert stream("new-api", "/responses")[0][-1]["response"]["output"] == []
    (item,) = stream("vllm-old", "/responses")[0][-1]["response"]["output"]
    assert item["content"][0]["text"] == PIECES[-1]
    last = stream("9router", "/responses")[0][-1]
    assert (last["type"], last["response"]["status"]) == ("response.done", "completed")


def test_a_server_without_memory_says_so_in_each_response() -> None:
    with ModelServer(quirks="ollama") as model:
        model.answers(TEXT)
        body = {**request_body(stream=True), "store": True, "previous_response_id": "resp_7"}
        events = events_of(post(model, "/responses", body)[2].decode())
    responses = [event["response"] for event in events if "response" in event]
    assert len(responses) == 3
    assert {(one["store"], one["previous_response_id"]) for one in responses} == {(False, None)}


@pytest.mark.parametrize("double", [ModelServer, OpenAIMock])
def test_a_server_without_memory_cannot_lose_a_conversation(double: type[ModelServer | OpenAIMock]) -> None:
    with (
        closing(double(quirks="ollama")) as model,
        pytest.raises(FakeOnlyError, match="keeps no conversations"),
    ):
        model.unknown_session()


def test_an_error_of_a_stream_has_a_separate_name_and_shape() -> None:
    with ModelServer(quirks="lmstudio") as model:
        model.fails("context_overflow")
        raw = post(model, "/chat/completions", request_body(stream=True))[2].decode()
    (event,) = events_of(raw)
    assert raw.startswith("event: error\ndata: ")
    assert event["error"]["message"] == event["message"]


def test_an_error_in_the_middle_stands_in_the_choice() -> None:
    with ModelServer(quirks="openrouter") as model:
        model.cuts("error", PIECES).cuts("error", PIECES)
        status, _, raw = post(model, "/chat/completions", request_body(stream=False))
        events = events_of(post(model, "/chat/completions", request_body(stream=True))[2].decode())
    (choice,) = json.loads(raw)["choices"]
    assert (status, choice["finish_reason"], choice["error"]["code"]) == (200, "error", 502)
    assert choice["message"]["content"] == TEXT
    assert events[-1]["choices"][0]["finish_reason"] == "error"
    assert events[-1]["error"]["code"] == 502


def test_a_limit_has_the_name_of_the_server() -> None:
    with ModelServer(quirks="mistral") as model:
        model.cuts("length", PIECES).cuts("length", PIECES)
        answer = json.loads(post(model, "/chat/completions", request_body(stream=False))[2])
        events = events_of(post(model, "/chat/completions", request_body(stream=True))[2].decode())
    assert answer["choices"][0]["finish_reason"] == "model_length"
    assert events[-1]["choices"][0]["finish_reason"] == "model_length"


def test_a_stream_that_stays_open_ends_when_the_client_leaves() -> None:
    with ModelServer(ending="open") as model:
        model.answers(PIECES)
        connection = http.client.HTTPConnection(model.root_url.removeprefix("http://"), timeout=10)
        connection.request("POST", "/v1/responses", json.dumps(request_body(stream=True)))
        response = connection.getresponse()
        lines = iter(response.readline, b"")
        assert any(b"response.completed" in line for line in lines)
        with pytest.raises(TimeoutError):
            model.wait_idle(0.05)
        connection.close()
        response.close()
        model.wait_idle()


def test_a_stream_is_closed_without_its_end() -> None:
    for server in (ModelServer(quirks="trtllm"), ModelServer(ending="unclean")):
        with server as model:
            model.answers(PIECES)
            connection = http.client.HTTPConnection(model.root_url.removeprefix("http://"), timeout=10)
            connection.request("POST", "/v1/chat/completions", json.dumps(request_body(stream=True)))
            with pytest.raises(http.client.IncompleteRead) as cut:
                connection.getresponse().read()
            assert cut.value.partial.endswith(b"data: [DONE]\n\n")
            connection.close()


def test_there_is_no_other_ending() -> None:
    with pytest.raises(ValueError, match="clean, open, unclean"):
        ModelServer(ending="late")  # type: ignore[arg-type]  # that is the point


def test_a_mock_has_the_shapes_of_a_server() -> None:
    messages: Any = [{"role": "user", "content": "היי"}]
    with OpenAIMock(quirks="openrouter") as mock, openai.OpenAI(api_key="none", max_retries=0) as client:
        mock.answers(TEXT, thoughts=THOUGHTS).fails("refused_request").fails("overloaded")
        answer: Any = client.chat.completions.create(model="m", messages=messages).choices[0].message
        assert (answer.content, answer.reasoning) == (TEXT, THOUGHTS)
        with pytest.raises(openai.PermissionDeniedError, match="requires moderation"):
            client.chat.completions.create(model="m", messages=messages)
        with pytest.raises(openai.APIError, match="Provider returned error"):
            list(client.chat.completions.create(model="m", messages=messages, stream=True))


def test_a_mock_of_an_unknown_server_lists_the_servers() -> None:
    with pytest.raises(ValueError, match="anthropic-compatible"):
        AnthropicMock(quirks="claude")
