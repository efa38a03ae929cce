from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.html_report import sample_run
from tests.support.chromium import NoBrowserError, Window, window
from tests.support.not_run import not_run


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
        not_run("the tests of the page", error)


@pytest.fixture
def page(browser: Window, sample_page: Path) -> Window:
    """The page of the run in a window with the light theme and desktop width."""
    browser.theme("light")
    browser.size(1280)
    browser.open(sample_page)
    return browser
