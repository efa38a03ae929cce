"""The site in a real Chromium: what it requests, what fits, and the search."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest

from tests.support.chromium import NoBrowserError, Window, window
from tests.support.not_run import not_run
from tests.support.waiting import until

pytestmark = pytest.mark.browser

PAGES = [
    "index.html",
    "start.html",
    "he/start.html",
    "he/line.html",
    "reference/errors.html",
    "reference/python/yemot_ai.html",
]
WIDE, NARROW = 1200, 390


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The address of the site on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    try:
        with window(tmp_path_factory.mktemp("profile")) as browser_window:
            yield browser_window
    except NoBrowserError as error:
        not_run("the tests of the documentation site in a browser", error)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_requests_only_this_site_and_fits(
    page: str, width: int, browser: Window, address: str
) -> None:
    browser.size(width)
    browser.open(f"{address}/{page}")

    assert [url for url in browser.requests() if not url.startswith((address, "data:", "blob:"))] == []
    assert browser.console() == []
    assert browser.js("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("page", ["index.html", "he/line.html"])
def test_the_menu_of_languages_is_inside_the_page(page: str, browser: Window, address: str) -> None:
    browser.size(WIDE)
    browser.open(f"{address}/{page}")

    left, right, visible = browser.js(
        "const {left, right} = document.querySelector('.md-select__inner').getBoundingClientRect();"
        "return [left, right, document.documentElement.clientWidth]"
    )
    assert 0 <= left < right <= visible


@pytest.mark.parametrize(("theme", "scheme"), [("light", "default"), ("dark", "slate")])
def test_a_page_follows_the_theme_of_the_system(
    theme: Literal["light", "dark"], scheme: str, browser: Window, address: str
) -> None:
    browser.theme(theme)
    browser.open(f"{address}/start.html")

    assert browser.js("return document.body.dataset.mdColorScheme") == scheme


@pytest.mark.parametrize(
    ("page", "words", "found"),
    [
        ("index.html", "ApiYFCallId", "handlers.html"),
        ("he/start.html", "ספריית", "he/start.html"),
        ("index.html", "תרחיש", "he/scenarios.html"),
    ],
)
def test_the_search_finds_words_of_both_languages(
    page: str, words: str, found: str, browser: Window, address: str
) -> None:
    browser.size(WIDE)
    browser.open(f"{address}/{page}?q={words}")
    results = "return [...document.querySelectorAll('.md-search-result__link')].map(link => link.href)"

    until(lambda: any(f"/{found}" in link for link in browser.js(results)), within=20)
