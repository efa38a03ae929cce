"""A provider of each kind before the double that it asks, all with one face."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from yemot_ai.providers import (
    AnthropicProvider,
    CodexAppServerProvider,
    CodexCLIProvider,
    FallbackProvider,
    OpenAIProvider,
    Provider,
)
from yemot_ai.runtime.engine import Engine
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.sandbox import CodexRun
from yemot_ai_testing.doubles.model_service.request import ModelRequest
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.script import FailureKind, UnknownSession
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider, ScriptedRequest

Double: TypeAlias = FakeCodex | ModelServer | ScriptedProvider


@dataclass(frozen=True)
class Stage:
    """A provider and its double.

    Attributes:
        entries: how many providers are asked before a question has failed.
    """

    provider: Provider
    double: Double
    entries: int = 1

    @property
    def requests(self) -> list[ModelRequest] | list[CodexRun] | list[ScriptedRequest]:
        return self.double.requests

    def says_nothing(self) -> None:
        for _ in range(self.entries):
            self.double.answers("")

    def refuses(self, kind: FailureKind) -> None:
        for _ in range(self.entries):
            self.double.fails(kind)

    def is_lost_with(self) -> None:
        """Let the next question find its session unknown; a real one knows by itself."""
        if isinstance(self.double, ScriptedProvider):
            self.double.add(UnknownSession())

    def told(self, number: int = -1) -> str:
        """All words of the caller that the model was sent with one question."""
        request = self.requests[number]
        if isinstance(request, ModelRequest):
            return "\n".join(request.user_messages)
        if isinstance(request, ScriptedRequest):
            return "\n".join([*(earlier.prompt for earlier in request.history), request.prompt])
        return request.prompt

    def knows(self, words: str, number: int = -1) -> bool:
        """Whether the model had the words before it: sent along, or in a thread that it goes on with."""
        return self.requests[number].session is not None or words in self.told(number)

    def wait_idle(self) -> None:
        """Block until nothing of any question is under way."""
        if isinstance(self.double, ModelServer):
            self.double.wait_idle()
            return
        double = self.double
        alive = _alive(double, self.provider)
        ends = time.monotonic() + 10.0
        while alive():
            if time.monotonic() > ends:
                raise TimeoutError("something is still under way")
            threading.Event().wait(0.01)


def _alive(double: FakeCodex | ScriptedProvider, provider: Provider) -> Callable[[], int]:
    if isinstance(double, ScriptedProvider):
        return lambda: double.running
    # A server stays when its turns are over.
    return double.turns_alive if isinstance(provider, CodexAppServerProvider) else double.processes_alive


@contextlib.contextmanager
def served(make: Callable[[ModelServer], Provider], entries: int = 1) -> Iterator[Stage]:
    with ModelServer() as model:
        yield Stage(make(model), model, entries)


def responses(model: ModelServer) -> Provider:
    return OpenAIProvider(api_key="test", model="m", base_url=model.base_url)


def kept(model: ModelServer) -> Provider:
    return OpenAIProvider(api_key="test", model="m", base_url=model.base_url, store=False)


def chat(model: ModelServer) -> Provider:
    return OpenAIProvider(api_key="test", model="m", base_url=model.base_url, api="chat")


def messages(model: ModelServer) -> Provider:
    return AnthropicProvider(api_key="test", model="m", base_url=model.root_url)


def fallback(model: ModelServer) -> Provider:
    return FallbackProvider([chat(model), messages(model)])


@contextlib.contextmanager
def codex() -> Iterator[Stage]:
    with FakeCodex() as fake:
        yield Stage(CodexCLIProvider(), fake)


@contextlib.contextmanager
def codex_server() -> Iterator[Stage]:
    with FakeCodex() as fake:
        yield Stage(CodexAppServerProvider(), fake)


@contextlib.contextmanager
def scripted() -> Iterator[Stage]:
    provider = ScriptedProvider(engine=Engine.shared())
    yield Stage(provider, provider)


STAGES: dict[str, Callable[[], contextlib.AbstractContextManager[Stage]]] = {
    "openai-responses": lambda: served(responses),
    "openai-kept": lambda: served(kept),
    "openai-chat": lambda: served(chat),
    "anthropic": lambda: served(messages),
    "codex": codex,
    "codex-app-server": codex_server,
    "fallback": lambda: served(fallback, 2),
    "scripted": scripted,
}
