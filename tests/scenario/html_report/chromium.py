"""A real Chromium without a window, on pages that are files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "these tests look at pages in a real Chromium and found no {what} on PATH: install it, on Debian and "
    "Ubuntu by `apt-get install chromium chromium-driver`, or leave them out by `-m 'not browser'`"
)
WIDTHS = {"phone": 390, "desktop": 1280}


class NoBrowserError(Exception):
    """There is no Chromium, or no driver for it; the message says how to get them."""


class Window:
    """One tab."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def size(self, width: int, height: int = 900) -> None:
        """Make the page as large, in CSS pixels, as if on that device."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self._devtools("Emulation.setDeviceMetricsOverride", metrics)

    def theme(self, scheme: Literal["light", "dark"], media: str = "screen") -> None:
        """Prefer a theme."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},  # what moves cannot be clicked
        ]
        self._devtools("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def open(self, path: Path) -> None:
        """Show a file; what was logged and requested before is forgotten."""
        self.driver.get("about:blank")
        self._take("browser")
        self._take("performance")
        self.driver.get(path.as_uri())

    def js(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever the script returns
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def console(self) -> list[str]:
        """Return what the page complained about."""
        return [str(entry["message"]) for entry in self._take("browser")]

    def requests(self) -> list[str]:
        """Return what was fetched."""
        events = [json.loads(entry["message"])["message"] for entry in self._take("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def picture(self, path: Path) -> None:
        """Write what is seen as a PNG."""
        self.driver.save_screenshot(str(path))

    def _take(self, log: str) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = self.driver.get_log(log)  # type: ignore[no-untyped-call]  # selenium's own
        return taken

    def _devtools(self, command: str, arguments: dict[str, Any]) -> None:
        self.driver.execute_cdp_cmd(command, arguments)


@contextmanager
def window(folder: Path) -> Iterator[Window]:
    """Open a browser whose profile lives in ``folder``.

    Raises:
        NoBrowserError: there is none on ``PATH``.
    """
    options = ChromeOptions()
    options.binary_location = _found("Chromium", *BROWSERS)
    for argument in ("--headless=new", "--disable-dev-shm-usage", f"--user-data-dir={folder}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # as root Chromium does not start with one
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(_found("chromedriver", "chromedriver")))
    try:
        yield Window(driver)
    finally:
        driver.quit()


def _found(what: str, *names: str) -> str:
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise NoBrowserError(MISSING.format(what=what))
    return path
