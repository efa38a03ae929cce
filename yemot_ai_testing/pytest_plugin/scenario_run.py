"""Selects and collects scenarios (``--yemot-scenario``), and stores their calls, also of xdist's workers."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from yemot_ai_testing.codex.binary import BinaryNotFoundError, CodexSpecError
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.pytest_plugin.options import SCENARIO_SUFFIX, run_settings
from yemot_ai_testing.pytest_plugin.scenario_items import ScenarioFile, ScenarioItem
from yemot_ai_testing.pytest_plugin.summary import write_summary
from yemot_ai_testing.scenario.play.target import RunSettings, import_attribute, resolve_codex
from yemot_ai_testing.scenario.report.call_record import CallRecord

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["ScenarioPlugin"]

REPORT_ATTRIBUTE = "yemot_record"
"""The attribute of a test report that carries the record of a call from the worker."""


class ScenarioPlugin:
    """The plugin of a run that plays scenarios."""

    def __init__(self) -> None:
        self._calls: dict[str, CallRecord] = {}

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run, and give pytest the paths of its scenarios.

        The options are checked here, so that a mistake does not fail each scenario.

        Raises:
            pytest.UsageError: there is no such path, application or Codex, or a path is no scenario file.
        """
        named = [
            str(config.invocation_params.dir / path) for path in config.getoption("yemot_scenario") if path
        ]
        paths = named or [str(path) for path in config.getini("yemot_scenarios")]
        _check_paths(paths)
        settings = run_settings(config)
        _check_target(settings)
        _check_codex(settings.codex)
        if config.args_source is not config.ArgsSource.ARGS:
            config.args[:] = paths or config.args
        else:
            config.args += [path for path in named if path not in config.args]
        return cls()

    @property
    def calls(self) -> list[CallRecord]:
        """The calls in the order of the scenario files, not in that of the run."""
        return sorted(self._calls.values(), key=lambda call: (call.path, call.line, call.name))

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Ignore all files but scenario files."""
        return None if collection_path.is_dir() or _is_scenario_file(collection_path) else True

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect ``*.call.yaml`` files."""
        return ScenarioFile.from_parent(parent, path=file_path) if _is_scenario_file(file_path) else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the record of the call to its report."""
        report = yield
        if report.when == "call" and isinstance(item, ScenarioItem):
            record = item.call or CallRecord.from_scenario(
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
            self._calls.setdefault(report.nodeid, _unloadable_record(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Store an error record for a file that could not be loaded."""
        if report.failed:
            self._calls[report.nodeid] = _unloadable_record(report)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print the calls and their counts."""
        write_summary(terminalreporter, self.calls)


def _is_scenario_file(path: Path) -> bool:
    return path.name.endswith(SCENARIO_SUFFIX)


def _check_paths(paths: list[str]) -> None:
    for path in map(Path, paths):
        if not path.exists():
            raise pytest.UsageError(f"--yemot-scenario: there is no {path}")
        if not _is_scenario_file(path) and not path.is_dir():
            raise pytest.UsageError(
                f"--yemot-scenario: {path} is neither a *{SCENARIO_SUFFIX} file nor a folder"
            )


def _check_target(settings: RunSettings) -> None:
    options = [f"--yemot-{name}" for name in ("app", "url", "serve") if getattr(settings, name)]
    if len(options) > 1:
        raise pytest.UsageError(f"{' and '.join(options)} each name what is called: leave one out")
    for option, url in {"--yemot-url": settings.url, "yemot_url": settings.default_url}.items():
        if url and "://" not in url:
            raise pytest.UsageError(f"{option}={url}: write a whole URL, such as http://127.0.0.1:8000/yemot")
    option = "--yemot-serve"
    try:
        settings.target(None)
        if settings.app and not settings.url and "://" not in settings.app:
            option = f"--yemot-app={settings.app}"
            import_attribute(settings.app, settings.root)
    except AppError as error:
        raise pytest.UsageError(f"{option}: {error}") from error


def _check_codex(spec: str) -> None:
    try:
        resolve_codex(spec)
    except (BinaryNotFoundError, CodexSpecError) as error:
        raise pytest.UsageError(f"--yemot-codex={spec}: {error}") from error


def _unloadable_record(report: pytest.TestReport | pytest.CollectReport) -> CallRecord:
    """Return the record of a file that could not be loaded, or of a worker that crashed."""
    path, _, name = report.nodeid.partition("::")
    messages = tuple(report.longreprtext.splitlines())
    return CallRecord(name=name or Path(path).name, path=path, line=0, state="error", messages=messages)
