"""A headless Chromium for pages."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "there is no {what} on PATH: install it, on Debian and Ubuntu by "
    "`apt-get install chromium chromium-driver`, or deselect these tests by `-m 'not browser'`"
)
WIDTHS = {"phone": 390, "desktop": 1280}


class NoBrowserError(Exception):
    """There is no Chromium or no driver, or it does not start; the message says why."""


class Window:
    """One tab."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def size(self, width: int, height: int = 900) -> None:
        """Set the size of the page in CSS pixels, as on a device of that size."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self._devtools("Emulation.setDeviceMetricsOverride", metrics)

    def theme(self, scheme: Literal["light", "dark"], media: str = "screen") -> None:
        """Set the preferred colour scheme."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},  # moving elements cannot be clicked
        ]
        self._devtools("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def open(self, page: Path | str) -> None:
        """Open a file or an address, and clear the logs."""
        self.driver.get("about:blank")
        self._take("browser")
        self._take("performance")
        self.driver.get(page.as_uri() if isinstance(page, Path) else page)

    def js(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - a script can return anything
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def console(self) -> list[str]:
        """Return the console messages of the page."""
        return [str(entry["message"]) for entry in self._take("browser")]

    def requests(self) -> list[str]:
        """Return the requested URLs."""
        events = [json.loads(entry["message"])["message"] for entry in self._take("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def screenshot(self, path: Path) -> None:
        """Write the visible page as a PNG."""
        self.driver.save_screenshot(str(path))

    def _take(self, log: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(log)  # type: ignore[no-untyped-call]  # selenium
        return entries

    def _devtools(self, command: str, arguments: dict[str, Any]) -> None:
        self.driver.execute_cdp_cmd(command, arguments)


@contextmanager
def window(folder: Path) -> Iterator[Window]:
    """Open a browser with its profile in ``folder``.

    Raises:
        NoBrowserError: if there is none on ``PATH``, or it does not start.
    """
    options = ChromeOptions()
    options.binary_location = _find_program("Chromium", *BROWSERS)
    for argument in ("--headless=new", "--disable-dev-shm-usage", f"--user-data-dir={folder}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium run by root does not start with a sandbox
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = Service(_find_program("chromedriver", "chromedriver"))
    try:
        driver = Chrome(options, service)
    except WebDriverException as error:  # no sandbox for this user, another version than the driver's …
        raise NoBrowserError(f"Chromium did not start: {error.msg}") from error
    try:
        yield Window(driver)
    finally:
        driver.quit()


def _find_program(what: str, *names: str) -> str:
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise NoBrowserError(MISSING.format(what=what))
    return path
