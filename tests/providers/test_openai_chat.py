"""Chat Completions: the other API of OpenAI, and that of compatible servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from tests.support.asking import ask_provider
from yemot_ai import YemotAI
from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    ContextOverflowError,
    MalformedStreamError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers import Exchange, OpenAIProvider, Reply, Usage
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.sdk_mocks import OpenAIMock


@pytest.fixture
def openai() -> Iterator[OpenAIMock]:
    with OpenAIMock() as mock:
        yield mock
        mock.assert_complete()


@pytest.fixture
def provider() -> OpenAIProvider:
    return OpenAIProvider(api_key="test", model="m", api="chat")


def ask(provider: OpenAIProvider, prompt: str = "יש?") -> Reply:
    return asyncio.run(ask_provider(provider, prompt))


def test_each_turn_carries_the_instructions_and_the_history(
    openai: OpenAIMock, provider: OpenAIProvider
) -> None:
    openai.answers("באיזה גודל?").answers("רשמתי")
    ai = YemotAI(provider=provider, instructions="קצר")

    assert [ai.reply("c1", text) for text in ("פיצה", "גדולה")] == ["באיזה גודל?", "רשמתי"]
    assert [(m["role"], m["content"]) for m in openai.requests[1].body["messages"]] == [
        ("system", "קצר"),
        ("user", "פיצה"),
        ("assistant", "באיזה גודל?"),
        ("user", "גדולה"),
    ]
    assert openai.requests[1].instructions == "קצר"
    assert openai.requests[1].prompt == "גדולה"


def test_a_rebuilt_conversation_sends_the_history(openai: OpenAIMock, provider: OpenAIProvider) -> None:
    openai.answers("דוד")
    asyncio.run(ask_provider(provider, "איך קוראים לי?", history=[Exchange("שמי דוד", "נעים מאוד")]))

    assert openai.requests[0].user_messages == ("שמי דוד", "איך קוראים לי?")
    assert openai.requests[0].instructions is None


def test_the_reply_has_the_usage(openai: OpenAIMock, provider: OpenAIProvider) -> None:
    openai.answers("כן")

    assert ask(provider).usage == Usage(100, 10, 7, 0)


def test_a_session_of_another_provider_is_lost(provider: OpenAIProvider) -> None:
    with pytest.raises(SessionLostError):
        asyncio.run(ask_provider(provider, "יש?", session={"thread_id": "x"}))


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limited", RateLimitedError),
        ("quota_exceeded", QuotaExceededError),
        ("unauthorized", AuthenticationError),
        ("unknown_model", UnknownModelError),
        ("overloaded", OverloadedError),
        ("context_overflow", ContextOverflowError),
    ],
)
def test_each_error_response_has_its_own_class_over_a_real_connection(
    kind: str, error: type[ProviderError]
) -> None:
    with ModelServer() as model:
        model.fails(kind)  # type: ignore[arg-type]  # the parameters are literals
        provider = OpenAIProvider(api_key="none", api="chat", base_url=model.base_url)

        async def start() -> None:
            try:
                await ask_provider(provider, "יש?")
            finally:
                await provider.aclose()

        with pytest.raises(error):
            asyncio.run(start())
        assert len(model.requests) == 1


@pytest.fixture
def answer() -> Iterator[respx.Route]:
    with respx.mock(using="httpcore2") as router:
        yield router.post(path="/v1/chat/completions")


def completion(message: dict[str, Any] | None, **more: object) -> httpx.Response:
    choices = [] if message is None else [{"index": 0, "message": message, "finish_reason": "stop"}]
    return httpx.Response(200, json={"id": "c", "choices": choices, **more})


@pytest.mark.parametrize(
    ("content", "spoken"),
    [
        ("<think>הוא שואל מתי</think>\n\nבשמונה", "בשמונה"),
        ([{"type": "thinking", "thinking": "מתי"}, {"type": "text", "text": "בשמונה"}], "בשמונה"),
        ("בשמונה <think> או בתשע", "בשמונה <think> או בתשע"),
    ],
    ids=["tags", "parts", "no-thinking"],
)
def test_thinking_is_not_part_of_the_answer(
    answer: respx.Route, provider: OpenAIProvider, content: object, spoken: str
) -> None:
    answer.mock(return_value=completion({"role": "assistant", "content": content}))

    assert ask(provider).text == spoken


@pytest.mark.parametrize(
    "content", [None, "", "  ", "<think>הוא שואל"], ids=["none", "empty", "blank", "cut"]
)
def test_an_answer_without_text_is_an_error(
    answer: respx.Route, provider: OpenAIProvider, content: str | None
) -> None:
    answer.mock(return_value=completion({"role": "assistant", "content": content}))

    with pytest.raises(AnswerEmptyError, match=r"stop|thoughts"):
        ask(provider)


def test_a_refusal_of_the_model_is_its_answer(answer: respx.Route, provider: OpenAIProvider) -> None:
    answer.mock(return_value=completion({"role": "assistant", "content": None, "refusal": "איני יכול"}))

    assert ask(provider).text == "איני יכול"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "sorry", "code": 502}, OverloadedError),
        ({"message": "sorry", "code": "rate_limit_exceeded"}, RateLimitedError),
        ({"message": "maximum context length is 8192 tokens"}, ContextOverflowError),
        ("sorry", ProviderError),
    ],
    ids=["number", "code", "words", "text"],
)
def test_an_error_in_a_200_is_an_error(
    answer: respx.Route, provider: OpenAIProvider, error: object, kind: type[ProviderError]
) -> None:
    answer.mock(return_value=httpx.Response(200, json={"error": error}))

    with pytest.raises(ProviderError) as caught:
        ask(provider)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "body", ["{}", "[]", "{", "null", '{"choices": []}', '{"choices": [{"message": null}]}', '{"choices": 3}']
)
def test_a_body_that_is_not_the_api_is_an_error(
    answer: respx.Route, provider: OpenAIProvider, body: str
) -> None:
    answer.mock(return_value=httpx.Response(200, text=body, headers={"content-type": "application/json"}))

    with pytest.raises(MalformedStreamError, match="base_url"):
        ask(provider)


def test_a_missing_model_of_a_compatible_server_is_named(
    answer: respx.Route, provider: OpenAIProvider
) -> None:
    error = {"message": 'model "m" not found, try pulling it first', "type": "api_error", "code": None}
    answer.mock(return_value=httpx.Response(404, json={"error": error}))

    with pytest.raises(UnknownModelError, match=r"'m'.*OPENAI_MODEL"):
        ask(provider)


def test_a_wrong_path_is_no_unknown_model(answer: respx.Route, provider: OpenAIProvider) -> None:
    answer.mock(return_value=httpx.Response(404, text="404 page not found"))

    with pytest.raises(ProviderError, match="404") as caught:
        ask(provider)
    assert type(caught.value) is ProviderError


def test_incomplete_usage_is_accepted(answer: respx.Route, provider: OpenAIProvider) -> None:
    answer.mock(return_value=completion({"role": "assistant", "content": "כן"}, usage={"prompt_tokens": 3}))

    assert ask(provider).usage == Usage(3, 0, 0, 0)


def test_the_session_survives_json(openai: OpenAIMock, provider: OpenAIProvider) -> None:
    openai.answers("כן").answers("בטוח")

    async def talk() -> str:
        first = await ask_provider(provider, "יש?")
        return (await ask_provider(provider, "בטוח?", session=json.loads(json.dumps(first.session)))).text

    assert asyncio.run(talk()) == "בטוח"
    assert openai.requests[1].user_messages == ("יש?", "בטוח?")
