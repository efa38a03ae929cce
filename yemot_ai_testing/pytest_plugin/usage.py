"""Checks that the options of a run fit together."""

from __future__ import annotations

from typing import Final

import pytest

from yemot_ai_testing.pytest_plugin.option_table import SCENARIO_SUFFIX
from yemot_ai_testing.pytest_plugin.options import line_options, repeat_count, runs_scenarios
from yemot_ai_testing.pytest_plugin.report_options import baseline_path, coverage_floor, github_report

__all__ = ["check_usage"]

_ONLY_SCENARIOS: Final[dict[str, tuple[str, object]]] = {
    "update": ("rewrites", False),
    "repeat": ("repeats", 1),
    "baseline": ("measures", None),
}
"""The options without a meaning in a run of Python tests only: what they do with scenarios, the default."""


def check_usage(config: pytest.Config) -> None:
    """Check names of options, settings of the line, and that options of scenarios are used with them.

    Raises:
        pytest.UsageError: one of them is not.
    """
    used = config.getoption("yemot_guard", default=None)
    if used is not None:
        prefix = "--" if used else "--no-"
        raise pytest.UsageError(f"{prefix}yemot-guard is now {prefix}yemot-block-network")
    if config.getini("yemot_guard") is not None:
        raise pytest.UsageError("the ini key yemot_guard is now yemot_block_network")
    line_options(config)
    github_report(config)
    coverage_floor(config)
    if config.getoption("yemot_baseline_update") and baseline_path(config) is None:
        raise pytest.UsageError("--yemot-baseline-update writes the file of --yemot-baseline: add it")
    if config.getoption("yemot_update") and repeat_count(config) > 1:
        raise pytest.UsageError("--yemot-update plays each call once: leave out --yemot-repeat")
    if runs_scenarios(config):
        return
    for name, (purpose, default) in _ONLY_SCENARIOS.items():
        if config.getoption(f"yemot_{name}") != default:
            raise pytest.UsageError(
                f"--yemot-{name} {purpose} scenarios: add --yemot-scenario, or --yemot-also"
            )
    for path in (arg for arg in config.args if arg.partition("::")[0].endswith(SCENARIO_SUFFIX)):
        raise pytest.UsageError(f"{path} is a scenario file: add --yemot-scenario")
