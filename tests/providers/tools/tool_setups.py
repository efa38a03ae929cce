"""The services whose models call tools: each with its provider, its double and the SDK's types."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from anthropic.types.message_create_params import MessageCreateParamsBase
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from pydantic import TypeAdapter

from yemot_ai.providers import AnthropicProvider, OpenAIProvider, read_answer
from yemot_ai.providers.values import JSON, Exchange, Reply, ToolCalls, ToolRequest, ToolRound, ToolSpec
from yemot_ai_testing import AnthropicMock, ModelServer, OpenAIMock

__all__ = [
    "APIS",
    "DOUBLES",
    "SPECS",
    "Asker",
    "Double",
    "check_request",
    "open_setup",
    "round_of",
]

Double = ModelServer | OpenAIMock | AnthropicMock

SPECS = (
    ToolSpec(
        "order_status",
        "Return the state of an order.",
        {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
    ),
    ToolSpec("opening_hours", "Return the opening hours.", {"type": "object", "properties": {}}),
)

APIS = ("stored", "unstored", "chat", "messages")
DOUBLES = ("server", "mock")

_RESPONSES = TypeAdapter(ResponseCreateParamsBase)
# Kept, because they validate the iterables of a request while these are read.
_REQUESTS: Mapping[str, TypeAdapter[Any]] = {
    "stored": _RESPONSES,
    "unstored": _RESPONSES,
    "chat": TypeAdapter(CompletionCreateParamsBase),
    "messages": TypeAdapter(MessageCreateParamsBase),
}


@dataclass(frozen=True, slots=True)
class Asker:
    """A provider, and how it is asked.

    Attributes:
        provider: the provider.
        stream: whether its answers are streamed.
    """

    provider: OpenAIProvider | AnthropicProvider
    stream: bool = False

    async def ask(
        self,
        prompt: str,
        *rounds: ToolRound,
        session: JSON = None,
        history: tuple[Exchange, ...] = (),
        may_call: bool = True,
    ) -> tuple[Reply | ToolCalls, str]:
        """Return the answer, and what was streamed of it."""
        pieces: list[str] = []
        parts = self.provider.ask(
            prompt,
            session=session,
            history=history,
            stream=self.stream,
            tools=ToolRequest(SPECS, rounds, may_call),
        )
        answer = await read_answer(parts, self.provider.name, pieces.append if self.stream else None)
        return answer, "".join(pieces)


@contextlib.contextmanager
def open_setup(api: str, double: str) -> Iterator[tuple[OpenAIProvider | AnthropicProvider, Double]]:
    """Open the double of a service, and a provider that asks it."""
    if double == "server":
        with ModelServer() as server:
            yield _provider(api, server.root_url), server
    elif api == "messages":
        with AnthropicMock() as anthropic:
            yield _provider(api, None), anthropic
    else:
        with OpenAIMock() as openai:
            yield _provider(api, None), openai


def _provider(api: str, url: str | None) -> OpenAIProvider | AnthropicProvider:
    if api == "messages":
        return AnthropicProvider(api_key="test", model="m", base_url=url)
    make: Callable[..., OpenAIProvider] = OpenAIProvider
    options: Mapping[str, Mapping[str, Any]] = {"chat": {"api": "chat"}, "unstored": {"store": False}}
    return make(api_key="test", model="m", base_url=url and f"{url}/v1", **options.get(api, {}))


def round_of(calls: Reply | ToolCalls, *results: str, state: bool = True) -> ToolRound:
    """Return the round of calls with their results; without ``state`` as another process would have it."""
    assert isinstance(calls, ToolCalls)
    return ToolRound(calls.calls, results, calls.text, calls.state if state else None)


def check_request(api: str, body: Mapping[str, Any]) -> None:
    """Validate a request as the SDK's type of it; it has no field that the SDK does not know."""
    known = {**body} if api != "messages" else {"max_tokens": 1, **body}
    known.pop("stream", None)
    checked = _REQUESTS[api].validate_python(known)
    assert _plain(checked) == known


def _plain(value: Any) -> Any:  # noqa: ANN401 - what pydantic has made of a request
    """Return a validated request; its iterables are validated while they are read."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return value
    return [_plain(one) for one in value]
