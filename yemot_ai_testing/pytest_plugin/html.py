"""``--yemot-html FILE``: write the page when the run is over."""

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
    """Let the run end with its page, unless it only lists scenarios, or works for another run.

    Raises:
        pytest.UsageError: the page could not be written.
    """
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.pluginmanager.register(HtmlReportPlugin(_check_writable(_path(config)), results), "yemot_html")


class HtmlReportPlugin:
    """A plugin that writes the page of a run.

    Args:
        path: where to.
        results: the calls.
    """

    def __init__(self, path: Path, results: CallResults) -> None:
        self._path = path
        self._results = results

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write it, however the run went."""
        page = render(self._results.calls, written=_now())
        self._path.write_text(page, encoding="utf-8")

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Tell where it is."""
        if terminalreporter.config.get_verbosity() >= 0:
            terminalreporter.line("")
            terminalreporter.line(f"the calls as a page: {self._path.as_uri()}")


def _now() -> datetime:
    """Return the time, or the one that reproducible builds give."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.now().astimezone() if given is None else datetime.fromtimestamp(int(given), UTC)


def _path(config: pytest.Config) -> Path:
    """Return where the page goes: seen from where pytest was called, or from the ini file."""
    named: str | None = config.getoption("yemot_html")
    ini: str = config.getini("yemot_html")
    if named:
        return config.invocation_params.dir / named
    return (config.inipath.parent if config.inipath else config.rootpath) / ini


def _check_writable(path: Path) -> Path:
    """Return ``path`` if a page can be written there.

    Raises:
        pytest.UsageError: its folder is not there, it is a folder itself, or nothing may be written there.
    """
    if not path.parent.is_dir():
        raise pytest.UsageError(f"--yemot-html: there is no folder {path.parent}; create it first")
    if path.is_dir():
        raise pytest.UsageError(f"--yemot-html: {path} is a folder; name a file in it, such as calls.html")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise pytest.UsageError(f"--yemot-html: {path} may not be written")
    return path
