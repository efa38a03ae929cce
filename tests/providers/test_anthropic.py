from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import anthropic as sdk
import httpx
import httpx2
import pytest
import respx

from tests.support.asking import ask_provider
from yemot_ai import YemotAI
from yemot_ai.errors import (
    AuthenticationError,
    ConfigurationError,
    ContextOverflowError,
    MalformedStreamError,
    MissingKeyError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    RefusedRequestError,
    SessionLostError,
    UnknownModelError,
)
from yemot_ai.providers import AnthropicProvider, Exchange, Provider, Reply, Usage
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.script import FakeOnlyError, ScriptMismatchError
from yemot_ai_testing.doubles.sdk_mocks import AnthropicMock
from yemot_ai_testing.doubles.steps import UnknownSession

FAILURES = [
    ("rate_limited", RateLimitedError),
    ("quota_exceeded", QuotaExceededError),
    ("unauthorized", AuthenticationError),
    ("unknown_model", UnknownModelError),
    ("overloaded", OverloadedError),
    ("context_overflow", ContextOverflowError),
]


@pytest.fixture
def anthropic(anthropic_mock: AnthropicMock) -> Iterator[AnthropicMock]:
    yield anthropic_mock
    anthropic_mock.assert_complete()


@pytest.fixture
def provider() -> AnthropicProvider:
    return AnthropicProvider(api_key="test", model="m")


def ask(provider: AnthropicProvider, prompt: str = "יש?") -> Reply:
    return asyncio.run(ask_provider(provider, prompt))


def test_it_is_a_provider(provider: AnthropicProvider) -> None:
    assert isinstance(provider, Provider)


def test_each_turn_carries_the_instructions_and_the_history(anthropic: AnthropicMock) -> None:
    anthropic.answers("באיזה גודל?").answers("רשמתי")
    ai = YemotAI("anthropic", anthropic_api_key="test", model="m", instructions="קצר")

    assert [ai.reply("c1", text) for text in ("פיצה", "גדולה")] == ["באיזה גודל?", "רשמתי"]
    last = anthropic.requests[1]
    assert [(m["role"], m["content"]) for m in last.body["messages"]] == [
        ("user", "פיצה"),
        ("assistant", "באיזה גודל?"),
        ("user", "גדולה"),
    ]
    assert (last.instructions, last.prompt, last.session) == ("קצר", "גדולה", None)
    assert (last.body["model"], last.body["max_tokens"]) == ("m", 1024)


def test_the_key_goes_in_a_header(anthropic: AnthropicMock, provider: AnthropicProvider) -> None:
    anthropic.answers("כן")
    ask(provider)

    headers = anthropic.requests[0].headers
    assert "test" in {headers.get("x-api-key"), headers.get("authorization", "").removeprefix("Bearer ")}


def test_cached_tokens_count_as_input_tokens(anthropic: AnthropicMock, provider: AnthropicProvider) -> None:
    anthropic.answers("כן")

    assert ask(provider).usage == Usage(100, 10, 7, 0)


def test_a_rebuilt_conversation_sends_the_history(
    anthropic: AnthropicMock, provider: AnthropicProvider
) -> None:
    anthropic.answers("דוד")
    asyncio.run(ask_provider(provider, "איך קוראים לי?", history=[Exchange("שמי דוד", "נעים מאוד")]))

    assert anthropic.requests[0].user_messages == ("שמי דוד", "איך קוראים לי?")
    assert anthropic.requests[0].instructions is None


def test_the_session_survives_json(anthropic: AnthropicMock, provider: AnthropicProvider) -> None:
    anthropic.answers("כן").answers("בטוח")

    async def talk() -> str:
        first = await ask_provider(provider, "יש?")
        return (await ask_provider(provider, "בטוח?", session=json.loads(json.dumps(first.session)))).text

    assert asyncio.run(talk()) == "בטוח"
    assert anthropic.requests[1].user_messages == ("יש?", "בטוח?")


def test_a_session_of_another_provider_is_lost(provider: AnthropicProvider) -> None:
    with pytest.raises(SessionLostError):
        asyncio.run(ask_provider(provider, "יש?", session={"response_id": "x"}))


@pytest.mark.parametrize(("kind", "error"), FAILURES)
def test_each_error_response_has_its_own_class(
    anthropic: AnthropicMock, provider: AnthropicProvider, kind: str, error: type[ProviderError]
) -> None:
    anthropic.fails(kind, retry_after=9)  # type: ignore[arg-type]  # the parameters are literals

    with pytest.raises(ProviderError) as caught:
        ask(provider)
    assert type(caught.value) is error
    assert len(anthropic.requests) == 1


