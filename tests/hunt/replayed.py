"""Play what a hunt has found."""

from __future__ import annotations

from pathlib import Path

from yemot_ai_testing.scenario.format.load import load
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import RunSettings, open_target

__all__ = ["failures"]


def failures(path: Path) -> list[str]:
    """Play the scenarios of a file; return why calls fail."""
    results = []
    for scenario in load(path).scenarios:
        with open_target(RunSettings(), scenario.app) as target:
            results.append(play_scenario(scenario, target))
    return [str(result.failure) for result in results if result.failure is not None]
