"""Take the screenshots of the documentation.

``python -m tests.scenario.html_report.screenshot docs/report.png``, and for the first screen of the README
``python -m tests.scenario.html_report.screenshot docs/images/report.png 640 740``
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.scenario.html_report.sample_run import run
from tests.support.chromium import window

WIDTH, HEIGHT = 820, 1560


def take_screenshot(path: Path, width: int = WIDTH, height: int = HEIGHT) -> None:
    """Write the page of the sample run, in a window of that size in CSS pixels, as a PNG."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as profile:
        page = run(Path(folder), "-k", "שקט or שעברה", "--ignore=broken.call.yaml")
        with window(Path(profile)) as browser:
            browser.theme("light")
            browser.size(width, height)
            browser.open(page)
            browser.js("document.documentElement.style.overflow = 'hidden'")  # no scroll bar
            browser.screenshot(path)


if __name__ == "__main__":
    take_screenshot(Path(sys.argv[1]), *map(int, sys.argv[2:]))
