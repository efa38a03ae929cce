"""Prints what the calls of a run reached (``--yemot-coverage``), and fails a run that reached too little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pytest

from yemot_ai_testing.pytest_plugin.options import runs_scenarios
from yemot_ai_testing.pytest_plugin.report_options import coverage_floor, shows_coverage
from yemot_ai_testing.pytest_plugin.reports.call_log import CallLog, log_of_run
from yemot_ai_testing.scenario.report.reached import ReachedTarget, reached_targets
from yemot_ai_testing.scenario.report.reached_text import reached_line, reached_table

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["ReachedPlugin"]


class ReachedPlugin:
    """The plugin that reports what the calls reached.

    Args:
        config: the run.
        log: its calls.
        floor: the least percentage of each application that they must reach; None without one.
    """

    def __init__(self, config: pytest.Config, log: CallLog, floor: float | None) -> None:
        self._log = log
        self._floor = floor
        self._shows_table = shows_coverage(config)
        self._shows_lines = runs_scenarios(config)

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run."""
        return cls(config, log_of_run(config), coverage_floor(config))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that otherwise passed, if its calls reached too little."""
        is_worker = hasattr(session.config, "workerinput")
        if self._below_floor and not is_worker and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print a table, or a line, for each application."""
        is_quiet = terminalreporter.config.get_verbosity() < 0
        if self._shows_table or (self._shows_lines and not is_quiet):
            terminalreporter.line("")
            for target in reached_targets(self._log.calls):
                for line in reached_table(target) if self._shows_table else [reached_line(target)]:
                    terminalreporter.line(line)
        for target in self._below_floor:
            text = f"{target.called}: {target.percent:.0f} % reached, at least {self._floor:g} % required"
            terminalreporter.line(f"--yemot-coverage-min: {text}", red=True)

    @property
    def _below_floor(self) -> list[ReachedTarget]:
        floor = self._floor
        targets = [] if floor is None else reached_targets(self._log.calls)
        return [target for target in targets if floor is not None and target.percent < floor]
