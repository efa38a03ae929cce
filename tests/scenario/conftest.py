from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.support.scenario_calls import KEYS, PlayModule
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import RunSettings, open_target

MODULE = "line_of_test"


@pytest.fixture
def play_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayModule]:
    """Play scenarios against ``flow`` of a module, which is imported once; there is no key."""
    monkeypatch.chdir(tmp_path)
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)

    def play(module: str, scenarios: str) -> list[ScenarioResult]:
        (tmp_path / f"{MODULE}.py").write_text(module, encoding="utf-8")
        text = f"app: {MODULE}:flow\nscenarios:\n{indent(dedent(scenarios).strip(), '  ')}\n"
        results = []
        for scenario in loads(text, Path("x.call.yaml")).scenarios:
            with open_target(RunSettings(), scenario.app) as target:
                results.append(play_scenario(scenario, target))
        return results

    yield play
    sys.modules.pop(MODULE, None)
