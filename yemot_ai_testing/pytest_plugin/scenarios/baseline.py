"""Fails calls that are slower than in an earlier run (``--yemot-baseline FILE``).

Each process reads the file at its start; the one that reports the run writes it at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from yemot_ai_testing.pytest_plugin.report_options import baseline_path
from yemot_ai_testing.pytest_plugin.reports.call_log import CallLog, log_of_run
from yemot_ai_testing.pytest_plugin.reports.report_file import write_at_end
from yemot_ai_testing.scenario.play.result import ScenarioFailure, ScenarioResult
from yemot_ai_testing.scenario.report.baseline import (
    BaselineError,
    CallTimes,
    load_baseline,
    slower_turns,
    write_baseline,
)

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["BaselinePlugin", "baseline_of_run"]

UPDATE_HINT = "if that is intended: --yemot-baseline-update"


class BaselinePlugin:
    """The plugin of a run that compares the times of its calls.

    Args:
        path: the file.
        before: its times, by node id.
        log: the calls of the run.
        is_update: whether the times of this run replace those of the file.
    """

    def __init__(self, path: Path, before: Mapping[str, CallTimes], log: CallLog, *, is_update: bool) -> None:
        self._path = path
        self._before = before
        self._log = log
        self._is_update = is_update
        self._written = 0
        self._problem = ""

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run.

        Raises:
            pytest.UsageError: the file cannot be used.
        """
        path = baseline_path(config)
        assert path is not None  # noqa: S101 - else there is no such plugin
        try:
            before = load_baseline(path)
        except BaselineError as error:
            raise pytest.UsageError(f"--yemot-baseline: {error}") from error
        return cls(path, before, log_of_run(config), is_update=config.getoption("yemot_baseline_update"))

    def check(self, result: ScenarioResult, node_id: str, *, is_virtual: bool) -> ScenarioResult:
        """Return ``result``, with a failure if the call is slower than before; unchanged if it has failed."""
        before = self._before.get(node_id)
        if before is None or self._is_update or result.failure is not None or result.fake_only is not None:
            return result
        played = [turn for turn in result.turns if turn.status != "not_run"]
        now = CallTimes.from_turns(played, is_virtual=is_virtual)
        slower = list(slower_turns(before, now))
        if not slower:
            return result
        number = slower[0][0]
        messages = tuple(f"turn {turn}: {text}" for turn, text in slower)
        location = result.turns[number - 1].turn.location
        failure = ScenarioFailure("dead_air", location, (*messages[:2], UPDATE_HINT), number)
        return replace(result, failure=failure)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file: calls that it lacks, or all of this run if that is asked for."""
        if hasattr(session.config, "workerinput") or session.config.option.collectonly:
            return
        new = {
            node_id: CallTimes.from_turns(call.played, is_virtual=call.is_virtual)
            for node_id, call in self._log.by_node_id.items()
            if call.state == "passed" and not call.is_test
        }
        changed = {node_id: times for node_id, times in new.items() if self._is_to_write(node_id, times)}
        if changed:
            self._problem = write_at_end(
                session, "--yemot-baseline", lambda: write_baseline(self._path, {**self._before, **changed})
            )
        self._written = len(changed)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print that the file was written."""
        if self._problem:
            terminalreporter.line(self._problem, red=True)
        elif self._written and terminalreporter.config.get_verbosity() >= 0:
            calls = "1 call" if self._written == 1 else f"{self._written} calls"
            terminalreporter.line(f"the times of {calls} were written to {self._path}")

    def _is_to_write(self, node_id: str, times: CallTimes) -> bool:
        """Whether a call is new, has other turns or another clock than before, or all are to be written."""
        before = self._before.get(node_id)
        if before is None or self._is_update:
            return before != times
        return before.is_virtual != times.is_virtual or len(before.turns) != len(times.turns)


def baseline_of_run(config: pytest.Config) -> BaselinePlugin | None:
    """Return the plugin of a run; None if it compares no times."""
    plugin: BaselinePlugin | None = config.pluginmanager.get_plugin("yemot_baseline")
    return plugin
