"""Collects the calls of a run, of scenarios and of ``yemot_caller``, also those of xdist's workers."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

import pytest

from yemot_ai_testing.pytest_plugin.option_table import SCENARIO_SUFFIX
from yemot_ai_testing.pytest_plugin.replay import replay_test
from yemot_ai_testing.pytest_plugin.reports.failed_call import FailedCallRepr
from yemot_ai_testing.scenario.report.call_record import CallRecord

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr

    from yemot_ai_testing.line.caller import Caller
    from yemot_ai_testing.scenario.play.tools.runs import ToolRuns

__all__ = ["RECORD_KEY", "CallLog", "log_of_run", "record_test"]

RecordFactory: TypeAlias = Callable[[pytest.TestReport], CallRecord | None]
RECORD_KEY = pytest.StashKey[RecordFactory]()
"""In the stash of a test: makes the record of its call when it has run; None if there was no call."""

REPORT_ATTRIBUTE = "yemot_record"
"""The attribute of a test report that carries the record of a call from the worker."""


class CallLog:
    """The plugin that collects the calls of a run, by node id."""

    def __init__(self) -> None:
        self._calls: dict[str, CallRecord] = {}

    @classmethod
    def from_config(cls, _config: pytest.Config) -> CallLog:
        """Return the plugin of a run."""
        return cls()

    @property
    def by_node_id(self) -> dict[str, CallRecord]:
        """The calls in the order of their files, not in that of the run."""
        ordered = sorted(self._calls.items(), key=lambda item: (item[1].path, item[1].line, item[1].name))
        return dict(ordered)

    @property
    def calls(self) -> list[CallRecord]:
        """The calls in the order of their files."""
        return list(self.by_node_id.values())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the record of the call to its report."""
        report = yield
        factory = item.stash.get(RECORD_KEY, None)
        record = factory(report) if report.when == "call" and factory is not None else None
        if record is not None:
            setattr(report, REPORT_ATTRIBUTE, record.dumps())
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Store the record of a call, from this process or from a worker."""
        record = getattr(report, REPORT_ATTRIBUTE, None)
        if record is not None:
            call = self._calls[report.nodeid] = CallRecord.loads(record)
            if isinstance(report.longrepr, str) and report.longrepr and not call.is_test:
                report.longrepr = cast("TerminalRepr", FailedCallRepr.from_text(call, report.longrepr))
        elif report.failed:
            self._store_failure(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Store an error record for a scenario file that could not be loaded."""
        if report.failed:
            self._store_failure(report)

    def _store_failure(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Store that a file could not be loaded, a worker crashed, or the teardown of a test failed."""
        known = self._calls.get(report.nodeid)
        if known is not None and known.is_test:
            self._calls[report.nodeid] = _failed_test(known, report)
        elif known is None and report.nodeid.partition("::")[0].endswith(SCENARIO_SUFFIX):
            self._calls[report.nodeid] = _unloadable_record(report)


def log_of_run(config: pytest.Config) -> CallLog:
    """Return the calls of a run."""
    log = config.pluginmanager.get_plugin("yemot_calls")
    assert isinstance(log, CallLog)  # noqa: S101 - options that need the log register it
    return log


def record_test(item: pytest.Item, caller: Caller, app: object, called: str, tools: ToolRuns) -> None:
    """Let the call of a Python test be recorded.

    Args:
        item: the test.
        caller: its caller.
        app: what it calls.
        called: the name of that.
        tools: the calls of tools.
    """

    def make_record(report: pytest.TestReport) -> CallRecord | None:
        from yemot_ai_testing.scenario.report.caller_record import caller_record  # noqa: PLC0415 - costs time

        if not caller.dialled or report.skipped:
            return None
        path, line, name = item.location
        record = caller_record(caller, app, called, (path, (line or 0) + 1, name), tools.calls)
        record = replace(record, replay=replay_test(item.config, item.nodeid))
        return _failed_test(record, report) if report.failed else record

    item.stash[RECORD_KEY] = make_record


def _failed_test(record: CallRecord, report: pytest.TestReport | pytest.CollectReport) -> CallRecord:
    """Return the record of a test that failed, with the line at which it did."""
    crash = getattr(report.longrepr, "reprcrash", None)
    line = record.line
    if crash is not None and Path(crash.path).name == Path(record.path).name:
        line = crash.lineno
    return replace(
        record,
        state="failed",
        failure_location=f"{record.path}:{line}",
        failure_line=line,
        messages=tuple((crash.message if crash else report.longreprtext).splitlines()),
        failed_plays=1,
    )


def _unloadable_record(report: pytest.TestReport | pytest.CollectReport) -> CallRecord:
    path, _, name = report.nodeid.partition("::")
    messages = tuple(report.longreprtext.splitlines())
    return CallRecord(name=name or Path(path).name, path=path, line=0, state="error", messages=messages)
