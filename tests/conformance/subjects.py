"""The providers of this project, as subjects of the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from yemot_ai.providers import (
    AnthropicProvider,
    AnyProvider,
    CodexAppServerProvider,
    CodexCLIProvider,
    FallbackProvider,
    OpenAIProvider,
)
from yemot_ai_testing import FakeCodex, ModelServer, ScriptedProvider, contract
from yemot_ai_testing.contract import ProviderSuite, Received
from yemot_ai_testing.doubles.scripted_provider import ScriptedRequest

__all__ = ["SUBJECTS", "WITH_DEADLINE", "Subject", "chat", "responses"]


class ScriptedBackend:
    """A ``ScriptedProvider``, which is its own model."""

    def __init__(self) -> None:
        self.provider = ScriptedProvider()

    def answers(self, text: str) -> None:
        text.encode()  # a script has no lone surrogate
        half = len(text) // 2
        self.provider.answers([text[:half], text[half:]])

    def refuses(self, kind: str) -> None:
        self.provider.fails(kind)  # type: ignore[arg-type]  # it checks the kind

    def hangs(self) -> None:
        self.provider.hangs()

    def received(self) -> Sequence[Received]:
        return [_received(request) for request in self.provider.requests]

    def hold(self) -> None:
        self.provider.hold()

    def release(self) -> None:
        self.provider.release()

    def running(self) -> int:
        return self.provider.running

    def begins(self, text: str) -> None:
        self.provider.answers([text, "…"], every=3_600.0)

    def breaks(self, text: str) -> None:
        self.provider.drops(text)

    def cuts(self, text: str) -> None:
        self.provider.cuts("length", text)

    def forgets(self) -> None:
        self.provider.unknown_session()


def _received(request: ScriptedRequest) -> Received:
    earlier = [text for one in request.history for text in (one.prompt, one.answer)]
    context = "\n".join([request.instructions or "", *earlier, request.prompt])
    return Received(request.prompt, request.instructions, context, request.session)


@dataclass(frozen=True, slots=True)
class Subject:
    """A provider, with the model behind it.

    Attributes:
        make: returns the provider; it gets the backend.
        backend: returns the backend.
        not_run: the rules that need more than the backend has.
    """

    make: Callable[[Any], AnyProvider]
    backend: Callable[[], Any]
    not_run: frozenset[str]

    def suite(self, *, deadline: float | None = None) -> ProviderSuite:
        return contract.provider(self.make, backend=self.backend, deadline=deadline)


def responses(server: ModelServer, **options: Any) -> OpenAIProvider:  # noqa: ANN401 - its own options
    return OpenAIProvider(api_key="test", model="m", base_url=server.base_url, **options)


def messages(server: ModelServer, **options: Any) -> AnthropicProvider:  # noqa: ANN401 - as above
    return AnthropicProvider(api_key="test", model="m", base_url=server.root_url, **options)


def chat(server: ModelServer) -> OpenAIProvider:
    return responses(server, api="chat")


def fallback(server: ModelServer) -> FallbackProvider:
    return FallbackProvider([chat(server), messages(server)])


GARBLED = frozenset({"failure-garbled"})

SUBJECTS = {
    "openai-responses": Subject(responses, ModelServer, GARBLED),
    "openai-chat": Subject(chat, ModelServer, GARBLED),
    "anthropic": Subject(messages, ModelServer, GARBLED),
    "fallback": Subject(fallback, ModelServer, GARBLED),
    "codex-exec": Subject(lambda codex: CodexCLIProvider(codex.executable), FakeCodex, frozenset()),
    "codex-app-server": Subject(
        lambda codex: CodexAppServerProvider(codex.executable),
        FakeCodex,
        frozenset({"answer-alone"}),
    ),
    "scripted": Subject(
        lambda backend: backend.provider, ScriptedBackend, GARBLED | {"answer-alone", "failure-empty"}
    ),
}

WITH_DEADLINE: dict[str, Callable[[Any, float], AnyProvider]] = {
    "openai-responses": lambda server, seconds: responses(server, timeout=seconds),
    "openai-chat": lambda server, seconds: responses(server, api="chat", timeout=seconds),
    "anthropic": lambda server, seconds: messages(server, timeout=seconds),
    "codex-exec": lambda codex, seconds: CodexCLIProvider(codex.executable, timeout=seconds),
    "codex-app-server": lambda codex, seconds: CodexAppServerProvider(codex.executable, timeout=seconds),
}
