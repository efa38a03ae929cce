"""One double for all models that an application may ask: Codex, OpenAI and Anthropic share a script.

Codex is found on ``PATH``, the services by the variables of the environment that their SDKs read.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Final

from yemot_ai import YemotAI
from yemot_ai.errors import ProviderError
from yemot_ai.providers import AnthropicProvider, FallbackProvider, OpenAIProvider, Provider
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.real import RealCodex
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.script import RecordedRequest, Script, ScriptMismatchError
from yemot_ai_testing.doubles.steps import PROCESS_STEPS, Step
from yemot_ai_testing.isolation.audit_hook import active_guard
from yemot_ai_testing.isolation.guard import IsolationGuard
from yemot_ai_testing.processes.environment import set_variables

__all__ = [
    "CombinedDouble",
    "open_double",
    "service_environment",
    "service_variables",
    "warm_up_services",
]

HOSTS: Final = {"OPENAI": "api.openai.com", "ANTHROPIC": "api.anthropic.com"}
"""The host of each service, by the prefix of its variables."""


class CombinedDouble:
    """A Codex and a model service as one double with one script.

    Args:
        codex: the Codex on the application's ``PATH``.
        model: the model service of its environment.
    """

    def __init__(self, codex: FakeCodex | RealCodex, model: ModelServer) -> None:
        self._codex = codex
        self._model = model

    @property
    def requests(self) -> list[RecordedRequest]:
        """The model calls so far, of Codex and over HTTP."""
        return [*self._codex.requests, *self._model.requests]

    def add(self, step: Step) -> None:
        """Append a step, for the next model call of either."""
        self._codex.add_shared(step)

    def processes_alive(self) -> int:
        """Return the number of running Codex processes."""
        return self._codex.processes_alive()

    def assert_complete(self) -> None:
        """Check that the model calls match the script.

        Raises:
            ScriptMismatchError: if they do not.
        """
        if isinstance(self._codex, RealCodex):
            self._codex.assert_complete()  # its script has the calls over HTTP too
            return
        found = [error for double in (self._codex, self._model) if (error := _mismatch(double)) is not None]
        if found:
            raise ScriptMismatchError(
                unscripted=[prompt for error in found for prompt in error.unscripted],
                unused=[step for error in found for step in error.unused],
                prompts=[request.prompt for request in self.requests],
                refused=[request for error in found for request in error.refused],
            )


def _mismatch(double: FakeCodex | ModelServer) -> ScriptMismatchError | None:
    try:
        double.assert_complete()
    except ScriptMismatchError as error:
        return error
    return None


class _SharedScript(Script):
    """The script of a fake Codex, for the model service of the same application."""

    __slots__ = ("_codex",)

    def __init__(self, codex: FakeCodex) -> None:
        super().__init__()
        self._codex = codex

    def take(self, prompt: str) -> Step | None:
        """Return the step for one call; steps that only a process can do count as unscripted."""
        step = self._codex.take()
        if isinstance(step, PROCESS_STEPS):
            self.record_unscripted(prompt)
            return None
        if step is not None:
            self.add(step)
        return super().take(prompt)


def open_double(codex: FakeCodex | RealCodex, model: ModelServer) -> CombinedDouble:
    """Return the double of a call: ``model`` forgets its requests and takes the steps of ``codex``."""
    model.requests.clear()
    model.script = codex.model.script if isinstance(codex, RealCodex) else _SharedScript(codex)
    return CombinedDouble(codex, model)


@contextmanager
def service_environment() -> Iterator[ModelServer]:
    """Set the variables by which this process finds a model service on this machine, in this context.

    The service is always the same one, because an imported module keeps its address. A host that the run
    is allowed to reach is not replaced (``--yemot-allow=api.openai.com``).
    """
    model = _model_of_process()
    guard = active_guard()
    allowed = guard.allowed if isinstance(guard, IsolationGuard) else frozenset()
    before = set_variables(service_variables(model, allowed))
    try:
        yield model
    finally:
        set_variables(before)


def service_variables(model: ModelServer, allowed: frozenset[str] = frozenset()) -> Mapping[str, str]:
    """Return the variables by which an application finds ``model``, and the first ``codex`` on ``PATH``.

    The keys are valid nowhere else.

    Args:
        model: the service.
        allowed: hosts that are reached themselves.
    """
    urls = {"OPENAI": model.base_url, "ANTHROPIC": model.root_url}
    services = {
        variable: value
        for service, url in urls.items()
        if not {HOSTS[service], f"{HOSTS[service]}:443"} & allowed
        for variable, value in {f"{service}_BASE_URL": url, f"{service}_API_KEY": "none"}.items()
    }
    return {**services, "YEMOT_AI_CODEX": "codex"}


def warm_up_services(app: object) -> None:
    """Let the providers of an application import their SDKs before a call, whose first answer would wait.

    That takes a second once in a process, and on a busy machine so long that the caller hears the filler. No
    process is started, and no service is asked. What fails is left to the call, which shows it.
    """
    ai = getattr(app, "ai", None)
    if not isinstance(ai, YemotAI):
        return
    for provider in _services(ai._runtime.providers):  # noqa: SLF001 - the same project
        with suppress(ProviderError):
            ai.engine.run(provider.warm_up())


def _services(providers: Iterable[Provider]) -> Iterator[OpenAIProvider | AnthropicProvider]:
    for provider in providers:
        if isinstance(provider, FallbackProvider):
            yield from _services(provider.providers)
        if isinstance(provider, OpenAIProvider | AnthropicProvider):
            yield provider


@cache
def _model_of_process() -> ModelServer:
    # An imported application is never closed, so its client may keep no connection.
    model = ModelServer(keep_alive=False)
    atexit.register(model.close)
    return model
