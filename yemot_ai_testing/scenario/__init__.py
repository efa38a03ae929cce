"""Scenarios as values: load, write and play ``*.call.yaml``.

>>> from yemot_ai_testing.scenario import loads
>>> from pathlib import Path
>>> text = "scenarios: [{name: menu, turns: [{hears: שלום}]}]"
>>> loads(text, Path("menu.call.yaml")).scenarios[0].name
'menu'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yemot_ai_testing.scenario.format.dump import dumps
    from yemot_ai_testing.scenario.format.load import load, loads
    from yemot_ai_testing.scenario.format.model import CallFile, Scenario
    from yemot_ai_testing.scenario.play.outcome import CallOutcome
    from yemot_ai_testing.scenario.play.result import ScenarioResult
    from yemot_ai_testing.scenario.play.runner import play_scenario
    from yemot_ai_testing.scenario.play.target import PlayTarget
    from yemot_ai_testing.scenario.play.tools.runs import ToolRun, ToolRuns
    from yemot_ai_testing.scenario.report.call_record import render_result

__all__ = [
    "CallFile",
    "CallOutcome",
    "PlayTarget",
    "Scenario",
    "ScenarioResult",
    "ToolRun",
    "ToolRuns",
    "dumps",
    "load",
    "loads",
    "play_scenario",
    "render_result",
]

_MODULES = {
    "CallFile": "format.model",
    "CallOutcome": "play.outcome",
    "PlayTarget": "play.target",
    "Scenario": "format.model",
    "ScenarioResult": "play.result",
    "ToolRun": "play.tools.runs",
    "ToolRuns": "play.tools.runs",
    "dumps": "format.dump",
    "load": "format.load",
    "loads": "format.load",
    "play_scenario": "play.runner",
    "render_result": "report.call_record",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: the pytest plugin loads this package in every run."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
