from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.html_report import sample_run
from tests.scenario.html_report.chromium import NoBrowserError, Window, window


@pytest.fixture(scope="session")
def sample_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run that really took place."""
    return sample_run.played(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A Chromium; a machine without one fails here, and is told what to install."""
    try:
        with window(tmp_path_factory.mktemp("profile")) as opened:
            yield opened
    except NoBrowserError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture
def seen(browser: Window, sample_page: Path) -> Window:
    """The page of the run, in a light window of a desktop's width."""
    browser.theme("light")
    browser.size(1280)
    browser.open(sample_page)
    return browser
