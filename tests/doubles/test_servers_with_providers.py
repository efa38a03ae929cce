"""The providers hear each server: its answers without thoughts, its errors by their kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from tests.doubles.raw_http import PIECES, TEXT, THOUGHTS
from yemot_ai.errors import ProviderError, RefusedRequestError, SessionLostError
from yemot_ai.providers import JSON, AnthropicProvider, OpenAIProvider, Reply
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.model_service.servers.registry import SERVERS
from yemot_ai_testing.doubles.steps import CutReason, FailureKind

ENDPOINTS = ("/responses", "/chat/completions", "/messages")


def served_apis() -> Iterator[tuple[str, str]]:
    """Yield each server with each of its APIs."""
    for name, server in SERVERS.items():
        for one in server.apis:
            if one.api.ENDPOINT in ENDPOINTS:
                yield name, one.api.ENDPOINT


SERVED = list(served_apis())
ERRORS = [
    pytest.param(name, one.api.ENDPOINT, kind, id=f"{name}{one.api.ENDPOINT}-{kind}")
    for name, server in SERVERS.items()
    for one in server.apis
    for kind in one.errors
    if kind != "session_lost"
]
each_api = pytest.mark.parametrize(("name", "endpoint"), SERVED, ids=[f"{a}{b}" for a, b in SERVED])
streamed_or_whole = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def provider_for(model: ModelServer, endpoint: str) -> OpenAIProvider | AnthropicProvider:
    """Return the provider that uses this API."""
    if endpoint == "/messages":
        return AnthropicProvider(api_key="test-key", base_url=model.root_url, timeout=5)
    api = "chat" if endpoint == "/chat/completions" else "responses"
    return OpenAIProvider(api_key="test-key", base_url=model.base_url, api=api, timeout=5)  # type: ignore[arg-type]  # one of both


async def ask(
    provider: OpenAIProvider | AnthropicProvider, *, session: JSON = None, stream: bool = True
) -> tuple[str, Reply]:
    """Return what is heard of an answer, and the reply."""
    heard: list[str] = []
    reply = Reply("", None)
    async with aclosing(provider):
        async for part in provider.ask("מתי פותחים?", session=session, stream=stream):
            if isinstance(part, Reply):
                reply = part
            else:
                assert isinstance(part, str)
                heard.append(part)
    return "".join(heard), reply


@streamed_or_whole
@each_api
def test_an_answer_is_heard_without_its_thoughts(name: str, endpoint: str, *, stream: bool) -> None:
    with ModelServer(quirks=name) as model:
        # In a stream a lone end tag comes too late: nothing before it says that the model thinks.
        unmarked = stream and (name, endpoint) == ("vllm-unparsed", "/chat/completions")
        model.answers(PIECES, thoughts="" if unmarked else THOUGHTS)
        heard, reply = asyncio.run(ask(provider_for(model, endpoint), stream=stream))
    assert (reply.text, reply.cut) == (TEXT, "")
    assert heard == (TEXT if stream else "")


@pytest.mark.slow
@streamed_or_whole
@pytest.mark.parametrize(("name", "endpoint", "kind"), ERRORS)
def test_an_error_has_the_kind_of_its_row(
    name: str, endpoint: str, kind: FailureKind, *, stream: bool
) -> None:
    with ModelServer(quirks=name) as model:
        model.fails(kind, retry_after=7)
        with pytest.raises(ProviderError) as caught:
            asyncio.run(ask(provider_for(model, endpoint), stream=stream))
    assert caught.value.kind == kind
    if kind == "rate_limited" and name not in {"bedrock", "dashscope"}:  # which say no wait
        assert getattr(caught.value, "retry_after", None) == 7


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["open", "unclean"])
@each_api
def test_the_connection_after_the_last_event_changes_nothing(name: str, endpoint: str, ending: str) -> None:
    with ModelServer(quirks=name, ending=ending) as model:  # type: ignore[arg-type]  # one of both
        model.answers(PIECES)
        heard, reply = asyncio.run(ask(provider_for(model, endpoint), stream=True))
    assert (heard, reply.text) == (TEXT, TEXT)


@pytest.mark.slow
@streamed_or_whole
@pytest.mark.parametrize("reason", ["length", "content_filter"])
@each_api
def test_a_cut_answer_says_so(name: str, endpoint: str, reason: CutReason, *, stream: bool) -> None:
    if (endpoint, reason) == ("/messages", "content_filter"):
        return check_refusal(name, stream=stream)
    with ModelServer(quirks=name) as model:
        model.cuts(reason, PIECES)
        heard, reply = asyncio.run(ask(provider_for(model, endpoint), stream=stream))
    assert reply.text == TEXT
    assert heard == (TEXT if stream else "")
    assert reply.cut
    return None


def check_refusal(name: str, *, stream: bool) -> None:
    """Check that Messages has no text of an answer that the model refuses in its middle."""
    with ModelServer(quirks=name) as model:
        model.cuts("content_filter", PIECES)
        with pytest.raises(RefusedRequestError):
            asyncio.run(ask(provider_for(model, "/messages"), stream=stream))


@pytest.mark.slow
@each_api
def test_an_error_in_the_middle_is_raised_after_the_text(name: str, endpoint: str) -> None:
    with ModelServer(quirks=name) as model:
        model.cuts("error", PIECES)
        with pytest.raises(ProviderError):
            asyncio.run(ask(provider_for(model, endpoint), stream=True))


@pytest.mark.parametrize(
    "name",
    [name for name, server in SERVERS.items() if any("session_lost" in one.errors for one in server.apis)],
)
def test_a_lost_conversation_has_its_own_error(name: str) -> None:
    with ModelServer(quirks=name) as model:
        model.unknown_session()
        with pytest.raises(SessionLostError):
            asyncio.run(ask(provider_for(model, "/responses"), session={"response_id": "resp_7"}))


def test_a_server_without_memory_gets_the_history() -> None:
    with ModelServer(quirks="ollama") as model:
        model.answers("שלום דוד").answers("דוד")
        _, first = asyncio.run(ask(provider_for(model, "/responses")))
        asyncio.run(ask(provider_for(model, "/responses"), session=first.session))
    assert model.requests[1].session is None
    assert model.requests[1].user_messages == ("מתי פותחים?", "מתי פותחים?")


def test_a_lone_end_tag_of_a_stream_is_read_with_an_option() -> None:
    with ModelServer(quirks="vllm-unparsed") as model:
        model.answers(PIECES, thoughts=THOUGHTS)
        provider = OpenAIProvider(
            api_key="test-key", base_url=model.base_url, api="chat", timeout=5, thinks="before </think>"
        )
        heard, reply = asyncio.run(ask(provider))
    assert (heard, reply.text) == (TEXT, TEXT)
