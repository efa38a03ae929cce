"""Agents whose model is OpenAI's API, at a server on this machine."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.providers.openai import OpenAIProvider

from tests.providers.pydantic_ai.asking import Asked, ask_now, offer
from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    ContextOverflowError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    RefusedRequestError,
    UnknownModelError,
)
from yemot_ai.providers import PydanticAIProvider, ToolRound
from yemot_ai_testing import ModelServer, contract

MODELS: dict[str, type[OpenAIChatModel | OpenAIResponsesModel]] = {
    "chat": OpenAIChatModel,
    "responses": OpenAIResponsesModel,
}
AS_WRITTEN = ModelProfile(may_tokenize_special_tokens_in_content=False)
"""By default pydantic-ai breaks tokens such as ``<|im_end|>`` in what is sent to a compatible server."""


def model_at(server: ModelServer, api: str = "chat", **options: Any) -> Model:  # noqa: ANN401 - those of the SDK
    # Without idle connections no client has to be closed before its loop ends.
    http = httpx2.AsyncClient(limits=httpx2.Limits(max_keepalive_connections=0))
    client = AsyncOpenAI(base_url=server.base_url, api_key="test", max_retries=0, http_client=http, **options)
    return MODELS[api]("m", provider=OpenAIProvider(openai_client=client), profile=AS_WRITTEN)


def provider_at(server: ModelServer, api: str = "chat", **options: Any) -> PydanticAIProvider:  # noqa: ANN401 - those of the provider
    return PydanticAIProvider(Agent(model_at(server, api)), **options)


def ask_server(server: ModelServer, prompt: str, api: str = "chat", **options: Any) -> Asked:  # noqa: ANN401 - those of ``ask``
    return ask_now(provider_at(server, api), prompt, **options)


@pytest.mark.slow
@pytest.mark.parametrize("api", MODELS)
def test_an_agent_keeps_the_rules_of_providers(api: str) -> None:
    suite = contract.provider(lambda server: provider_at(server, api), backend=ModelServer)
    verdicts = suite.run_all()

    breached = [f"{one.rule.id}: {one.actual}" for one in verdicts if one.outcome == "breached"]
    assert breached == []
    assert {one.rule.id for one in verdicts if one.outcome == "not run"} <= {
        "failure-garbled", "failure-deadline", "failure-deadline-later"
    }  # fmt: skip


@pytest.mark.slow
def test_an_agent_keeps_its_deadline() -> None:
    suite = contract.provider(
        lambda server: provider_at(server, timeout=1.0), backend=ModelServer, deadline=1.0
    )

    suite.check("failure-deadline", "failure-deadline-later")


@pytest.mark.parametrize("api", MODELS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_conversation_is_sent_as_messages(api: str, *, stream: bool) -> None:
    with ModelServer() as server:
        server.answers("נעים מאוד").answers("דוד")
        first = ask_server(server, "שמי דוד", api, stream=stream, instructions="ענה בקצרה")
        second = ask_server(server, "איך קוראים לי?", api, stream=stream, session=first.session)
        requests = list(server.requests)

    assert second.reply.text == "דוד"
    assert "".join(second.pieces) == ("דוד" if stream else "")
    assert first.reply.usage is not None
    assert first.reply.usage.input_tokens > 0
    assert requests[0].instructions == "ענה בקצרה"
    assert requests[1].user_messages == ("שמי דוד", "איך קוראים לי?")


@pytest.mark.parametrize("api", MODELS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("restarted", [False, True], ids=["same-worker", "other-worker"])
def test_the_tools_of_a_flow_are_called_over_the_wire(api: str, *, stream: bool, restarted: bool) -> None:
    options: dict[str, Any] = {"api": api, "stream": stream, "instructions": "ענה בקצרה"}
    rounds: list[ToolRound] = []
    with ModelServer() as server:
        server.calls(("order_status", {"id": 7}), ("opening_hours", {}), saying="רגע, בודק.")
        server.calls("order_status", {"id": 8}).answers("נשלחה.").answers("בבקשה.")
        for results in (("sent", "8-17"), ("lost",)):
            calls = ask_server(server, "מה עם 7?", tools=offer(*rounds), **options).calls
            rounds.append(ToolRound(calls.calls, results, calls.text, None if restarted else calls.state))
        last = ask_server(server, "מה עם 7?", tools=offer(*rounds, may_call=False), **options)
        ask_server(server, "תודה", session=last.session, tools=offer(), **options)
        requests = list(server.requests)

    assert last.reply.text == "נשלחה."
    assert [request.results for request in requests[1:3]] == [("sent", "8-17"), ("sent", "8-17", "lost")]
    assert set(requests[0].tools) == {"order_status", "opening_hours"}
    assert requests[2].body["tool_choice"] == "none"
    assert requests[3].user_messages == ("מה עם 7?", "תודה")


FAILURES: dict[str, type[ProviderError]] = {
    "rate_limited": RateLimitedError,
    "quota_exceeded": QuotaExceededError,
    "unauthorized": AuthenticationError,
    "overloaded": OverloadedError,
    "unknown_model": UnknownModelError,
    "context_overflow": ContextOverflowError,
    "refused_request": RefusedRequestError,
    "empty": AnswerEmptyError,
}


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_refusal_of_the_service_has_its_kind(kind: Any, *, stream: bool) -> None:  # noqa: ANN401 - a FailureKind
    with ModelServer() as server:
        if kind == "empty":
            server.answers("")
        else:
            server.fails(kind)
        with pytest.raises(FAILURES[kind]) as caught:
            ask_server(server, "הקוד שלי הוא 4711, בבקשה", stream=stream)

    assert type(caught.value) is FAILURES[kind]
    assert caught.value.provider == "pydantic_ai"


def test_a_rate_limit_has_the_wait_that_the_service_asks_for() -> None:
    with ModelServer() as server:
        server.fails("rate_limited", retry_after=7)
        with pytest.raises(RateLimitedError) as caught:
            ask_server(server, "יש?")

    assert caught.value.retry_after == 7


def test_a_broken_connection_is_a_crash() -> None:
    with ModelServer() as server:
        server.drops("עד כאן")
        with pytest.raises(ProviderCrashError, match="broke off"):
            ask_server(server, "יש?", stream=True)


def test_a_server_that_is_not_there_is_a_crash() -> None:
    with ModelServer() as server:
        pass
    with pytest.raises(ProviderCrashError, match="no connection"):
        ask_server(server, "יש?")


def test_the_time_of_a_models_own_client_is_a_timeout() -> None:
    with ModelServer() as server:
        server.hangs()
        provider = PydanticAIProvider(Agent(model_at(server, timeout=0.05)))
        with pytest.raises(ProviderTimeoutError):
            ask_now(provider, "יש?")


def test_no_error_quotes_what_was_said() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        message = f"invalid request: {request.read().decode()}"
        return httpx2.Response(400, json={"error": {"message": message}})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(refuse))
    client = AsyncOpenAI(base_url="http://127.0.0.1:9/v1", api_key="test", http_client=http, max_retries=0)
    model = OpenAIChatModel("m", provider=OpenAIProvider(openai_client=client))
    provider = PydanticAIProvider(Agent(model))

    with pytest.raises(ProviderError) as caught:
        ask_now(provider, "my code is 4711, please", instructions="be brief, always")

    assert "4711" not in str(caught.value)
    assert "be brief" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_last_model_of_a_fallback_says_why_there_is_no_answer() -> None:
    with ModelServer() as server:
        server.fails("overloaded").fails("rate_limited")
        model = FallbackModel(model_at(server), model_at(server))
        with pytest.raises(RateLimitedError):
            ask_now(PydanticAIProvider(Agent(model)), "יש?")
