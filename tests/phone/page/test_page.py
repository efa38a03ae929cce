"""The phone's page in a real Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.phone.page.conftest import ServePhone
from tests.support.chromium import WIDTHS, Window
from yemot_ai_testing.doubles.steps import Answer, Hang
from yemot_ai_testing.phone.model import PhoneModel

pytestmark = pytest.mark.browser


class Page:
    """What a person does on the page."""

    def __init__(self, window: Window, url: str) -> None:
        self.window = window
        window.open(url)
        self.until("document.getElementById('number').value !== ''")

    def until(self, condition: str) -> None:
        WebDriverWait(self.window.driver, 20).until(lambda _: self.window.js(f"return {condition}"))

    def until_heard(self, text: str) -> None:
        self.until(f"document.getElementById('rows').innerText.includes({text!r})")

    def click(self, selector: str) -> None:
        self.window.driver.find_element(By.CSS_SELECTOR, selector).click()

    def fill(self, name: str, text: str) -> None:
        field = self.window.driver.find_element(By.ID, name)
        field.clear()
        field.send_keys(text)

    def dial(self, extension: str = "") -> None:
        self.fill("extension", extension)
        self.click("#dial button")
        self.until("!document.getElementById('call').hidden")

    def says(self, text: str) -> None:
        self.fill("text", text + Keys.ENTER)

    def text(self, name: str) -> str:
        return str(self.window.js("return document.getElementById(arguments[0]).innerText", name))


@pytest.fixture
def page(browser: Window, serve: ServePhone) -> Page:
    browser.theme("light")
    browser.size(WIDTHS["desktop"])
    url, _ = serve()
    return Page(browser, url)


def test_a_call_by_keypad_and_typing(page: Page) -> None:
    page.dial()
    page.until_heard("להזמנה הקישו 1")
    assert "הקו מחכה להקשה" in page.text("status")
    page.click("#keypad button")
    page.until_heard("מה תרצו להזמין?")
    page.says("פיצה")
    page.until_heard("אמרת, פיצה")
    assert "ai_1=פיצה" in page.text("exchanges")
    page.says("תודה")
    page.until_heard("להתראות")
    page.until("document.getElementById('state').innerText === 'השיחה הסתיימה'")
    assert page.window.console() == []


def test_nothing_is_asked_of_another_server(page: Page) -> None:
    page.dial()
    page.until_heard("להזמנה הקישו 1")
    origin = page.window.js("return location.origin")
    urls = [url for url in page.window.requests() if not url.startswith("data:")]
    assert urls
    assert {url[: len(origin)] for url in urls} == {origin}


def test_several_calls_at_once(page: Page) -> None:
    page.dial("order")
    page.until_heard("מה תרצו להזמין?")
    page.says("ראשונה")
    page.until_heard("אמרת, ראשונה")
    page.fill("number", "0521112222")
    page.dial()
    page.until_heard("להזמנה הקישו 1")
    assert "ראשונה" not in page.text("rows")
    page.click("#calls button")
    page.until_heard("אמרת, ראשונה")
    page.click("[data-verb=hangs_up]")
    page.until("document.querySelector('#calls button').innerText.includes('הסתיימה')")
    assert "פתוחה" in page.text("calls")


def test_the_silence_of_a_busy_line_is_counted_and_can_be_ended(browser: Window, serve: ServePhone) -> None:
    url, phone = serve(PhoneModel([Hang()]))
    page = Page(browser, url)
    page.dial("order")
    page.until_heard("מה תרצו להזמין?")
    page.says("פיצה")
    page.until("Number(document.getElementById('timer').textContent) > 0.3")
    assert browser.js("return document.getElementById('speak').disabled")
    page.click("[data-verb=hangs_up]")
    page.until("document.getElementById('state').innerText === 'השיחה הסתיימה'")
    assert phone.call(1).caller.ended


def test_an_answer_appears_while_the_line_is_busy(browser: Window, serve: ServePhone) -> None:
    url, _ = serve(PhoneModel([Answer(("באיזה גודל?",), 3.5)]))
    page = Page(browser, url)
    page.dial("order")
    page.says("פיצה")
    page.until_heard("רק רגע")
    page.until_heard("באיזה גודל?")


def test_a_call_is_saved_and_replayed(page: Page, tmp_path: Path) -> None:
    page.dial("order")
    page.until_heard("מה תרצו להזמין?")
    page.says("פיצה")
    page.until_heard("אמרת, פיצה")
    page.fill("name", "order" + Keys.ENTER)
    page.until("document.getElementById('message').innerText.includes('נשמר')")
    path = tmp_path / "order.call.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('- "אמרת, פיצה"', '- "אחרת"'), encoding="utf-8")
    page.fill("file", str(path))
    page.click("#replay button")
    page.until("document.getElementById('state').innerText.includes('turn 2')")
    page.says("עוד אחת")
    page.until_heard("אמרת, עוד אחת")


def test_mistakes_are_explained_on_the_page(page: Page) -> None:
    page.fill("file", "nothing.call.yaml")
    page.click("#replay button")
    page.until("document.getElementById('message').innerText.includes('cannot be read')")


def test_markup_in_an_answer_is_shown_as_text(browser: Window, serve: ServePhone) -> None:
    url, _ = serve()
    page = Page(browser, url)
    page.dial("order")
    page.until_heard("מה תרצו להזמין?")
    page.says("<img src=x onerror=document.title=1>")
    page.until("document.querySelectorAll('#rows li').length > 3")
    assert browser.js("return document.images.length") == 0
    assert browser.driver.title == "yemot-ai: טלפון"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
def test_everyone_can_use_the_page(
    browser: Window, serve: ServePhone, axe: str, theme: Literal["light", "dark"], device: str
) -> None:
    browser.theme(theme)
    browser.size(WIDTHS[device])
    url, _ = serve()
    page = Page(browser, url)
    page.dial("order")
    page.until_heard("מה תרצו להזמין?")
    page.says("פיצה")
    page.until_heard("אמרת, פיצה")

    browser.js(axe)
    script = "const done = arguments[0]; axe.run().then(result => done(result.violations))"
    violations: list[dict[str, Any]] = browser.driver.execute_async_script(script)
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []
    assert browser.js("return document.documentElement.scrollWidth") <= WIDTHS[device]
