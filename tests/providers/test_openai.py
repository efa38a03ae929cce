from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest
import respx

from tests.support.asking import ask_provider
from yemot_ai import YemotAI
from yemot_ai.errors import (
    AnswerEmptyError,
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
from yemot_ai.providers import Exchange, OpenAIProvider, Provider, Usage
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.script import FakeOnlyError, ScriptMismatchError
from yemot_ai_testing.doubles.sdk_mocks import OpenAIMock
from yemot_ai_testing.doubles.steps import BusySession

KEY = "test"


@pytest.fixture
def openai() -> Iterator[OpenAIMock]:
    with OpenAIMock() as mock:
        yield mock
        mock.assert_complete()


@pytest.fixture
def provider() -> OpenAIProvider:
    return OpenAIProvider(api_key=KEY, model="m")


def test_it_is_a_provider(provider: OpenAIProvider) -> None:
    assert isinstance(provider, Provider)


def test_a_turn_names_the_previous_response_and_sends_the_instructions(
    openai: OpenAIMock,
) -> None:
    openai.answers("באיזה גודל?").answers("רשמתי")
    ai = YemotAI("openai", openai_api_key=KEY, model="m", instructions="קצר")

    assert ai.reply("c1", "פיצה") == "באיזה גודל?"
    assert ai.reply("c1", "גדולה") == "רשמתי"
    assert [request.session for request in openai.requests] == [None, "resp_1"]
    assert [request.instructions for request in openai.requests] == ["קצר", "קצר"]
    assert [request.body["model"] for request in openai.requests] == ["m", "m"]


def test_a_turn_has_usage_and_session_id(openai: OpenAIMock) -> None:
    openai.answers("כן")
    turn = YemotAI("openai", openai_api_key=KEY).ask("c1", "יש?")

    assert turn.usage == Usage(100, 10, 7, 0)
    assert turn.session_id == "resp_1"


def test_a_rebuilt_conversation_sends_the_history(openai: OpenAIMock, provider: OpenAIProvider) -> None:
    openai.answers("דוד")

    asyncio.run(ask_provider(provider, "איך קוראים לי?", history=[Exchange("שמי דוד", "נעים מאוד")]))

    assert [(m["role"], m["content"]) for m in openai.requests[0].body["input"]] == [
        ("user", "שמי דוד"),
        ("assistant", "נעים מאוד"),
        ("user", "איך קוראים לי?"),
    ]


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
def test_each_error_response_has_its_own_class(
    openai: OpenAIMock, provider: OpenAIProvider, kind: str, error: type[ProviderError]
) -> None:
    openai.fails(kind)  # type: ignore[arg-type]  # the parameters are literals

    with pytest.raises(error):
        asyncio.run(ask_provider(provider, "יש?"))
    assert len(openai.requests) == 1


def test_a_rate_limit_has_retry_after(openai: OpenAIMock, provider: OpenAIProvider) -> None:
    openai.fails("rate_limited", retry_after=20)

    with pytest.raises(RateLimitedError) as caught:
        asyncio.run(ask_provider(provider, "יש?"))
    assert caught.value.retry_after == 20


def test_an_unknown_model_error_names_the_model_and_the_variable(
    openai: OpenAIMock, provider: OpenAIProvider
) -> None:
    openai.fails("unknown_model")

    with pytest.raises(UnknownModelError, match=r"'m'.*OPENAI_MODEL"):
        asyncio.run(ask_provider(provider, "יש?"))


def test_a_connection_that_breaks_is_a_crash(openai: OpenAIMock, provider: OpenAIProvider) -> None:
    openai.drops()

    with pytest.raises(ProviderCrashError):
        asyncio.run(ask_provider(provider, "יש?"))


def test_a_silent_server_is_a_timeout(openai: OpenAIMock, provider: OpenAIProvider) -> None:
    openai.hangs()

    with pytest.raises(ProviderTimeoutError):
        asyncio.run(ask_provider(provider, "יש?"))


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 0,
    "model": "m",
    "status": "completed",
    "output": [],
    "parallel_tool_calls": False,
    "tool_choice": "auto",
    "tools": [],
}


def message(text: str, **more: object) -> dict[str, object]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": content,
        **more,
    }


@pytest.fixture
def answer() -> Iterator[respx.Route]:
    with respx.mock(using="httpcore2") as router:
        yield router.post(path="/v1/responses")


def test_a_failed_response_in_a_200_is_an_error(answer: respx.Route, provider: OpenAIProvider) -> None:
    failed = {**RESPONSE, "status": "failed", "error": {"code": "server_error", "message": "sorry"}}
    answer.mock(return_value=httpx.Response(200, json=failed))

    with pytest.raises(OverloadedError, match="sorry"):
        asyncio.run(ask_provider(provider, "יש?"))


def test_a_page_in_a_200_is_an_error(answer: respx.Route, provider: OpenAIProvider) -> None:
    answer.mock(return_value=httpx.Response(200, html="<h1>Proxy</h1>"))

    with pytest.raises(MalformedStreamError, match="base_url"):
        asyncio.run(ask_provider(provider, "יש?"))


def test_an_answer_without_text_is_an_error(answer: respx.Route, provider: OpenAIProvider) -> None:
    incomplete = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    answer.mock(return_value=httpx.Response(200, json=incomplete))

    with pytest.raises(RefusedRequestError, match="content_filter"):
        asyncio.run(ask_provider(provider, "יש?"))


def test_commentary_is_not_part_of_the_answer(answer: respx.Route, provider: OpenAIProvider) -> None:
    output = [message("אחפש", phase="commentary"), message("בשמונה", phase="final_answer")]
    answer.mock(return_value=httpx.Response(200, json={**RESPONSE, "output": output}))

    assert asyncio.run(ask_provider(provider, "מתי?")).text == "בשמונה"


