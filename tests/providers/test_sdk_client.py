"""The real SDKs against servers with unusual responses, over the loopback."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from typing import TypeAlias

import pytest

from tests.support.asking import ask_provider
from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import (
    MalformedStreamError,
    MissingExtraError,
    MissingKeyError,
    OverloadedError,
    ProviderCrashError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
)
from yemot_ai.providers import AnthropicProvider, OpenAIProvider, Reply
from yemot_ai.providers import anthropic as anthropic_default
from yemot_ai.providers.openai import provider as openai_default

Maker: TypeAlias = Callable[..., OpenAIProvider | AnthropicProvider]

KEY = "sk-not-a-key-0123456789"

PAGE = b"<!doctype html><h1>Welcome to the hotel's network</h1>"


def responses(url: str, timeout: float = 10.0) -> OpenAIProvider:
    return OpenAIProvider(api_key=KEY, model="m", base_url=f"{url}/v1", timeout=timeout)


def chat(url: str, timeout: float = 10.0) -> OpenAIProvider:
    return OpenAIProvider(api_key=KEY, model="m", base_url=f"{url}/v1", api="chat", timeout=timeout)


def messages(url: str, timeout: float = 10.0) -> AnthropicProvider:
    return AnthropicProvider(api_key=KEY, model="m", base_url=url, timeout=timeout)


MAKERS: dict[str, Maker] = {"responses": responses, "chat": chat, "messages": messages}

ANSWERS = {
    "responses": {
        "id": "r",
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "כן"}]}],
    },
    "messages": {"id": "m", "content": [{"type": "text", "text": "כן"}], "stop_reason": "end_turn"},
    "chat": {"id": "c", "choices": [{"message": {"content": "כן"}, "finish_reason": "stop"}]},
}


@pytest.fixture(params=list(MAKERS))
def api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(api: str) -> Maker:
    return MAKERS[api]


@pytest.fixture
def whole(api: str) -> bytes:
    return json.dumps(ANSWERS[api], ensure_ascii=False).encode()


def asked(provider: OpenAIProvider | AnthropicProvider) -> Reply:
    """Ask on the event loop that all providers share."""

    async def ask() -> Reply:
        try:
            return await ask_provider(provider, "יש?")
        finally:
            await provider.aclose()

    return Engine.shared().run(ask())


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
def test_a_page_in_a_200_is_malformed(make: Maker, kind: str) -> None:
    with (
        FixedResponseServer(PAGE, kind=kind) as server,
        pytest.raises(MalformedStreamError, match="base_url"),
    ):
        asked(make(server.url))


def test_a_page_in_a_502_is_an_overload_without_the_page_in_its_message(make: Maker) -> None:
    with FixedResponseServer(PAGE, status=502, kind="text/html") as server:
        with pytest.raises(OverloadedError) as caught:
            asked(make(server.url))
        assert str(caught.value) == "HTTP status 502"


@pytest.mark.parametrize("missing", [1, 1000])
def test_an_answer_that_is_cut_is_a_crash(make: Maker, whole: bytes, missing: int) -> None:
    with (
        FixedResponseServer(whole, missing=missing) as server,
        pytest.raises(ProviderCrashError, match="connection"),
    ):
        asked(make(server.url))


@pytest.mark.slow
def test_a_refused_connection_is_a_crash(make: Maker) -> None:
    with FixedResponseServer(b"") as server:
        url = server.url

    with pytest.raises(ProviderCrashError, match="no connection"):
        asked(make(url))


@pytest.mark.slow
def test_a_slow_body_does_not_extend_the_deadline(make: Maker, whole: bytes) -> None:
    with FixedResponseServer(whole, trickle=0.1) as server:
        with pytest.raises(ProviderTimeoutError) as caught:
            asked(make(server.url, 0.3))
        assert caught.value.seconds == 0.3
        assert server.disconnected.wait(10)


def test_a_cancelled_turn_leaves_no_connection(make: Maker) -> None:
    with FixedResponseServer(None) as server:
        turn = Engine.shared().submit(ask_provider(make(server.url), "יש?"))
        assert server.request_received.wait(10)
        turn.cancel()

        assert server.disconnected.wait(10)


def test_a_retry_after_header_is_reported_without_sleeping(make: Maker) -> None:
    body = b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}'
    with HeaderServer(body, status=429, header="retry-after: 100") as server:
        with pytest.raises(RateLimitedError) as caught:
            asked(make(server.url, 5.0))  # a sleep would pass the deadline
        assert caught.value.retry_after == 100
        assert len(server.requests) == 1


class HeaderServer(FixedResponseServer):
    """A server with another header."""

    def __init__(self, body: bytes, *, status: int, header: str) -> None:
        super().__init__(body, status=status, kind=f"application/json\r\n{header}")


def test_a_key_that_the_server_quotes_is_in_no_error(make: Maker) -> None:
    body = json.dumps({"error": {"message": f"the key {KEY} is wrong", "code": "invalid_api_key"}}).encode()
    with FixedResponseServer(body, status=401) as server:
        with pytest.raises(ProviderError, match="the key … is wrong") as caught:
            asked(make(server.url))
        assert KEY not in "".join(traceback.format_exception(caught.value))


def test_all_turns_share_one_connection(make: Maker, whole: bytes) -> None:
    with FixedResponseServer(whole) as server:
        ai = YemotAI(provider=make(server.url))
        for number in range(5):
            assert ai.reply(f"call-{number}", "יש?") == "כן"
        ai.close()

        assert (len(server.requests), server.connections) == (5, 1)


def test_after_it_was_closed_a_provider_connects_again(make: Maker, whole: bytes) -> None:
    with FixedResponseServer(whole) as server:
        ai = YemotAI(provider=make(server.url))
        for number in range(2):
            assert ai.reply(f"call-{number}", "יש?") == "כן"
            ai.close()

        assert server.connections == 2


def test_a_new_event_loop_for_each_turn_works(make: Maker, whole: bytes) -> None:
    with FixedResponseServer(whole) as server:
        provider = make(server.url)

        async def turn() -> str:
            try:
                return (await ask_provider(provider, "יש?")).text
            finally:
                await provider.aclose()

        assert [asyncio.run(turn()) for _ in range(4)] == ["כן"] * 4


def test_turns_of_many_threads_are_answered(make: Maker, whole: bytes) -> None:
    with FixedResponseServer(whole) as server:
        ai = YemotAI(provider=make(server.url))
        answers: list[str] = []
        threads = [
            threading.Thread(target=lambda n=n: answers.append(ai.reply(f"call-{n}", "יש?")))
            for n in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        ai.close()

        assert answers == ["כן"] * 10


def run_program(program: str, *, traced: bool = True) -> str:
    """Run a program in a separate process; without tracing, coverage does not slow it down."""
    env = {name: os.environ[name] for name in os.environ if traced or not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60, env=env
    )
    return done.stdout.strip()


def test_creating_a_provider_imports_no_sdk() -> None:
    program = (
        "import sys; from yemot_ai import YemotAI;"
        "YemotAI('openai', openai_api_key='test'); YemotAI('anthropic', anthropic_api_key='test');"
        "print('openai' in sys.modules, 'anthropic' in sys.modules)"
    )
    assert run_program(program) == "False False"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sdk", "made"),
    [
        ("openai", "OpenAIProvider(api_key='test', base_url='http://127.0.0.1:9/v1')"),
        ("anthropic", "AnthropicProvider(api_key='test', base_url='http://127.0.0.1:9')"),
    ],
    ids=["openai", "anthropic"],
)
def test_the_sdk_is_imported_in_a_thread_so_that_other_calls_continue(sdk: str, made: str) -> None:
    program = f"""
