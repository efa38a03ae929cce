"""Each table of a server: its answers through the bare SDKs, its errors over HTTP."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest

from tests.doubles.raw_http import PIECES, TEXT, post, request_body
from yemot_ai_testing.doubles.model_service.served import ServedAPI
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.model_service.servers.registry import SERVERS

if TYPE_CHECKING:
    from yemot_ai_testing.doubles.steps import FailureKind

CONVERSATION_APIS = ("/responses", "/chat/completions", "/messages")


def served_apis() -> Iterator[tuple[str, ServedAPI]]:
    for name, server in SERVERS.items():
        for one in server.apis:
            if one.api.ENDPOINT in CONVERSATION_APIS:
                yield name, one


SERVED = list(served_apis())
IDS = [f"{name}{one.api.ENDPOINT}" for name, one in SERVED]
ERRORS = [
    pytest.param(name, one, kind, id=f"{name}{one.api.ENDPOINT}-{kind}")
    for name, one in SERVED
    for kind in one.errors
    if kind != "session_lost"
]


def sdk_text(model: ModelServer, endpoint: str, *, streamed: bool) -> str:
    """Return the text that an SDK hears, without a provider."""
    if endpoint == "/messages":
        return anthropic_text(model, streamed=streamed)
    with openai.OpenAI(api_key="none", base_url=model.base_url, max_retries=0, timeout=10) as client:
        if endpoint == "/responses":
            return responses_text(client, streamed=streamed)
        messages: Any = [{"role": "user", "content": "היי"}]
        if not streamed:
            return (
                client.chat.completions.create(model="m", messages=messages).choices[0].message.content or ""
            )
        chunks = client.chat.completions.create(model="m", messages=messages, stream=True)
        return "".join(
            choice.delta.content or "" for chunk in tolerate_cut(iter(chunks)) for choice in chunk.choices
        )


def responses_text(client: openai.OpenAI, *, streamed: bool) -> str:
    if not streamed:
        return client.responses.create(model="m", input="היי").output_text
    events: Any = client.responses.create(model="m", input="היי", stream=True)
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


def anthropic_text(model: ModelServer, *, streamed: bool) -> str:
    messages: Any = [{"role": "user", "content": "היי"}]
    with anthropic.Anthropic(api_key="none", base_url=model.root_url, max_retries=0, timeout=10) as client:
        if not streamed:
            content = client.messages.create(model="m", max_tokens=9, messages=messages).content
            return "".join(block.text for block in content if block.type == "text")
        with client.messages.stream(model="m", max_tokens=9, messages=messages) as events:
            return "".join(events.text_stream)


def tolerate_cut(chunks: Iterator[Any]) -> Iterator[Any]:
    """Yield chunks until the connection is cut: one server does that after its last chunk."""
    with contextlib.suppress(openai.APIConnectionError, httpx2.RemoteProtocolError):
        yield from chunks


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("name", "one"), SERVED, ids=IDS)
def test_the_bare_sdk_gets_the_answer_of_each_server(name: str, one: ServedAPI, *, streamed: bool) -> None:
    with ModelServer(quirks=name) as model:
        model.answers(PIECES)
        assert sdk_text(model, one.api.ENDPOINT, streamed=streamed) == TEXT


@pytest.mark.slow
@pytest.mark.parametrize(("name", "one", "kind"), ERRORS)
def test_each_error_is_sent_as_the_table_says(name: str, one: ServedAPI, kind: FailureKind) -> None:
    row = one.errors[kind]
    with ModelServer(quirks=name) as model:
        model.fails(kind, retry_after=7).fails(kind, retry_after=7)
        status, headers, raw = post(model, one.api.ENDPOINT, request_body(stream=False))
        streamed_status, _, streamed = post(model, one.api.ENDPOINT, request_body(stream=True))
    assert status == row.status
    expected = json.dumps(row.body).replace("{model}", "m").replace("{wait}", "7")
    assert json.loads(raw) == json.loads(expected)
    assert headers.get("retry-after") == ("7" if row.retry_header else None)
    assert {name: headers[name] for name in row.headers} == row.headers
    assert streamed_status == (200 if row.streamed else row.status)
    assert (b"data: " in streamed) == row.streamed


@pytest.mark.parametrize("name", [name for name, one in SERVED if "session_lost" in one.errors])
def test_a_lost_conversation_is_reported_as_the_table_says(name: str) -> None:
    (row,) = (
        one.errors["session_lost"]
        for server, one in SERVED
        if server == name and "session_lost" in one.errors
    )
    with ModelServer(quirks=name) as model:
        model.unknown_session()
        body = {**request_body(stream=True), "previous_response_id": "resp_7"}
        status, _, raw = post(model, "/responses", body)
    assert (status, json.loads(raw)) == (
        row.status,
        json.loads(json.dumps(row.body).replace("{response}", "resp_7")),
    )


def test_each_row_and_each_quirk_names_its_source() -> None:
    sources = [row.source for _, one in SERVED for row in one.errors.values()]
    sources += [quirk.source for name, one in SERVED for quirk in one.quirks if name != "trtllm"]
    assert len(sources) > 80
    assert [source for source in sources if not source.startswith("https://")] == []


def test_an_unknown_server_raises_an_error_that_lists_the_servers() -> None:
    with pytest.raises(ValueError, match=r"openai, anthropic, .*vllm"):
        ModelServer(quirks="gpt")


def test_an_api_that_a_server_does_not_have_is_not_found() -> None:
    with ModelServer(quirks="groq") as model:
        assert post(model, "/responses", request_body(stream=False))[0] == 404
