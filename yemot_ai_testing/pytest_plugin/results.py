"""Collects the calls of a run, also from xdist's workers."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from yemot_ai_testing.pytest_plugin.scenario_items import CALL_RECORD_KEY, ScenarioItem
from yemot_ai_testing.scenario.report.call_record import CallRecord

__all__ = ["CallResults"]

REPORT_ATTRIBUTE = "yemot_record"
"""The attribute of a test report that carries the record of a call from the worker."""


class CallResults:
    """The plugin that collects the record of each scenario."""

    def __init__(self) -> None:
        self._calls: dict[str, CallRecord] = {}

    @property
    def calls(self) -> list[CallRecord]:
        """The calls in the order of the scenario files, not in that of the run."""
        return sorted(self._calls.values(), key=lambda call: (call.path, call.line, call.name))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the record of the call to its report."""
        report = yield
        if report.when == "call" and isinstance(item, ScenarioItem):
            record = item.stash.get(CALL_RECORD_KEY, None) or CallRecord.from_scenario(
                item.scenario, "error", report.longreprtext.splitlines(), replay=item.replay_command
            )
            setattr(report, REPORT_ATTRIBUTE, record.dumps())
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Store the record of a call, from this process or from a worker."""
        record = getattr(report, REPORT_ATTRIBUTE, None)
        if record is not None:
            self._calls[report.nodeid] = CallRecord.loads(record)
        elif report.failed:
            self._calls.setdefault(report.nodeid, _unloadable_record(report.nodeid, report.longreprtext))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Store an error record for a file that could not be loaded."""
        if report.failed:
            self._calls[report.nodeid] = _unloadable_record(report.nodeid, report.longreprtext)


def _unloadable_record(nodeid: str, report: str) -> CallRecord:
    """Return the record of a file that could not be loaded, or of a worker that crashed."""
    path, _, name = nodeid.partition("::")
    return CallRecord(
        name=name or Path(path).name, path=path, line=0, state="error", messages=tuple(report.splitlines())
    )
