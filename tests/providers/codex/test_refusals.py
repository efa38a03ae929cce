"""What a service refuses, as the real Codex says it: the class of the error, and its wait."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import run_async
from tests.support.raw_responses import (
    RawResponses,
    begun,
    completed,
    created,
    error_response,
    events,
    failed,
    whole,
)
from yemot_ai import YemotAI
from yemot_ai.errors import (
    AnswerEmptyError,
    AuthenticationError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    RefusedRequestError,
    UnknownModelError,
)
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider, FallbackProvider

if TYPE_CHECKING:
    from pathlib import Path

    from yemot_ai.providers.provider import Reply

PROVIDERS = [CodexCLIProvider, CodexAppServerProvider]
NO_RETRIES = {"model_providers.raw.stream_max_retries": 0, "model_providers.raw.request_max_retries": 0}
FLAGGED = "Invalid prompt: your prompt was flagged as potentially violating our usage policy."


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))


def stream_error(code: str, message: str) -> bytes:
    return events(created(), failed(code, message))


def body_error(status: int, message: str, code: str | None = None) -> bytes:
    return error_response(status, {"error": {"message": message, "code": code}})


def usage_limit(**fields: object) -> bytes:
    error = {"type": "usage_limit_reached", "message": "The usage limit has been reached", "plan_type": "pro"}
    return error_response(429, {"error": error | fields})


INCOMPLETE = {
    "type": "response.incomplete",
    "response": {"id": "resp_1", "incomplete_details": {"reason": "content_filter"}},
}
NEWER = "The 'gpt-9' model requires a newer version of Codex. Please upgrade to the latest app or CLI."
REFUSALS: dict[str, tuple[bytes, type[ProviderError]]] = {
    "invalid_prompt": (body_error(400, FLAGGED, "invalid_prompt"), RefusedRequestError),
    "invalid_prompt in a stream": (stream_error("invalid_prompt", FLAGGED), RefusedRequestError),
    "cyber_policy": (
        body_error(400, "This request has been flagged for possible risk.", "cyber_policy"),
        RefusedRequestError,
    ),
    "a filtered answer": (events(created(), *begun("של"), INCOMPLETE), RefusedRequestError),
    "a newer version, as detail": (error_response(400, {"detail": NEWER}), UnknownModelError),
    "a newer version, as error": (body_error(400, NEWER), UnknownModelError),
    "a plan without Codex": (
        error_response(429, {"error": {"type": "usage_not_included", "message": "x"}}),
        QuotaExceededError,
    ),
    "a usage limit": (usage_limit(resets_in_seconds=7200), QuotaExceededError),
    "slow_down": (stream_error("slow_down", "Please slow down."), RateLimitedError),
    "server_is_overloaded": (stream_error("server_is_overloaded", "x"), OverloadedError),
    "server_error": (
        stream_error("server_error", "The server had an error processing your request."),
        OverloadedError,
    ),
    "server_error, other words": (
        stream_error("server_error", "An error occurred while processing your request. You can retry."),
        OverloadedError,
    ),
    "a signed-out token": (body_error(401, "Your token has been invalidated."), AuthenticationError),
    "a workspace without money": (
        error_response(402, {"detail": {"code": "deactivated_workspace"}}),
        QuotaExceededError,
    ),
    "a parameter": (body_error(400, "Unsupported parameter: 'x'"), ProviderCrashError),
}


async def ask(service: RawResponses, binary: Path, provider: type) -> Reply:
    options = service.codex_options()
    options["config"] |= NO_RETRIES
    asked = provider(binary, timeout=20.0, **options)
    try:
        return await ask_provider(asked, "שלום")
    finally:
        if isinstance(asked, CodexAppServerProvider):
            await asked.aclose()


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_its_own_class(real_binary: Path, provider: type, name: str) -> None:
    response, expected = REFUSALS[name]
    with RawResponses(response) as service, pytest.raises(ProviderError) as caught:
        run_async(ask(service, real_binary, provider))

    assert type(caught.value) is expected
    assert not str(caught.value).startswith("{")
    assert len(service.sent) == 1


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_end_of_a_usage_limit_is_the_wait(real_binary: Path, provider: type) -> None:
    response = usage_limit(resets_at=int(time.time()) + 90_000, resets_in_seconds=90_000)
    with RawResponses(response) as service, pytest.raises(QuotaExceededError) as caught:
        run_async(ask(service, real_binary, provider))

    # Codex says the minute: "try again at Dec 1st, 2026 4:41 AM".
    assert caught.value.retry_after == pytest.approx(90_000, abs=120)


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wait_in_minutes_and_seconds_is_read(real_binary: Path, provider: type) -> None:
    limit = stream_error("rate_limit_exceeded", "Rate limit reached for gpt-5.1. Please try again in 7m12s.")
    with RawResponses(limit) as service, pytest.raises(RateLimitedError) as caught:
        run_async(ask(service, real_binary, provider))

    assert caught.value.retry_after == 432.0


REFUSED = "מילים אסורות"
NO_TEXT = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
REFUSED_WORDS: dict[str, tuple[bytes, type[ProviderError]]] = {
    "known words": (body_error(400, FLAGGED, "invalid_prompt"), RefusedRequestError),
    "an event of the stream": (stream_error("invalid_prompt", FLAGGED), RefusedRequestError),
    "unknown words": (body_error(400, "Not this time."), ProviderCrashError),
    "unknown words in a stream": (stream_error("no_such_code", "Not this time."), ProviderCrashError),
    "a refusal instead of an answer": (
        events(
            created(),
            {"type": "response.output_item.added", "output_index": 0, "item": {**NO_TEXT, "content": []}},
            {
                "type": "response.output_item.done",
                "output_index": 0,
                "item": {**NO_TEXT, "content": [{"type": "refusal", "refusal": "לא אוכל."}]},
            },
            completed(),
        ),
        AnswerEmptyError,
    ),
}


class RefusingService(RawResponses):
    """Refuses each request that contains the word, as a moderation of the whole conversation does."""

    def __init__(self, refusal: bytes) -> None:
        super().__init__(whole("תשובה."))
        self.refusal = refusal

    def response_to(self, head: bytes, request: bytes) -> tuple[bytes, bytes]:
        response = super().response_to(head, request)
        return (self.refusal, b"") if REFUSED in request.decode() else response

    def provider(self, provider: type, binary: Path) -> CodexCLIProvider | CodexAppServerProvider:
        options = self.codex_options()
        options["config"] |= NO_RETRIES
        made: CodexCLIProvider | CodexAppServerProvider = provider(binary, timeout=20.0, **options)
        return made


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", REFUSED_WORDS)
def test_refused_words_do_not_stay_in_the_conversation(real_binary: Path, provider: type, name: str) -> None:
    refusal, expected = REFUSED_WORDS[name]
    with RefusingService(refusal) as service:
        ai = YemotAI(provider=service.provider(provider, real_binary))
        assert ai.reply("call-1", "שמי דוד") == "תשובה."
        with pytest.raises(expected):
            ai.reply("call-1", REFUSED)
        assert [ai.reply("call-1", words) for words in ("מה שמי?", "תודה")] == ["תשובה."] * 2
        assert "שמי דוד" in json.dumps(service.sent[-1], ensure_ascii=False)
        ai.close()


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_refused_words_of_one_caller_take_the_provider_from_no_other(
    real_binary: Path, provider: type
) -> None:
    with (
        RefusingService(REFUSED_WORDS["known words"][0]) as service,
        RawResponses(whole("תשובה שנייה.")) as second,
    ):
        other = CodexCLIProvider(real_binary, timeout=20.0, **second.codex_options())
        ai = YemotAI(provider=FallbackProvider([service.provider(provider, real_binary), other]))
        assert ai.reply("call-1", "שמי דוד") == "תשובה."
        assert ai.reply("call-1", REFUSED) == "תשובה שנייה."
        assert ai.reply("call-2", "שלום") == "תשובה."
        ai.close()
