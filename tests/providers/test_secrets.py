"""A secret never reaches a log, an error, a session or another process."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import run_async
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai import YemotAI
from yemot_ai.errors import ProviderError
from yemot_ai.providers import (
    AnthropicProvider,
    CodexAppServerProvider,
    CodexCLIProvider,
    FallbackProvider,
    OpenAIProvider,
    Provider,
)
from yemot_ai.providers.provider import SupportsAclose
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.doubles.model_service.server import ModelServer

KEY = "planted-word-0123456789"
CODEX: dict[str, Callable[..., Provider]] = {"exec": CodexCLIProvider, "app-server": CodexAppServerProvider}
SERVICES: dict[str, Callable[[str], Provider]] = {
    "openai-responses": lambda url: OpenAIProvider(api_key=KEY, model="m", base_url=f"{url}/v1"),
    "openai-unstored": lambda url: OpenAIProvider(api_key=KEY, model="m", base_url=f"{url}/v1", store=False),
    "openai-chat": lambda url: OpenAIProvider(api_key=KEY, model="m", base_url=f"{url}/v1", api="chat"),
    "anthropic": lambda url: AnthropicProvider(api_key=KEY, model="m", base_url=url),
}


def error_text(error: BaseException) -> str:
    """Return the traceback, the repr and all attributes of an error."""
    formatted = "".join(traceback.format_exception(error))
    attributes = [str(value) for value in vars(error).values()]
    return "\n".join([formatted, repr(error), *attributes])


async def close(provider: Provider) -> None:
    if isinstance(provider, SupportsAclose):
        await provider.aclose()


def environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def file_names() -> list[str]:
    """Return the paths of all files and folders in the private folder."""
    return [str(path) for path in Path(os.environ["YEMOT_AI_HOME"]).rglob("*")]


def error_of(provider: Provider, words: str = "שלום") -> ProviderError:
    """Return the error of a failing call."""

    async def call() -> None:
        try:
            await ask_provider(provider, words)
        finally:
            await close(provider)

    with pytest.raises(ProviderError) as caught:
        run_async(call())
    return caught.value


@pytest.mark.parametrize("service", SERVICES)
def test_a_key_that_a_service_quotes_is_redacted(service: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="yemot_ai")
    error = {"type": "authentication_error", "code": "invalid_api_key", "message": f"no such key: {KEY}"}
    body = json.dumps({"type": "error", "error": error}).encode()
    with FixedResponseServer(body, status=401) as server:
        provider = FallbackProvider([SERVICES[service](server.url)])
        text = error_text(error_of(provider))
    assert "no such key: …" in text
    assert KEY not in text + caplog.text


@pytest.mark.parametrize("kind", CODEX)
def test_secrets_in_the_stderr_of_codex_are_redacted(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="yemot_ai")
    with FakeCodex().crashes(exit=3, stderr=f"cannot log in with {KEY} at the proxy") as codex:
        provider = CODEX[kind](codex.executable, env={"MODEL_KEY": KEY})
        text = error_text(error_of(FallbackProvider([provider])))
    assert "cannot log in with … at the proxy" in text
    assert KEY not in text + caplog.text


@pytest.mark.parametrize("kind", CODEX)
def test_the_user_and_password_of_a_proxy_are_redacted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://us:{KEY}@127.0.0.1:9")
    with FakeCodex().crashes(exit=3, stderr=f"no way through http://us:{KEY}@127.0.0.1:9") as codex:
        text = error_text(error_of(CODEX[kind](codex.executable)))
    assert "no way through http://…@127.0.0.1:9" in text
    assert KEY not in text


@pytest.mark.parametrize("kind", CODEX)
def test_a_token_in_the_settings_is_redacted(kind: str) -> None:
    config = {"model_providers.own.http_headers": f'{{ "Authorization" = "{KEY}" }}'}
    with FakeCodex().crashes(exit=3, stderr=f"refused: {KEY}") as codex:
        text = error_text(error_of(CODEX[kind](codex.executable, config=config)))
    assert "refused: …" in text
    assert KEY not in text


@pytest.mark.parametrize("kind", CODEX)
def test_a_codex_process_gets_only_the_variables_it_needs(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "REDIS_URL",
        "YEMOT_AI_SECRET",
        "AWS_SECRET_ACCESS_KEY",
    ):
        monkeypatch.setenv(name, KEY)
    with FakeCodex().answers("כן") as codex:
        provider = CODEX[kind](codex.executable, env={"MODEL_KEY": "x"})

        async def call() -> None:
            await ask_provider(provider, "שלום")
            assert not any(KEY.encode() in environment(pid) for pid in codex.processes)
            await close(provider)

        run_async(call())
        (request,) = codex.requests
    assert {"CODEX_HOME", "HOME", "LANG", "MODEL_KEY", "PATH"} <= request.env_names
    passed = {name for name in request.env_names if not name.lower().endswith("proxy")}
    own = {"CODEX_HOME", "HOME", "MODEL_KEY", "YEMOT_AI_PROCESS"}
    assert passed <= {*own, "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"}


WORDS = ("--last", "$(touch ran-by-words)", "; touch ran-by-words", "../../../ran-by-words", "review")


@pytest.mark.parametrize("kind", CODEX)
@pytest.mark.parametrize("words", WORDS)
def test_the_words_of_a_caller_are_no_argument_and_no_file_name(kind: str, words: str) -> None:
    with FakeCodex().answers("כן").answers("כן") as codex:
        provider = CODEX[kind](codex.executable)

        async def call() -> None:
            first = await ask_provider(provider, words)
            await ask_provider(provider, words, session=first.session)
            assert not [path for path in file_names() if words in path or "ran-by" in path]
            await close(provider)

        run_async(call())
        assert [request.prompt for request in codex.requests] == [words, words]
        assert not any(words in argument for request in codex.requests for argument in request.argv)


@pytest.mark.parametrize("service", SERVICES)
def test_a_key_is_in_no_session_and_no_turn(service: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="yemot_ai")
    with ModelServer() as model:
        model.answers("כן").fails("unauthorized")
        ai = YemotAI(provider=SERVICES[service](model.root_url))
        turn = ai.ask("call-1", "שלום")
        with pytest.raises(ProviderError) as caught:
            ai.ask("call-1", "שוב")
        values: Any = (turn, vars(caught.value))
        ai.close()
    assert KEY not in repr(values) + caplog.text
