"""Take the picture of the phone in a browser that the documentation shows, with an installed Chromium.

``python -m tests.phone.page.screenshot docs/images/phone.png``
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from tests.phone.page.test_page import Page
from tests.support.chromium import window
from yemot_ai_testing.doubles.steps import Answer
from yemot_ai_testing.phone.model import PhoneModel
from yemot_ai_testing.phone.phone import Phone
from yemot_ai_testing.phone.target import open_phone_target
from yemot_ai_testing.phone.web.serving import serve_phone

WIDTH, HEIGHT = 1080, 800

LINE = '''
from yemot_ai import AIFlow, YemotAI

flow = AIFlow(YemotAI("codex"))


@flow.ai_agent("", greeting="שלום, הגעתם לפיצה דוד, במה אפשר לעזור?")
def agent(call, text):
    """Let the AI answer."""
'''


def _call(page: Page) -> None:
    page.dial()
    page.until_heard("במה אפשר לעזור")
    page.says("אני רוצה פיצה")
    page.until_heard("באיזה גודל?")
    page.says("משפחתית, עם זיתים")
    page.until_heard("רשמתי")


def take(target: Path) -> None:
    """Write the picture of a call in which the model answers twice."""
    model = PhoneModel(
        [Answer(("באיזה גודל?",), 2.6), Answer(("רשמתי: פיצה משפחתית עם זיתים. עוד משהו?",), 0.4)]
    )
    over, urls = threading.Event(), SimpleQueue[str]()
    with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as threads:
        (Path(folder) / "pizza.py").write_text(LINE, encoding="utf-8")
        sys.path.insert(0, folder)
        with open_phone_target("pizza:flow", model) as opened:
            phone = Phone(opened, Path(folder))
            serving = threads.submit(serve_phone, phone, on_started=urls.put, is_over=over.is_set)
            try:
                with window(Path(folder) / "profile") as browser:
                    browser.theme("light")
                    browser.size(WIDTH, HEIGHT)
                    page = Page(browser, urls.get(timeout=20))
                    _call(page)
                    browser.js("document.documentElement.style.overflow = 'hidden'")  # no scroll bar
                    browser.screenshot(target)
            finally:
                over.set()
                serving.result(20)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
