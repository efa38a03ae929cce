"""A refusal where an answer should be: in a 200, or in an event of a stream."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import AsyncGeneratorType

import pytest

from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ProviderError
from yemot_ai.providers import AnthropicProvider, OpenAIProvider

WAIT = "Please try again in 7m12s"


@asynccontextmanager
async def provider_of(api: str, url: str) -> AsyncIterator[OpenAIProvider | AnthropicProvider]:
    provider: OpenAIProvider | AnthropicProvider
    if api == "messages":
        provider = AnthropicProvider(api_key="test", model="m", base_url=url)
    elif api == "chat":
        provider = OpenAIProvider(api_key="test", model="m", base_url=f"{url}/v1", api="chat")
    else:
        provider = OpenAIProvider(api_key="test", model="m", base_url=f"{url}/v1")
    try:
        yield provider
    finally:
        await provider.aclose()


def error_of(api: str, body: bytes, kind: str, *, stream: bool) -> tuple[str, float | None]:
    """Return kind and wait of the error for a response with status 200."""

    async def ask(url: str) -> None:
        async with provider_of(api, url) as provider:
            async for _ in provider.ask("יש?", stream=stream):
                pass

    with FixedResponseServer(body, kind=kind) as server, pytest.raises(ProviderError) as caught:
        Engine.shared().run(ask(server.url))
    return caught.value.kind, caught.value.retry_after


def failed(error: object) -> dict[str, object]:
    return {"type": "response.failed", "response": {"id": "r", "status": "failed", "error": error}}


EVENTS: list[tuple[str, object, tuple[str, float | None]]] = [
    ("responses", {"type": "error", "code": 502, "message": "no"}, ("overloaded", None)),
    ("responses", {"type": "error", "code": "rate_limit_exceeded", "message": WAIT}, ("rate_limited", 432.0)),
    ("responses", {"type": "error", "error": {"code": "x", "message": "context window"}},
     ("context_overflow", None)),
    ("responses", {"type": "error", "error": {"type": "usage_limit_reached", "resets_in_seconds": 99}},
     ("quota_exceeded", 99.0)),
    ("responses", failed({"code": "rate_limit_exceeded", "message": WAIT}), ("rate_limited", 432.0)),
    ("responses", failed({"code": 502, "message": "no"}), ("overloaded", None)),
    ("responses", failed({"code": "invalid_prompt", "message": "no"}), ("refused_request", None)),
    ("responses", {"error": {"code": 502, "message": "no"}}, ("overloaded", None)),
    ("chat", {"error": {"code": 502, "message": "no"}}, ("overloaded", None)),
    ("chat", {"error": {"code": "503", "message": "no"}}, ("overloaded", None)),
    ("chat", {"error": "Context size has been exceeded."}, ("context_overflow", None)),
    ("chat", {"object": "error", "message": "maximum context length is 8192", "code": 400},
     ("context_overflow", None)),
    ("chat", {"detail": "rate limit exceeded"}, ("rate_limited", None)),
    ("chat", {"id": "c", "choices": [], "error": {"code": 429, "message": WAIT}}, ("rate_limited", 432.0)),
    ("messages", {"type": "error", "error": {"type": "rate_limit_error", "message": WAIT}},
     ("rate_limited", 432.0)),
    ("messages", {"type": "error", "error": {"code": 502, "message": "no"}}, ("overloaded", None)),
]  # fmt: skip


@pytest.mark.parametrize(("api", "event", "right"), EVENTS)
def test_an_event_of_a_stream(api: str, event: object, right: tuple[str, float | None]) -> None:
    name = "event: error\n" if api == "messages" else ""
    body = f"{name}data: {json.dumps(event)}\n\n".encode()

    assert error_of(api, body, "text/event-stream", stream=True) == right


BODIES: list[tuple[object, tuple[str, float | None]]] = [
    ({"error": {"code": 502, "message": "no"}}, ("overloaded", None)),
    ({"error": "No models loaded"}, ("unknown_model", None)),
    ({"object": "error", "message": "Rate limit exceeded", "code": 429}, ("rate_limited", None)),
    ([{"error": {"code": 429, "message": WAIT}}], ("rate_limited", 432.0)),
    ({"detail": "Model foo not found"}, ("unknown_model", None)),
    ({"type": "error", "error": {"type": "overloaded_error", "message": "no"}}, ("overloaded", None)),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("api", ["responses", "chat", "messages"])
@pytest.mark.parametrize(("body", "right"), BODIES)
def test_a_body_in_a_200(api: str, body: object, right: tuple[str, float | None], *, stream: bool) -> None:
    assert error_of(api, json.dumps(body).encode(), "application/json", stream=stream) == right


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("api", ["responses", "chat", "messages"])
@pytest.mark.parametrize("body", [{"ok": True}, {"content": "rate limit"}, {"choices": "rate limit"}])
def test_json_that_is_no_refusal_is_malformed(api: str, body: object, *, stream: bool) -> None:
    assert error_of(api, json.dumps(body).encode(), "application/json", stream=stream) == ("malformed", None)


def open_iterations() -> set[str]:
    """Return the methods of httpx that iterate over a body and have not ended."""
    generators = [item for item in gc.get_objects() if isinstance(item, AsyncGeneratorType)]
    code = {generator.ag_code for generator in generators if generator.ag_frame is not None}
    return {item.co_qualname for item in code if item.co_qualname.startswith("Response.")}


@pytest.mark.parametrize("api", ["responses", "chat", "messages"])
def test_an_error_in_a_stream_leaves_no_iteration_open(api: str) -> None:
    body = f"event: error\ndata: {json.dumps({'type': 'error', 'error': {'message': 'no'}})}\n\n".encode()
    seen = []

    async def ask(url: str) -> None:
        async with provider_of(api, url) as provider:
            try:
                async for _ in provider.ask("יש?", stream=True):
                    pass
            except ProviderError:  # it holds the frames of the iteration
                seen.append(open_iterations())

    with FixedResponseServer(body, kind="text/event-stream") as server:
        asyncio.run(ask(server.url))
    assert seen == [set()]