@pytest.mark.parametrize(("kind", "error"), FAILURES)
def test_each_error_response_has_the_same_class_over_a_real_connection(
    kind: str, error: type[ProviderError]
) -> None:
    with ModelServer() as model:
        model.fails(kind)  # type: ignore[arg-type]  # the parameters are literals
        provider = AnthropicProvider(api_key="test", base_url=model.root_url)

        async def start() -> None:
            try:
                await ask_provider(provider, "יש?")
            finally:
                await provider.aclose()

        with pytest.raises(error):
            asyncio.run(start())
        assert len(model.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (402, "billing_error", QuotaExceededError),
        (403, "permission_error", AuthenticationError),
        (413, "request_too_large", ContextOverflowError),
        (500, "api_error", OverloadedError),
        (504, "timeout_error", OverloadedError),
        (400, "invalid_request_error", ProviderError),
    ],
)
def test_each_type_of_error_is_known(
    answer: respx.Route, provider: AnthropicProvider, status: int, kind: str, error: type[ProviderError]
) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "sorry"}}
    answer.mock(return_value=httpx.Response(status, json=body))

    with pytest.raises(ProviderError, match=r"^sorry$") as caught:
        ask(provider)
    assert type(caught.value) is error


def test_a_rate_limit_has_retry_after(anthropic: AnthropicMock, provider: AnthropicProvider) -> None:
    anthropic.fails("rate_limited", retry_after=20)

    with pytest.raises(RateLimitedError) as caught:
        ask(provider)
    assert caught.value.retry_after == 20


def test_an_unknown_model_error_names_the_model_and_the_variable(
    anthropic: AnthropicMock, provider: AnthropicProvider
) -> None:
    anthropic.fails("unknown_model")

    with pytest.raises(UnknownModelError, match=r"'m'.*ANTHROPIC_MODEL") as caught:
        ask(provider)
    assert caught.value.model == "m"


def test_a_connection_that_breaks_is_a_crash(anthropic: AnthropicMock, provider: AnthropicProvider) -> None:
    anthropic.drops()

    with pytest.raises(ProviderCrashError):
        ask(provider)


def test_a_silent_server_is_a_timeout(anthropic: AnthropicMock, provider: AnthropicProvider) -> None:
    anthropic.hangs()

    with pytest.raises(ProviderTimeoutError):
        ask(provider)


@pytest.fixture
def answer() -> Iterator[respx.Route]:
    with respx.mock(using="httpcore2") as router:
        yield router.post(path="/v1/messages")


def message(*content: dict[str, Any], stop_reason: str = "end_turn") -> httpx.Response:
    return httpx.Response(200, json={"id": "m", "content": list(content), "stop_reason": stop_reason})


TEXT = {"type": "text", "text": "בשמונה"}


def test_thinking_is_not_part_of_the_answer(answer: respx.Route, provider: AnthropicProvider) -> None:
    answer.mock(return_value=message({"type": "thinking", "thinking": "מתי", "signature": "s"}, TEXT))

    assert ask(provider).text == "בשמונה"


def test_an_answer_beyond_the_context_window_is_an_overflow(
    answer: respx.Route, provider: AnthropicProvider
) -> None:
    answer.mock(return_value=message(stop_reason="model_context_window_exceeded"))

    with pytest.raises(ContextOverflowError):
        ask(provider)


@pytest.mark.parametrize(
    "content", [[], [TEXT], [{"type": "text", "text": " "}]], ids=["none", "half", "blank"]
)
def test_a_refusal_is_an_error(
    answer: respx.Route, provider: AnthropicProvider, content: list[dict[str, Any]]
) -> None:
    answer.mock(return_value=message(*content, stop_reason="refusal"))

    with pytest.raises(RefusedRequestError, match="refusal"):
        ask(provider)


def test_an_error_in_a_200_is_an_error(answer: respx.Route, provider: AnthropicProvider) -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    answer.mock(return_value=httpx.Response(200, json=body))

    with pytest.raises(OverloadedError):
        ask(provider)


@pytest.mark.parametrize(
    "body", ["{}", "[]", "{", "null", '{"content": 3}', '{"content": [{"type": "text"}]}']
)
def test_a_body_that_is_not_the_api_is_an_error(
    answer: respx.Route, provider: AnthropicProvider, body: str
) -> None:
    answer.mock(return_value=httpx.Response(200, text=body, headers={"content-type": "application/json"}))

    with pytest.raises(MalformedStreamError, match="base_url"):
        ask(provider)


