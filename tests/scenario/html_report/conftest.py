from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.scenario.html_report import sample_run
from tests.scenario.html_report.chromium import NoBrowserError, Window, window

NO_BROWSER: Final = "no browser can be started"


@pytest.fixture(scope="session")
def sample_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a real run."""
    return sample_run.run(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A Chromium. Where none can be started, skip and say so at the end of the run; with CI=true, fail."""
    try:
        with window(tmp_path_factory.mktemp("profile")) as browser_window:
            yield browser_window
    except NoBrowserError as error:
        if os.environ.get("CI") == "true":
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        pytest.skip(f"{NO_BROWSER}: {error}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end of the run that the page was not looked at, and why."""
    reasons = {
        str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", ()) if report.longrepr
    }
    for reason in sorted(reasons):
        if NO_BROWSER in reason:
            terminalreporter.section("NOT RUN: the tests of the page", red=True, bold=True)
            terminalreporter.write_line(reason.removeprefix("Skipped: "))


@pytest.fixture
def page(browser: Window, sample_page: Path) -> Window:
    """The page of the run in a window with the light theme and desktop width."""
    browser.theme("light")
    browser.size(1280)
    browser.open(sample_page)
    return browser
