"""Options of a request: checked when the provider is made, sent with each request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.providers.streams.event_stream_server import EventStreamServer
from tests.providers.streams.stream_events import chat, chunk, listen, messages, responses
from tests.support.asking import ask_provider
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ConfigurationError
from yemot_ai.providers import AnthropicProvider, OpenAIProvider, Provider
from yemot_ai_testing.doubles.model_service.server import ModelServer

Maker = Callable[..., Provider]

ANSWERS: dict[Maker, dict[str, Any]] = {
    responses: {
        "id": "r",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "כן"}]}],
    },
    chat: {"id": "c", "choices": [{"message": {"content": "כן"}, "finish_reason": "stop"}]},
    messages: {"id": "m", "content": [{"type": "text", "text": "כן"}], "stop_reason": "end_turn"},
}
MAKERS = pytest.mark.parametrize("make", ANSWERS, ids=["responses", "chat", "messages"])


def sent(make: Maker, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - any option
    """Return the body of a request."""
    with FixedResponseServer(json.dumps(ANSWERS[make]).encode()) as server:
        provider = make(server.url, **options)

        async def ask() -> None:
            await ask_provider(provider, "יש?")
            await provider.aclose()  # type: ignore[attr-defined]  # these providers have it

        Engine.shared().run(ask())
        body: dict[str, Any] = json.loads(server.requests[0])
        return body


EFFORT: list[tuple[Maker, dict[str, Any]]] = [
    (responses, {"reasoning": {"effort": "low"}}),
    (chat, {"reasoning_effort": "low"}),
    (messages, {"output_config": {"effort": "low"}}),
]
LENGTH: list[tuple[Maker, dict[str, Any]]] = [
    (responses, {"max_output_tokens": 200}),
    (chat, {"max_tokens": 200}),
    (messages, {"max_tokens": 200}),
]


@pytest.mark.parametrize(("make", "fields"), EFFORT)
def test_the_effort_has_the_name_of_the_api(make: Maker, fields: dict[str, Any]) -> None:
    assert fields.items() <= sent(make, effort="low").items()


@pytest.mark.parametrize(("make", "fields"), LENGTH)
def test_the_length_has_the_name_of_the_api(make: Maker, fields: dict[str, Any]) -> None:
    assert fields.items() <= sent(make, max_tokens=200).items()


@pytest.mark.parametrize("url", [None, "https://api.openai.com/v1", "https://x.openai.azure.com/openai/v1"])
def test_openai_has_a_newer_name_for_the_length_of_a_completion(
    url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    provider = OpenAIProvider(api_key="test", api="chat", base_url=url, max_tokens=200)

    assert provider._chat._api._arguments == {"max_completion_tokens": 200}  # type: ignore[union-attr]


@MAKERS
def test_the_temperature_and_further_fields_are_sent(make: Maker) -> None:
    body = sent(
        make, temperature=0.5, extra_body={"top_k": 4, "chat_template_kwargs": {"enable_thinking": False}}
    )

    assert (body["temperature"], body["top_k"]) == (0.5, 4)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


@MAKERS
def test_without_options_none_is_sent(make: Maker) -> None:
    fields = {"reasoning", "reasoning_effort", "output_config", "temperature", "max_output_tokens"}
    assert fields.isdisjoint(sent(make))
    assert sent(make).get("max_tokens") == (1024 if make is messages else None)


@MAKERS
def test_headers_are_sent(make: Maker) -> None:
    with ModelServer() as model:
        model.answers("כן")
        provider = make(model.root_url, headers={"X-Title": "line"})

        async def ask() -> None:
            await ask_provider(provider, "יש?")
            await provider.aclose()  # type: ignore[attr-defined]  # these providers have it

        Engine.shared().run(ask())
        assert model.requests[0].headers["x-title"] == "line"


def test_options_are_sent_with_each_turn_of_a_conversation() -> None:
    with FixedResponseServer(json.dumps({**ANSWERS[responses], "store": False}).encode()) as server:
        provider = responses(server.url, effort="none")

        async def turns() -> None:
            session = None
            for _ in range(2):
                session = (await ask_provider(provider, "יש?", session=session)).session
            await provider.aclose()  # type: ignore[attr-defined]  # it has one

        Engine.shared().run(turns())
        assert [json.loads(body)["reasoning"] for body in server.requests] == [{"effort": "none"}] * 2


def test_nothing_is_spoken_before_the_known_end_of_thoughts() -> None:
    pieces = [chunk("צריך לענות. "), chunk("קצר.</th"), chunk("ink>\n\nהשעה שמונה.", "stop")]
    with EventStreamServer(*pieces, "[DONE]") as server:
        received, reply = Engine.shared().run(listen(chat(server.url, thinks="before </think>")))

    assert (received, reply.text) == (["השעה שמונה."], "השעה שמונה.")


WRONG: list[dict[str, Any]] = [
    {"effort": "much"},
    {"effort": ""},
    {"max_tokens": 0},
    {"temperature": -1},
    {"temperature": 2.5},
    {"headers": {"X Title": "a"}},
    {"headers": {"": "a"}},
    {"headers": {"X-Title": "שורה"}},
    {"headers": {"X-Title": "a\r\nX-Other: b"}},
    {"extra_body": {"model": "m"}},
    {"extra_body": {"stream": True}},
    {"extra_body": {"a": {1, 2}}},
    {"thinks": "after </think>"},
    {"thinks": "before "},
    {"thinks": ""},
    {"effort": 3},
    {"max_tokens": "10"},
    {"max_tokens": True},
    {"max_tokens": 1.5},
    {"temperature": "0"},
    {"headers": ["X-Title"]},
    {"headers": {1: "a"}},
    {"headers": {"X-Title": 1}},
    {"extra_body": "a"},
    {"extra_body": {1: 2}},
    {"thinks": True},
]


@pytest.mark.parametrize("options", WRONG, ids=repr)
@pytest.mark.parametrize("make", [OpenAIProvider, AnthropicProvider], ids=["openai", "anthropic"])
def test_a_wrong_option_is_an_error_at_construction(
    make: Callable[..., Provider], options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        make(api_key="test", **options)


def test_anthropic_has_a_lower_highest_temperature() -> None:
    with pytest.raises(ConfigurationError, match="from 0 to 1"):
        AnthropicProvider(api_key="test", temperature=1.5)
