"""Writes the HTML page at the end of a run (``--yemot-html FILE``)."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from yemot_ai_testing.scenario.report.html.page import render

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from yemot_ai_testing.pytest_plugin.results import CallResults

__all__ = ["HtmlReportPlugin", "register_html_report"]


def register_html_report(config: pytest.Config, results: CallResults) -> None:
    """Register the plugin that writes the page, but not in xdist's workers or with ``--collect-only``.

    Raises:
        pytest.UsageError: the page cannot be written.
    """
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.pluginmanager.register(HtmlReportPlugin(_check_writable(_path(config)), results), "yemot_html")


class HtmlReportPlugin:
    """The plugin that writes the page of a run.

    Args:
        path: the file.
        results: the calls of the run.
    """

    def __init__(self, path: Path, results: CallResults) -> None:
        self._path = path
        self._results = results

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the page, also after failures."""
        page = render(self._results.calls, written=_now())
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
