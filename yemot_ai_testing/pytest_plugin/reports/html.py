"""Writes the HTML page at the end of a run (``--yemot-html FILE``)."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from yemot_ai_testing.pytest_plugin.report_options import page_path
from yemot_ai_testing.pytest_plugin.reports.call_log import CallLog, log_of_run
from yemot_ai_testing.pytest_plugin.reports.report_file import write_at_end
from yemot_ai_testing.scenario.report.html.page import render

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["HtmlReportPlugin"]


class HtmlReportPlugin:
    """The plugin that writes the page of a run.

    Args:
        path: the file.
        log: the calls of the run.
    """

    def __init__(self, path: Path, log: CallLog) -> None:
        self._path = path
        self._log = log
        self._problem = ""

    @classmethod
    def from_config(cls, config: pytest.Config) -> Self:
        """Return the plugin of a run.

        Raises:
            pytest.UsageError: the page cannot be written.
        """
        path = page_path(config)
        assert path is not None  # noqa: S101 - else there is no such plugin
        return cls(_check_writable(path), log_of_run(config))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the page, also after failures."""
        page = render(self._log.calls, written=_now())
        self._problem = write_at_end(
            session, "--yemot-html", lambda: self._path.write_text(page, encoding="utf-8")
        )

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print the URL of the page."""
        if self._problem:
            terminalreporter.line(self._problem, red=True)
        elif terminalreporter.config.get_verbosity() >= 0:
            terminalreporter.line("")
            terminalreporter.line(f"the calls as a page: {self._path.as_uri()}")


def _now() -> datetime:
    """Return the current time, or that of ``SOURCE_DATE_EPOCH`` for reproducible pages."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.now().astimezone() if epoch is None else datetime.fromtimestamp(int(epoch), UTC)


def _check_writable(path: Path) -> Path:
    """Return ``path`` if a page can be written there; make its folder.

    Raises:
        pytest.UsageError: its folder cannot be made, it is a folder, or it is not writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--yemot-html: the folder {path.parent} cannot be made: {error}") from error
    if path.is_dir():
        raise pytest.UsageError(f"--yemot-html: {path} is a folder; name a file in it, such as calls.html")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise pytest.UsageError(f"--yemot-html: {path} is not writable")
    return path