import asyncio, sys, threading
from yemot_ai.errors import ProviderCrashError
from yemot_ai.providers import AnthropicProvider, OpenAIProvider, read_reply
class Spy:
    def find_spec(self, name, path=None, target=None):
        if name == {sdk!r}:
            threads.append(threading.current_thread() is threading.main_thread())
threads = []
provider = {made}
threads.clear()
sys.meta_path.insert(0, Spy())
try:
    asyncio.run(read_reply(provider.ask("?"), ""))
except ProviderCrashError:
    print(threads)
"""
    assert run_program(program) == "[False]"


@pytest.mark.slow
@pytest.mark.parametrize(
    "made",
    [
        "OpenAIProvider(api_key='test', model='m', base_url=url)",
        "OpenAIProvider(api_key='test', model='m', base_url=url, api='chat')",
        "AnthropicProvider(api_key='test', model='m', base_url=url.removesuffix('/v1'))",
    ],
    ids=["responses", "chat", "messages"],
)
def test_the_first_streamed_answer_blocks_the_loop_hardly_longer_than_others(made: str) -> None:
    program = f"""
import asyncio, gc, time
from yemot_ai.providers import AnthropicProvider, OpenAIProvider
from yemot_ai_testing import ModelServer
gc.disable()  # a collection visits the whole heap of the process, whichever turn it falls into
async def turns():
    for _ in range(6):
        began = time.thread_time()
        async for part in provider.ask("?", stream=True):
            pass
        spent.append(time.thread_time() - began)
    await provider.aclose()
spent = []
with ModelServer() as model:
    url = model.base_url
    provider = {made}
    for _ in range(6):
        model.answers("כן")
    asyncio.run(turns())
print(spent[0] / sorted(spent[1:])[2])
"""
    assert float(run_program(program, traced=False)) < 20


@pytest.mark.parametrize("make", [OpenAIProvider, AnthropicProvider], ids=["openai", "anthropic"])
def test_an_sdk_that_is_not_installed_is_an_error_at_construction(
    monkeypatch: pytest.MonkeyPatch, make: type[OpenAIProvider | AnthropicProvider]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=rf"yemot-ai\[{make.name}\]"):
        make(api_key="test")


@pytest.mark.parametrize("make", [OpenAIProvider, AnthropicProvider], ids=["openai", "anthropic"])
def test_a_key_of_blanks_is_no_key(
    monkeypatch: pytest.MonkeyPatch, make: type[OpenAIProvider | AnthropicProvider]
) -> None:
    monkeypatch.setenv(f"{make.name.upper()}_API_KEY", " \n")

    with pytest.raises(MissingKeyError, match=f"{make.name}_api_key"):
        make()


@pytest.mark.parametrize(
    ("types", "default"),
    [
        ("openai.types.shared.chat_model:ChatModel", openai_default.DEFAULT_MODEL),
        ("anthropic.types.model:Model", anthropic_default.DEFAULT_MODEL),
    ],
    ids=["openai", "anthropic"],
)
def test_the_default_model_is_one_that_the_sdk_names(types: str, default: str) -> None:
    module, _, name = types.partition(":")
    names = repr(getattr(importlib.import_module(module), name))

    assert repr(default) in names
