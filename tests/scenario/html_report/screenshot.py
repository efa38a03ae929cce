"""The picture of the page in the documentation: ``python -m tests.scenario.html_report.screenshot docs/report.png``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.scenario.html_report.chromium import window
from tests.scenario.html_report.sample_run import played

WIDTH, HEIGHT = 820, 1560


def take(path: Path) -> None:
    """Write the page of the sample run, as a narrow window shows it."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as profile:
        page = played(Path(folder), "-k", "שקט or שעברה", "--ignore=broken.call.yaml")
        with window(Path(profile)) as shown:
            shown.theme("light")
            shown.size(WIDTH, HEIGHT)
            shown.open(page)
            shown.js("document.documentElement.style.overflow = 'hidden'")  # no scroll bar
            shown.picture(path)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
