"""The pytest items of a run that makes calls instead of running the tests of the project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.mutation.calls.exploration import explore
from yemot_ai_testing.mutation.calls.plans import PLANS, Plan
from yemot_ai_testing.pytest_plugin.options import run_settings
from yemot_ai_testing.pytest_plugin.scenarios.items import ScenarioFile
from yemot_ai_testing.scenario.format.dump import dumps

__all__ = ["ExplorationItem", "exploration_items", "scenario_items"]


class ExplorationItem(pytest.Item):
    """Makes the calls of one plan.

    Attributes:
        plan: the plan.
        target: the application, ``module:attr``.
        path_prefix: the beginning of the paths of the scenario files.
    """

    plan: Plan
    target: str
    path_prefix: str

    def runtest(self) -> None:
        """Write the calls as scenario files; none if they cannot be made."""
        try:
            for form, file in enumerate(explore(self.plan, self.target, run_settings(self.config))):
                Path(f"{self.path_prefix}-{form}.call.yaml").write_text(dumps(file), encoding="utf-8")
        except ToolkitError as error:
            self.add_report_section("call", "exploration", str(error))


def exploration_items(session: pytest.Session, target: str, folder: Path) -> Iterator[pytest.Item]:
    """Yield an item for each plan."""
    for number, plan in enumerate(PLANS):
        item: ExplorationItem = ExplorationItem.from_parent(session, name=plan.name)
        item.plan = _with_own_number(plan, number)
        item.target, item.path_prefix = target, str(folder / f"{number:02}")
        yield item


def _with_own_number(plan: Plan, number: int) -> Plan:
    """Return the plan with another caller than all others, unless the number is withheld."""
    if not plan.caller.phone:
        return plan
    return replace(plan, caller=replace(plan.caller, phone=f"05012345{number:02}"))


def scenario_items(session: pytest.Session, folder: Path) -> Iterator[pytest.Item]:
    """Yield the scenarios of the files in a folder."""
    for path in sorted(folder.glob("*.call.yaml")):
        file: ScenarioFile = ScenarioFile.from_parent(session, path=path, nodeid=path.name)
        yield from file.collect()
