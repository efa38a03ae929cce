"""Why the questions to the model and the steps of ``agent:`` do not match."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from yemot_ai.errors import CodexNotFoundError, ProviderError
from yemot_ai.providers import (
    AnthropicProvider,
    CodexAppServerProvider,
    CodexCLIProvider,
    FallbackProvider,
    OpenAIProvider,
)
from yemot_ai_testing.doubles.steps import STEP_SYNTAX, Calls, Step
from yemot_ai_testing.scenario.format.dump import step_text
from yemot_ai_testing.scenario.format.model import ScenarioTurn
from yemot_ai_testing.scenario.play.leftovers import ModelDouble, model_call_count
from yemot_ai_testing.scenario.play.result import Mismatch
from yemot_ai_testing.scenario.play.tools.runs import unknown_tool

__all__ = ["ScriptCheck", "script_messages", "unknown_calls", "unreached_providers", "with_step_text"]

STEP_TYPES: Final = tuple(syntax.step for syntax in STEP_SYNTAX)

ANOTHER_PROVIDER: Final = "tools=[…] and a provider that calls them, such as provider=OpenAIProvider()"

SERVICE_STEP: Final = "-service"
"""How the name of a step ends that a fake Codex cannot do."""


@dataclass(frozen=True, slots=True)
class ScriptCheck:
    """Whether the script is why a turn failed.

    Attributes:
        turn: the turn.
        app: the application.
        double: the model's double; None if the model is not scripted.
        unscripted: the number of questions without a step before the turn.
        asked: the number of questions before the turn.
    """

    turn: ScenarioTurn
    app: object
    double: ModelDouble | None
    unscripted: int
    asked: int

    @classmethod
    def start(cls, turn: ScenarioTurn, app: object, double: ModelDouble | None) -> ScriptCheck:
        """Return the check of a turn that begins now."""
        return cls(turn, app, double, len(_unscripted_prompts(double)), model_call_count(double))

    def mismatches(self) -> Iterator[Mismatch]:
        """Yield the differences between the questions and the steps that explain why the turn failed."""
        unscripted = dict.fromkeys(_unscripted_prompts(self.double)[self.unscripted :])
        if unscripted:
            yield from (Mismatch("script", text) for text in misplaced_steps(self.double))
        for prompt in unscripted:
            yield Mismatch("script", f"the model was asked {prompt!r}, {self._missing_step}")
        if self.turn.agent and model_call_count(self.double) == self.asked:
            yield from (Mismatch("script", text) for text in unreached_providers(self.app, self.double))

    @property
    def _missing_step(self) -> str:
        if self.turn.agent and isinstance(self.turn.agent[-1], Calls):
            return "with the result of its call, but agent: has no step for it, such as then: {answers: …}"
        if self.turn.agent:
            return (
                "but agent: has no step left for it (a transient failure is asked again: it takes two steps; "
                "crash, malformed and busy_session are for Codex)"
            )
        return "but this turn has no agent:, such as agent: {answers: …}"


def _unscripted_prompts(double: ModelDouble | None) -> tuple[str, ...]:
    try:
        if double is not None:
            double.assert_complete()
    except AssertionError as error:
        prompts: tuple[str, ...] = getattr(error, "unscripted", ())
        return prompts
    return ()


def unreached_providers(app: object, double: object) -> Iterator[str]:
    """Yield, for each provider of ``app`` that no step of ``double`` reaches, why, and what to do."""
    provider = getattr(getattr(app, "ai", None), "provider", None)
    if provider is None or provider is double:
        return
    for each in provider.providers if isinstance(provider, FallbackProvider) else (provider,):
        match each:
            case CodexCLIProvider() | CodexAppServerProvider():
                yield from _other_codex(each)
            case OpenAIProvider() | AnthropicProvider():
                yield from _other_address(each)
            case _:
                yield (
                    f"agent: does not reach {each.name!r}, a provider of your own: let the application use a "
                    "ScriptedProvider() in the test"
                )


def _other_codex(provider: CodexCLIProvider | CodexAppServerProvider) -> Iterator[str]:
    double = shutil.which("codex")
    try:
        if provider.check() == Path(double or ""):
            return
    except CodexNotFoundError:
        pass  # a path at which nothing is
    except ProviderError:
        return
    yield (
        f"agent: does not reach {provider.name!r}, whose executable is not the first codex on PATH: leave "
        "the path out, or let the test choose it"
    )


def _other_address(provider: OpenAIProvider | AnthropicProvider) -> Iterator[str]:
    variable = f"{provider.name.upper()}_BASE_URL"
    if provider.base_url == os.environ.get(variable):
        return
    if provider.base_url is None:
        yield f"agent: does not reach {provider.name!r}: it was made before the scenarios, without {variable}"
        return
    address = urlsplit(provider.base_url).netloc.rpartition("@")[2]
    yield (
        f"agent: does not reach {provider.name!r} at {address}: write "
        f'base_url=os.environ.get("{variable}", "…"), which a test replaces'
    )


def unknown_calls(turn: ScenarioTurn, known: Sequence[str] | None) -> Iterator[Mismatch]:
    """Yield the steps of a turn that call a tool which the application does not have.

    Args:
        turn: the turn.
        known: the tools of the application; None if they are not known.
    """
    names = (name for step in turn.agent if isinstance(step, Calls) for name, _ in step.calls)
    hint = "" if known else f": declare it with {ANOTHER_PROVIDER}"
    for problem in filter(None, (unknown_tool(name, known) for name in names)):
        yield Mismatch("script", f"agent: calls {problem}{hint}")


def misplaced_steps(double: object) -> Iterator[str]:
    """Yield that a Codex has taken a step of ``double`` which only a model service can do."""
    requests = getattr(double, "requests", ())
    if any(getattr(request, "step", "").endswith(SERVICE_STEP) for request in requests):
        yield (
            "agent: calls and transcribes are steps of a model service, and Codex was asked here; tools are "
            f"called by an agent with {ANOTHER_PROVIDER}"
        )


def script_messages(error: AssertionError, app: object, double: object) -> tuple[str, ...]:
    """Return the lines of a script mismatch, with its steps as a scenario file writes them."""
    text, unused = str(error), getattr(error, "unused", ())
    for step in unused:
        if isinstance(step, STEP_TYPES):
            text = with_step_text(text, step)
    hints = unreached_providers(app, double) if unused else ()
    return (*misplaced_steps(double), *hints, *text.splitlines())


def with_step_text(text: str, step: Step) -> str:
    """Return ``text`` with ``step`` as a scenario file writes it."""
    return text.replace(repr(step), step_text(step))