def test_no_key_is_an_error_at_construction_despite_other_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another")

    with pytest.raises(MissingKeyError, match="anthropic_api_key=… or set ANTHROPIC_API_KEY"):
        YemotAI("anthropic")


def test_the_model_may_come_from_the_environment(
    anthropic: AnthropicMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_MODEL", "from-env")
    anthropic.answers("כן")
    YemotAI("anthropic", anthropic_api_key="test").reply("c1", "יש?")

    assert anthropic.requests[0].body["model"] == "from-env"


def test_max_tokens_must_be_positive() -> None:
    with pytest.raises(ConfigurationError, match="max_tokens"):
        AnthropicProvider(api_key="test", max_tokens=0)


def test_a_key_goes_with_a_mode(provider: AnthropicProvider) -> None:
    with pytest.raises(ConfigurationError, match="anthropic_api_key="):
        YemotAI(provider=provider, anthropic_api_key="test")


@pytest.mark.parametrize("mode", ["codex", "openai", "anthropic"])
def test_changing_the_mode_needs_no_other_change(mode: str) -> None:
    ai = YemotAI(mode, openai_api_key="test", anthropic_api_key="test")

    assert ai._runtime.provider.name == mode


def test_the_mock_holds_a_request_until_it_is_released(
    anthropic: AnthropicMock, provider: AnthropicProvider
) -> None:
    anthropic.answers("כן")
    anthropic.hold()

    async def talk() -> tuple[bool, str]:
        turn = asyncio.create_task(ask_provider(provider, "יש?"))
        await asyncio.to_thread(anthropic.wait_for_requests, 1)
        waited = not turn.done()
        anthropic.release()
        return waited, (await turn).text

    assert asyncio.run(talk()) == (True, "כן")


def test_a_held_request_can_be_cancelled(anthropic: AnthropicMock, provider: AnthropicProvider) -> None:
    anthropic.answers("כן")
    anthropic.hold()

    async def talk() -> None:
        turn = asyncio.create_task(ask_provider(provider, "יש?"))
        await asyncio.to_thread(anthropic.wait_for_requests, 1)
        turn.cancel()
        await turn

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(talk())


def test_the_mock_reports_unused_steps_and_unscripted_requests(
    provider: AnthropicProvider,
) -> None:
    with pytest.raises(ScriptMismatchError, match="unused step") as caught, AnthropicMock() as anthropic:  # noqa: PT012 - raised on exit
        with pytest.raises(ProviderError, match="nothing is scripted for '…"):
            ask(provider)
        anthropic.answers("לשווא")
    assert caught.value.unscripted == ("יש?",)


def test_the_mock_refuses_steps_that_an_api_cannot_do() -> None:
    with pytest.raises(FakeOnlyError, match="Anthropic"):
        AnthropicMock().add(UnknownSession())


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as model:
        yield model
        model.assert_complete()


@pytest.fixture
def client(model: ModelServer) -> Iterator[sdk.Anthropic]:
    with sdk.Anthropic(api_key="none", base_url=model.root_url, max_retries=0, timeout=10) as client:
        yield client


def pieces(client: sdk.Anthropic) -> Iterator[str]:
    with client.messages.stream(
        model="m", max_tokens=9, system="קצר", messages=[{"role": "user", "content": "היי"}]
    ) as stream:
        yield from stream.text_stream


def test_the_model_server_streams_to_the_real_library(model: ModelServer, client: sdk.Anthropic) -> None:
    model.answers(["שלום, ", "מה שלומך?"])

    assert list(pieces(client)) == ["שלום, ", "מה שלומך?"]
    assert (model.requests[0].prompt, model.requests[0].instructions) == ("היי", "קצר")


def test_a_cut_stream_is_noticed_by_the_real_library(model: ModelServer, client: sdk.Anthropic) -> None:
    model.drops(["חצי ", "תשובה"])

    with pytest.raises(httpx2.RemoteProtocolError):
        list(pieces(client))


def test_a_stream_of_an_overloaded_service_fails_with_an_event(
    model: ModelServer, client: sdk.Anthropic
) -> None:
    model.fails("overloaded")

    with pytest.raises(sdk.APIStatusError) as caught:
        list(pieces(client))
    assert caught.value.status_code == 200
    assert caught.value.type == "overloaded_error"
