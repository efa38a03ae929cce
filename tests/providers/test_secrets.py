"""A secret reaches whoever it is meant for: not a log, an error, a transcript or another process."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.codex import asked
from tests.support.fixed_response_server import OddServer
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

PLANTED = "planted-word-0123456789"
CODEX: dict[str, Callable[..., Provider]] = {"exec": CodexCLIProvider, "app-server": CodexAppServerProvider}
SERVICES: dict[str, Callable[[str], Provider]] = {
    "openai-responses": lambda url: OpenAIProvider(api_key=PLANTED, model="m", base_url=f"{url}/v1"),
    "openai-kept": lambda url: OpenAIProvider(api_key=PLANTED, model="m", base_url=f"{url}/v1", store=False),
    "openai-chat": lambda url: OpenAIProvider(api_key=PLANTED, model="m", base_url=f"{url}/v1", api="chat"),
    "anthropic": lambda url: AnthropicProvider(api_key=PLANTED, model="m", base_url=url),
}


def told(error: BaseException) -> str:
    """Everything that an error shows, and all that it carries."""
    shown = "".join(traceback.format_exception(error))
    carried = [str(value) for value in vars(error).values()]
    return "\n".join([shown, repr(error), *carried])


async def let_go(provider: Provider) -> None:
    if isinstance(provider, SupportsAclose):
        await provider.aclose()


def environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def written() -> list[str]:
    """The names of all files and folders of ours."""
    return [str(path) for path in Path(os.environ["YEMOT_AI_HOME"]).rglob("*")]


def failing(provider: Provider, words: str = "שלום") -> ProviderError:
    """The error of a call that the provider cannot answer."""

    async def call() -> None:
        try:
            await provider.start_session(words)
        finally:
            await let_go(provider)

    with pytest.raises(ProviderError) as caught:
        asked(call())
    return caught.value


@pytest.mark.parametrize("service", SERVICES)
def test_a_key_that_a_service_quotes_is_left_out(service: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="yemot_ai")
    error = {"type": "authentication_error", "code": "invalid_api_key", "message": f"no such key: {PLANTED}"}
    body = json.dumps({"type": "error", "error": error}).encode()
    with OddServer(body, status=401) as server:
        provider = FallbackProvider([SERVICES[service](server.url)])
        shown = told(failing(provider))
    assert "no such key: …" in shown
    assert PLANTED not in shown + caplog.text


@pytest.mark.parametrize("face", CODEX)
def test_what_a_dying_codex_writes_of_its_secrets_is_left_out(
    face: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="yemot_ai")
    with FakeCodex().crashes(exit=3, stderr=f"cannot log in with {PLANTED} at the proxy") as codex:
        ours = CODEX[face](codex.executable, env={"MODEL_KEY": PLANTED})
        shown = told(failing(FallbackProvider([ours])))
    assert "cannot log in with … at the proxy" in shown
    assert PLANTED not in shown + caplog.text


@pytest.mark.parametrize("face", CODEX)
def test_who_logs_in_at_a_proxy_is_left_out(face: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://us:{PLANTED}@127.0.0.1:9")
    with FakeCodex().crashes(exit=3, stderr=f"no way through http://us:{PLANTED}@127.0.0.1:9") as codex:
        shown = told(failing(CODEX[face](codex.executable)))
    assert "no way through http://…@127.0.0.1:9" in shown
    assert PLANTED not in shown


@pytest.mark.parametrize("face", CODEX)
def test_a_token_among_the_settings_is_left_out(face: str) -> None:
    config = {"model_providers.own.http_headers": f'{{ "Authorization" = "{PLANTED}" }}'}
    with FakeCodex().crashes(exit=3, stderr=f"refused: {PLANTED}") as codex:
        shown = told(failing(CODEX[face](codex.executable, config=config)))
    assert "refused: …" in shown
    assert PLANTED not in shown


@pytest.mark.parametrize("face", CODEX)
def test_a_codex_process_is_given_no_variable_of_ours_but_those_it_needs(
    face: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "REDIS_URL",
        "YEMOT_AI_SECRET",
        "AWS_SECRET_ACCESS_KEY",
    ):
        monkeypatch.setenv(name, PLANTED)
    with FakeCodex().answers("כן") as codex:
        provider = CODEX[face](codex.executable, env={"MODEL_KEY": "x"})

        async def call() -> None:
            await provider.start_session("שלום")
            assert not any(PLANTED.encode() in environment(pid) for pid in codex.processes)
            await let_go(provider)

        asked(call())
        (request,) = codex.requests
    assert {"CODEX_HOME", "HOME", "LANG", "MODEL_KEY", "PATH"} <= request.env_names
    passed = {name for name in request.env_names if not name.lower().endswith("proxy")}
    ours = {"CODEX_HOME", "HOME", "MODEL_KEY"}
    assert passed <= {*ours, "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"}


WORDS = ("--last", "$(touch ran-by-words)", "; touch ran-by-words", "../../../ran-by-words", "review")


@pytest.mark.parametrize("face", CODEX)
@pytest.mark.parametrize("words", WORDS)
def test_what_a_caller_says_is_no_argument_and_no_name_of_a_file(face: str, words: str) -> None:
    with FakeCodex().answers("כן").answers("כן") as codex:
        provider = CODEX[face](codex.executable)

        async def call() -> None:
            first = await provider.start_session(words)
            await provider.continue_session(first.session, words)
            assert not [path for path in written() if words in path or "ran-by" in path]
            await let_go(provider)

        asked(call())
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
        kept: Any = (turn, vars(caught.value))
        ai.close()
    assert PLANTED not in repr(kept) + caplog.text