def test_an_expired_response_is_a_lost_session(answer: respx.Route, provider: OpenAIProvider) -> None:
    error = {"error": {"code": "previous_response_not_found", "message": "gone"}}
    answer.mock(return_value=httpx.Response(400, json=error))

    with pytest.raises(SessionLostError) as caught:
        asyncio.run(ask_provider(provider, "מתי?", session={"response_id": "resp_9"}))
    assert caught.value.thread_id == "resp_9"


@pytest.mark.parametrize("session", ["x", {"thread_id": "x"}], ids=["text", "codex"])
def test_a_session_of_another_provider_is_lost(
    provider: OpenAIProvider, session: str | dict[str, str]
) -> None:
    with pytest.raises(SessionLostError):
        asyncio.run(ask_provider(provider, "מתי?", session=session))


def test_a_retry_after_date_is_ignored(answer: respx.Route, provider: OpenAIProvider) -> None:
    refused = httpx.Response(429, headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, json={})
    answer.mock(return_value=refused)

    with pytest.raises(RateLimitedError) as caught:
        asyncio.run(ask_provider(provider, "יש?"))
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, OverloadedError), (403, AuthenticationError), (418, ProviderError)],
    ids=["500", "403", "418"],
)
def test_a_status_without_a_code_decides_the_error(
    answer: respx.Route, provider: OpenAIProvider, status: int, error: type[ProviderError]
) -> None:
    answer.mock(return_value=httpx.Response(status, json={}))

    with pytest.raises(ProviderError) as caught:
        asyncio.run(ask_provider(provider, "יש?"))
    assert type(caught.value) is error


@pytest.mark.slow
def test_the_deadline_is_for_the_whole_answer() -> None:
    with ModelServer() as model:
        model.hangs()
        slow = YemotAI(provider=OpenAIProvider(api_key=KEY, model="m", base_url=model.base_url, timeout=0.3))

        with pytest.raises(ProviderTimeoutError) as caught:
            slow.reply("c1", "יש?")
        slow.close()
    assert caught.value.seconds == 0.3


def test_a_conversation_continues_over_a_real_connection() -> None:
    with ModelServer() as model:
        model.answers("באיזה גודל?").answers("רשמתי")
        ai = YemotAI(provider=OpenAIProvider(api_key=KEY, model="m", base_url=model.base_url))

        assert [ai.reply("c1", text) for text in ("פיצה", "גדולה")] == ["באיזה גודל?", "רשמתי"]
        assert model.requests[1].session is not None
        ai.close()


def test_no_key_is_an_error_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with pytest.raises(MissingKeyError, match="openai_api_key=… or set OPENAI_API_KEY"):
        YemotAI("openai")


def test_the_model_may_come_from_the_environment(openai: OpenAIMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_MODEL", "from-env")
    openai.answers("כן")
    YemotAI("openai", openai_api_key=KEY).reply("c1", "יש?")

    assert openai.requests[0].body["model"] == "from-env"


@pytest.mark.parametrize(
    "arguments", [{}, {"mode": "gemini"}, {"mode": "codex", "provider": object()}, {"provider": object()}],
    ids=["nothing", "unknown", "both", "no-provider"],
)  # fmt: skip
def test_invalid_arguments_of_yemot_ai_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        YemotAI(**arguments)  # type: ignore[arg-type]  # invalid on purpose


@pytest.mark.parametrize("name", ["turn_timeout", "session_ttl"])
def test_times_must_be_positive(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        YemotAI("codex", **{name: 0})  # type: ignore[arg-type]  # one name at a time


def test_the_mock_reports_unused_steps() -> None:
    with pytest.raises(ScriptMismatchError, match="unused step"), OpenAIMock() as openai:
        openai.answers("כן")


def test_the_mock_refuses_unscripted_requests(provider: OpenAIProvider) -> None:
    with pytest.raises(ScriptMismatchError, match="call without a step: 'יש"), OpenAIMock():  # noqa: SIM117
        with pytest.raises(ProviderError, match="nothing is scripted for '…"):
            asyncio.run(ask_provider(provider, "יש?"))


def test_the_mock_refuses_steps_that_an_api_cannot_do() -> None:
    with pytest.raises(FakeOnlyError):
        OpenAIMock().add(BusySession())


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        "{",
        '{"id": "r", "status": "completed", "output": null}',
        '{"output": [{"type": "message"}]}',
    ],
    ids=["empty", "list", "broken", "null", "no-content"],
)
def test_a_body_that_is_not_the_api_is_an_error(
    answer: respx.Route, provider: OpenAIProvider, body: str
) -> None:
    answer.mock(return_value=httpx.Response(200, text=body, headers={"content-type": "application/json"}))

    with pytest.raises((MalformedStreamError, AnswerEmptyError)):
        asyncio.run(ask_provider(provider, "יש?"))


def test_usage_without_details_is_accepted(answer: respx.Route, provider: OpenAIProvider) -> None:
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    answer.mock(
        return_value=httpx.Response(200, json={**RESPONSE, "output": [message("כן")], "usage": usage})
    )

    assert asyncio.run(ask_provider(provider, "יש?")).usage == Usage(3, 0, 2, 0)


def test_an_overflow_without_a_code_is_recognised_by_its_message(
    answer: respx.Route, provider: OpenAIProvider
) -> None:
    error = {"error": {"code": None, "message": "Your input exceeds the context window of this model"}}
    answer.mock(return_value=httpx.Response(400, json=error))

    with pytest.raises(ContextOverflowError):
        asyncio.run(ask_provider(provider, "יש?"))
