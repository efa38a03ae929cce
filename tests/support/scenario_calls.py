"""Plays the turns of a scenario file against an application in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import dedent, indent
from typing import Final, TypeAlias

from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.play.leftovers import ModelDouble
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import PlayTarget

Pairs = Sequence[tuple[str, str]]
PlayModule: TypeAlias = Callable[[str, str], list[ScenarioResult]]

KEYS: Final = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")
"""The variables of the environment that lead to a model service."""


def play_turns(
    turns: str, app: object, *, double: ModelDouble | None = None, suffix: str = ""
) -> ScenarioResult:
    """Play one call.

    Args:
        turns: the YAML of its turns.
        app: the application.
        double: the model's double.
        suffix: further lines of the scenario, indented by four spaces.
    """
    text = f"scenarios:\n  - name: בדיקה\n    turns:\n{indent(dedent(turns).strip(), ' ' * 6)}\n{suffix}"
    (scenario,) = loads(text, Path("x.call.yaml")).scenarios
    return play_scenario(scenario, PlayTarget(app, double, grace=0.2))


def failure_of(result: ScenarioResult) -> tuple[str, tuple[str, ...]]:
    """Return the kind and the messages of a failure."""
    assert result.failure is not None
    return result.failure.kind, result.failure.messages


def answering(*responses: str) -> Callable[[Pairs], str]:
    """Return an application that gives ``responses`` in turn, and keeps giving the last one."""
    pending = list(responses)

    def app(pairs: Pairs) -> str:
        if ("hangup", "yes") in pairs:
            return "noop=bye"
        return pending.pop(0) if len(pending) > 1 else pending[0]

    return app
