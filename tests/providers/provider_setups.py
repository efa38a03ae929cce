"""A provider of each kind with its double, behind one interface."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from yemot_ai._runtime.engine import Engine
from yemot_ai.providers import (
    AnthropicProvider,
    CodexAppServerProvider,
    CodexCLIProvider,
    FallbackProvider,
    OpenAIProvider,
    Provider,
)
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.sandbox import CodexRun
from yemot_ai_testing.doubles.model_service.request import ModelRequest
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider, ScriptedRequest
from yemot_ai_testing.doubles.steps import FailureKind, UnknownSession

Double: TypeAlias = FakeCodex | ModelServer | ScriptedProvider


@dataclass(frozen=True)
class ProviderSetup:
    """A provider and its double.

    Attributes:
        provider_count: the number of providers that a failing prompt is sent to.
    """

    provider: Provider
    double: Double
    provider_count: int = 1

    @property
    def requests(self) -> list[ModelRequest] | list[CodexRun] | list[ScriptedRequest]:
        return self.double.requests

    def answer_empty(self) -> None:
        for _ in range(self.provider_count):
            self.double.answers("")

    def fail(self, kind: FailureKind) -> None:
        for _ in range(self.provider_count):
            self.double.fails(kind)

    def lose_session(self) -> None:
        """Script an unknown session for the next turn; the other doubles find out themselves."""
        if isinstance(self.double, ScriptedProvider):
            self.double.add(UnknownSession())

    def caller_text(self, number: int = -1) -> str:
        """Return the whole text of the caller that the model got with one request."""
        request = self.requests[number]
        if isinstance(request, ModelRequest):
            return "\n".join(request.user_messages)
        if isinstance(request, ScriptedRequest):
            return "\n".join([*(earlier.prompt for earlier in request.history), request.prompt])
        return request.prompt

    def has_context(self, text: str, number: int = -1) -> bool:
        """Return whether the model had this text: in the request, or in a thread that it continues."""
        return self.requests[number].session is not None or text in self.caller_text(number)

    def wait_idle(self) -> None:
        """Block until no turn is running."""
        if isinstance(self.double, ModelServer):
            self.double.wait_idle()
            return
        double = self.double
        alive = _alive(double, self.provider)
        ends = time.monotonic() + 10.0
        while alive():
            if time.monotonic() > ends:
                raise TimeoutError("a turn is still running")
            threading.Event().wait(0.01)


def _alive(double: FakeCodex | ScriptedProvider, provider: Provider) -> Callable[[], int]:
    if isinstance(double, ScriptedProvider):
        return lambda: double.running
    # A server keeps running after its turns.
    return double.turns_alive if isinstance(provider, CodexAppServerProvider) else double.processes_alive


@contextlib.contextmanager
def with_model_server(make: Callable[[ModelServer], Provider], entries: int = 1) -> Iterator[ProviderSetup]:
    with ModelServer() as model:
        yield ProviderSetup(make(model), model, entries)


def responses(model: ModelServer) -> Provider:
    return OpenAIProvider(api_key="test", model="m", base_url=model.base_url)


def unstored(model: ModelServer) -> Provider:
    return OpenAIProvider(api_key="test", model="m", base_url=model.base_url, store=False)


def chat(model: ModelServer) -> Provider:
    return OpenAIProvider(api_key="test", model="m", base_url=model.base_url, api="chat")


def messages(model: ModelServer) -> Provider:
    return AnthropicProvider(api_key="test", model="m", base_url=model.root_url)


def fallback(model: ModelServer) -> Provider:
    return FallbackProvider([chat(model), messages(model)])


@contextlib.contextmanager
def codex_exec() -> Iterator[ProviderSetup]:
    with FakeCodex() as fake:
        yield ProviderSetup(CodexCLIProvider(), fake)


@contextlib.contextmanager
def codex_server() -> Iterator[ProviderSetup]:
    with FakeCodex() as fake:
        yield ProviderSetup(CodexAppServerProvider(), fake)


@contextlib.contextmanager
def scripted() -> Iterator[ProviderSetup]:
    provider = ScriptedProvider(engine=Engine.shared())
    yield ProviderSetup(provider, provider)


PROVIDER_SETUPS: dict[str, Callable[[], contextlib.AbstractContextManager[ProviderSetup]]] = {
    "openai-responses": lambda: with_model_server(responses),
    "openai-unstored": lambda: with_model_server(unstored),
    "openai-chat": lambda: with_model_server(chat),
    "anthropic": lambda: with_model_server(messages),
    "codex": codex_exec,
    "codex_exec-app-server": codex_server,
    "fallback": lambda: with_model_server(fallback, 2),
    "scripted": scripted,
}
