"""Writes the HTML page at the end of a run (``--yemot-html FILE``)."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import pytest

from yemot_ai_testing.scenario.report.html.page import render

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from yemot_ai_testing.pytest_plugin.scenario_run import ScenarioPlugin

__all__ = ["HtmlReportPlugin"]


class HtmlReportPlugin:
    """The plugin that writes the page of a run.

    Args:
        path: the file.
        scenarios: has the calls of the run.
    """

    def __init__(self, path: Path, scenarios: ScenarioPlugin) -> None:
        self._path = path
        self._scenarios = scenarios

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run.

        Raises:
            pytest.UsageError: the page cannot be written.
        """
        scenarios = cast("ScenarioPlugin", config.pluginmanager.get_plugin("yemot_scenarios"))
        return cls(_check_writable(_path(config)), scenarios)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the page, also after failures."""
        page = render(self._scenarios.calls, written=_now())
        self._path.write_text(page, encoding="utf-8")

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print the URL of the page."""
        if terminalreporter.config.get_verbosity() >= 0:
            terminalreporter.line("")
            terminalreporter.line(f"the calls as a page: {self._path.as_uri()}")


def _now() -> datetime:
    """Return the current time, or that of ``SOURCE_DATE_EPOCH`` for reproducible pages."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.now().astimezone() if epoch is None else datetime.fromtimestamp(int(epoch), UTC)


def _path(config: pytest.Config) -> Path:
    """Return the path: an option is relative to the working directory, an ini key to the ini file."""
    option: str | None = config.getoption("yemot_html")
    ini: str = config.getini("yemot_html")
    if option:
        return config.invocation_params.dir / option
    return (config.inipath.parent if config.inipath else config.rootpath) / ini


def _check_writable(path: Path) -> Path:
    """Return ``path`` if a page can be written there.

    Raises:
        pytest.UsageError: its folder does not exist, it is a folder, or it is not writable.
    """
    if not path.parent.is_dir():
        raise pytest.UsageError(f"--yemot-html: there is no folder {path.parent}; create it first")
    if path.is_dir():
        raise pytest.UsageError(f"--yemot-html: {path} is a folder; name a file in it, such as calls.html")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise pytest.UsageError(f"--yemot-html: {path} is not writable")
    return path
