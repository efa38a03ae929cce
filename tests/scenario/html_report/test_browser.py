"""The page in a real Chromium."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.scenario.html_report.sample_run import HOSTILE_TEXT
from tests.support.chromium import WIDTHS, Window
from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.scenario.play.timeline import TimelineEvent
from yemot_ai_testing.scenario.report.call_record import CallRecord, TurnRecord
from yemot_ai_testing.scenario.report.html.page import render

pytestmark = pytest.mark.browser
WRITTEN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

CONTRASTS = """
const parts = (color) => {
  const channels = color.match(/[\\d.]+/g).map(Number);
  return channels.length > 3 ? channels : [...channels, 1];
};
const light = ([r, g, b]) => [r, g, b].reduce((sum, value, at) => {
  const part = value / 255;
  const linear = part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  return sum + [0.2126, 0.7152, 0.0722][at] * linear;
}, 0);
const background = (element) => {
  for (let parent = element; parent; parent = parent.parentElement) {
    const color = parts(getComputedStyle(parent).backgroundColor);
    if (color[3] === 1) return color;
  }
  return parts(getComputedStyle(document.body).backgroundColor);
};
const worst = {};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || element.matches("script, style, title, .sr, .sr *")) continue;
  if (!element.getClientRects().length) continue;
  const style = getComputedStyle(element);
  const ink = light(parts(element.matches("text") ? style.fill : style.color));
  const paper = light(background(element));
  const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  const name = `${element.tagName} ${element.className.baseVal ?? element.className}`;
  worst[name] = Math.min(worst[name] ?? 99, contrast);
}
return worst;
"""


def calls_of(window: Window) -> list[WebElement]:
    return window.driver.find_elements(By.CSS_SELECTOR, ".call")


def shown_names(window: Window) -> list[str]:
    """Return the names of the visible calls."""
    visible = [call for call in calls_of(window) if call.rect["height"] > 0 and call.is_displayed()]
    return [call.find_element(By.CSS_SELECTOR, ".name").text for call in visible]


def call_named(window: Window, name: str) -> WebElement:
    return next(call for call in calls_of(window) if call.find_element(By.CSS_SELECTOR, ".name").text == name)


def choose(window: Window, state: str) -> None:
    window.driver.find_element(By.XPATH, f"//label[input[@value='{state}']]").click()


def test_the_page_shows_the_verdict_and_all_calls_failures_first(page: Window) -> None:
    assert page.driver.find_element(By.TAG_NAME, "h1").text == "4 מתוך 5 שיחות לא עברו"
    assert shown_names(page) == [
        "broken.call.yaml",
        "שקט ארוך מדי",
        HOSTILE_TEXT,
        "בלי אפליקציה",
        "הזמנה שעברה",
    ]


def test_the_page_makes_no_requests_and_logs_nothing(page: Window, sample_page: Path) -> None:
    assert page.console() == []
    assert page.requests() == [sample_page.as_uri()]


def test_hostile_texts_are_shown_as_text(page: Window) -> None:
    page.driver.find_element(By.CSS_SELECTOR, ".all").click()
    page.js("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    assert page.js("return document.images.length + document.scripts.length") == 1  # its own script
    assert "owned" not in page.driver.title
    call = call_named(page, HOSTILE_TEXT)
    assert HOSTILE_TEXT in call.find_element(By.CSS_SELECTOR, ".row.caller.bubble").text
    assert "<script>document.title='owned'</script>" in call.find_element(By.CSS_SELECTOR, ".raw").text


def test_injected_scripts_and_images_are_blocked(page: Window) -> None:
    page.js(
        "const script = document.createElement('script'); script.textContent = 'document.title = \"owned\"';"
        "document.body.append(script);"
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x\">')"
    )
    assert "owned" not in page.driver.title
    blocked = [line for line in page.console() if "Content Security Policy" in line]
    assert ["script-src" in blocked[0], "image" in blocked[1]] == [True, True]


@pytest.mark.parametrize("state", ["passed", "failed", "error"])
def test_the_filter_hides_other_outcomes(page: Window, state: str) -> None:
    choose(page, state)
    shown = [call for call in calls_of(page) if call.is_displayed()]
    assert shown
    assert {call.get_attribute("data-state") for call in shown} == {state}
    assert page.driver.find_element(By.CSS_SELECTOR, ".found").text == f"{len(shown)} מתוך 5 שיחות"


def test_the_search_finds_text_inside_closed_calls(page: Window) -> None:
    field = page.driver.find_element(By.NAME, "text")
    field.send_keys("בָּאיזה גודל")  # the search ignores niqqud
    assert shown_names(page) == ["שקט ארוך מדי", "הזמנה שעברה"]
    field.send_keys(" שאיננו")
    assert shown_names(page) == []
    assert page.driver.find_element(By.ID, "none").is_displayed()


def test_a_call_that_passed_opens_by_keyboard(page: Window) -> None:
    call = call_named(page, "הזמנה שעברה")
    body = call.find_element(By.CSS_SELECTOR, ".body")
    assert not body.is_displayed()
    call.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    assert body.is_displayed()
    assert "באיזה גודל" in body.text


def test_the_raw_exchange_is_one_click_away(page: Window) -> None:
    raw = call_named(page, "שקט ארוך מדי").find_elements(By.CSS_SELECTOR, ".raw")[1]
    answers = raw.find_elements(By.CSS_SELECTOR, ".answer")
    assert not any(answer.is_displayed() for answer in answers)
    raw.find_element(By.TAG_NAME, "summary").click()
    assert [answer.text for answer in answers][:2] == [
        "read=t-רק רגע=w1,no,1,1,1,No,,,,,1,Ok,None,,no",
        "id_list_message=t-רשמתי פיצה משפחתית&go_to_folder=hangup",
    ]
    assert "ApiPhone" in raw.text


def test_the_failed_turn_shows_its_kind_its_yaml_and_what_was_heard(page: Window) -> None:
    call = call_named(page, "שקט ארוך מדי")
    turns = call.find_elements(By.CSS_SELECTOR, ".turn")
    assert ["failed" in (turn.get_attribute("class") or "") for turn in turns[:2]] == [False, True]
    failure = turns[1].find_element(By.CSS_SELECTOR, ".failure")
    assert failure.is_displayed()
    assert "dead_air" in failure.text
    assert "# heard: רק רגע רשמתי פיצה משפחתית" in failure.find_element(By.CSS_SELECTOR, ".here").text
    assert "תורות שלא הושמעו 1" in call.text


def test_dead_air_is_drawn_to_scale_and_coloured_by_its_bound(page: Window) -> None:
    call = call_named(page, "שקט ארוך מדי")
    rows = call.find_elements(By.CSS_SELECTOR, ".row.silence")
    heights = [row.find_element(By.CSS_SELECTOR, ".air-scale").rect["height"] for row in rows]
    words = [row.find_element(By.CSS_SELECTOR, ".air-words").text for row in rows]
    assert ["1.5 ש׳" in words[0], "2.0 ש׳" in words[1], "מותר לכל היותר 3" in words[2]] == [True] * 3
    seconds = [float(word.split()[0]) for word in words]
    assert [height / length for height, length in zip(heights, seconds, strict=True)] == pytest.approx(
        [16, 16, 16], rel=0.05
    )
    airs = call.find_elements(By.CSS_SELECTOR, ".strip .air .air-ground")
    widths = [air.rect["width"] for air in airs]
    assert [width / widths[0] for width in widths] == pytest.approx(
        [length / seconds[0] for length in seconds], rel=0.03
    )
    colours = [air.value_of_css_property("fill") for air in airs]
    assert len(set(colours)) == 3


def test_time_runs_from_right_to_left_and_each_side_has_its_column(page: Window) -> None:
    call = call_named(page, "שקט ארוך מדי")
    bubbles = call.find_elements(By.CSS_SELECTOR, ".turn .said")
    caller = next(bubble for bubble in bubbles if bubble.text.endswith("אני רוצה פיצה"))
    line = next(bubble for bubble in bubbles if bubble.text.endswith("באיזה גודל"))
    assert caller.rect["x"] > line.rect["x"]
    assert caller.rect["y"] < line.rect["y"]
    parts = call.find_elements(By.CSS_SELECTOR, ".strip .part")
    assert parts[0].rect["x"] > parts[-1].rect["x"]
    assert call.find_elements(By.CSS_SELECTOR, ".strip circle.polls")


@pytest.mark.parametrize(("theme", "media"), [("light", "screen"), ("dark", "screen"), ("dark", "print")])
def test_all_text_has_enough_contrast(page: Window, theme: Literal["light", "dark"], media: str) -> None:
    page.theme(theme, media)
    page.js("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    contrasts: dict[str, float] = page.js(CONTRASTS)
    assert len(contrasts) > 30
    assert {name: contrast for name, contrast in contrasts.items() if contrast < 4.5} == {}


def test_light_and_dark_differ_and_print_is_white(page: Window) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = page.js(paper)
    page.theme("dark")
    assert page.js(paper) not in {light, "rgb(255, 255, 255)"}
    page.theme("dark", "print")
    assert page.js(paper) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", [320, *WIDTHS.values()])
def test_the_page_does_not_scroll_horizontally(page: Window, width: int) -> None:
    page.size(width)
    page.js("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    assert page.js("return document.documentElement.scrollWidth") <= width
    too_wide = page.js(
        "return [...document.querySelectorAll('main *:not(.sr)')].filter((element) => {"
        "const box = element.getBoundingClientRect();"
        "return box.width && (box.left < -1 || box.right > innerWidth + 1); })"
        ".map((element) => element.outerHTML.slice(0, 80))"
    )
    assert too_wide == []


def test_the_replay_command_is_copied(page: Window) -> None:
    call = call_named(page, "שקט ארוך מדי")
    command = call.find_element(By.CSS_SELECTOR, ".replay code").text
    button = call.find_element(By.CSS_SELECTOR, ".copy")
    button.click()
    WebDriverWait(page.driver, 5).until(lambda _: button.text == "הועתק")
    field = page.driver.find_element(By.NAME, "text")
    field.send_keys(Keys.CONTROL, "v")
    assert field.get_property("value") == command


def test_every_control_has_a_name_and_can_be_reached_by_tab(page: Window) -> None:
    nameless = page.js(
        "return [...document.querySelectorAll('button, input, summary, a')].filter((element) => "
        "!(element.getAttribute('aria-label') || element.textContent.trim()"
        " || element.labels?.[0]?.textContent.trim())).map((element) => element.outerHTML)"
    )
    assert nameless == []
    page.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert page.driver.switch_to.active_element.text == "אל השיחות"


def test_a_printed_page_shows_all_calls_and_no_controls(page: Window) -> None:
    page.theme("light", media="print")
    page.js("dispatchEvent(new Event('beforeprint'))")
    assert not page.driver.find_element(By.CSS_SELECTOR, ".tools").is_displayed()
    assert call_named(page, "הזמנה שעברה").find_element(By.CSS_SELECTOR, ".body").is_displayed()
    page.js("dispatchEvent(new Event('afterprint'))")
    assert call_named(page, "הזמנה שעברה").find_element(By.TAG_NAME, "details").get_attribute("open") is None


def test_a_slow_turn_links_to_its_call_even_if_that_is_filtered_out(page: Window) -> None:
    choose(page, "error")
    page.driver.find_element(By.CSS_SELECTOR, ".slow a").click()
    WebDriverWait(page.driver, 5).until(lambda _: len(shown_names(page)) == 5)
    top = page.js("return document.querySelector(location.hash).getBoundingClientRect().top")
    assert top < 900


def test_a_run_without_calls_says_so(browser: Window, tmp_path: Path) -> None:
    page = tmp_path / "none.html"
    page.write_text(render([], written=WRITTEN), encoding="utf-8")
    browser.size(WIDTHS["phone"])
    browser.open(page)
    assert browser.driver.find_element(By.TAG_NAME, "h1").text == "לא הושמעה אף שיחה"
    assert browser.console() == []


def test_five_hundred_calls_can_be_filtered(browser: Window, tmp_path: Path) -> None:
    page = tmp_path / "many.html"
    page.write_text(render(call_records(500), written=WRITTEN), encoding="utf-8")
    assert page.stat().st_size < 8_000_000
    browser.size(WIDTHS["desktop"])
    browser.open(page)
    field = browser.driver.find_element(By.NAME, "text")
    field.send_keys("שיחה 499")
    assert browser.driver.find_element(By.CSS_SELECTOR, ".found").text == "1 מתוך 500 שיחות"


def call_records(number: int) -> list[CallRecord]:
    """Return ``number`` calls of five turns each."""
    turn = TurnRecord(
        1,
        "passed",
        source=("      - says: אני רוצה פיצה", "        hears: באיזה גודל"),
        heard="באיזה גודל",
        dead_air=1.5,
        timeline=(
            TimelineEvent(0.0, 1.0, "caller", "says", "אני רוצה פיצה", turn=1),
            TimelineEvent(1.0, 1.5, "silence", "silence", turn=1),
            TimelineEvent(2.5, 1.0, "line", "speaks", "באיזה גודל", turn=1),
        ),
        exchanges=(
            LineExchange(1.0, 1.5, "", (("ApiPhone", "0501234567"), ("q1", "פיצה")), "read=t-גודל=q2", None),
        ),
    )
    return [
        CallRecord(f"שיחה {index}", "many.call.yaml", index, "passed", turns=(turn,) * 5, replay="pytest")
        for index in range(number)
    ]
