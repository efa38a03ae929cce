"""The phone in the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, RichLog, Static

from yemot_ai_testing.doubles.steps import Hang, Step
from yemot_ai_testing.phone.model import PhoneModel
from yemot_ai_testing.phone.phone import Phone
from yemot_ai_testing.phone.target import open_phone_target
from yemot_ai_testing.phone.terminal.app import PhoneApp
from yemot_ai_testing.phone.terminal.rows import wrap_words

pytestmark = pytest.mark.slow

Terminal = tuple[PhoneApp, Pilot[None]]


@asynccontextmanager
async def terminal(
    name: str, *steps: Step, extension: str = "", visual: bool = False
) -> AsyncIterator[Terminal]:
    with open_phone_target(name, PhoneModel(steps)) as target, Phone(target) as phone:
        app = PhoneApp(phone, number="0501234567", extension=extension, visual=visual)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: app.call_number > 0 and not app.call.busy)
            yield app, pilot


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await pilot.pause(0.02)


async def enter(terminal: Terminal, text: str) -> None:
    app, pilot = terminal
    app.query_one("#entry", Input).value = text
    await pilot.press("enter")
    await until(pilot, lambda: not app.call.busy)
    app._look()


def shown(app: PhoneApp, name: str = "conversation") -> str:
    return "\n".join(line.text.rstrip() for line in app.query_one(f"#{name}", RichLog).lines)


def run(test: Callable[[], object]) -> None:
    asyncio.run(test())  # type: ignore[arg-type]


def test_a_call_is_typed_and_read(line_module: str) -> None:
    async def call() -> None:
        async with terminal(line_module) as phone:
            await enter(phone, "1")
            await enter(phone, "פיצה")
            text = shown(phone[0])
            assert "מה תרצו להזמין?" in text
            assert "you" in text
            assert "אמרת, פיצה" in text
            assert "ai_1=פיצה" in shown(phone[0], "raw")
            await enter(phone, "תודה")
            assert "להתראות" in shown(phone[0])
            assert "the call is over" in str(phone[0].query_one("#status", Static).render())

    run(call)


def test_right_to_left_text_is_reordered_for_plain_terminals(line_module: str) -> None:
    async def call() -> None:
        async with terminal(line_module, visual=True) as phone:
            phone[0]._look()
            assert "1 ושיקה הנמזהל" in shown(phone[0])
            phone[0].query_one("#entry", Input).value = "פיצה"
            await phone[1].pause()
            assert str(phone[0].query_one("#preview", Static).render()) == "הציפ"

    run(call)


def test_keys_of_the_phone_are_pressed_where_the_line_takes_keys(line_module: str) -> None:
    async def call() -> None:
        async with terminal(line_module) as phone:
            app, pilot = phone
            app._look()
            await pilot.click("#key-49")
            await until(pilot, lambda: "מה תרצו להזמין?" in [one.heard for one in app.call.performed])
            await enter(phone, "תודה")
            assert all(button.disabled for button in app.query("Button.key").results(Button))

    run(call)


def test_a_busy_line_shows_its_silence_and_can_be_hung_up(line_module: str) -> None:
    async def call() -> None:
        async with terminal(line_module, Hang(), extension="order") as phone:
            app, pilot = phone
            app.query_one("#entry", Input).value = "פיצה"
            await pilot.press("enter")
            await until(pilot, lambda: app.call.view().waiting > 0.2)
            app._look()
            assert "the line is busy for" in str(app.query_one("#status", Static).render())
            await pilot.press("f4")
            await until(pilot, lambda: app.call.view().ended)
            await pilot.press("f5")
            await until(pilot, lambda: app.call_number == 2 and not app.call.busy)
            assert app.call.performed[0].heard == "מה תרצו להזמין?"

    run(call)


def test_a_call_is_saved_and_replayed_up_to_the_turn_that_fails(line_module: str, tmp_path: Path) -> None:
    async def call() -> None:
        async with terminal(line_module) as phone:
            await enter(phone, "1")
            await enter(phone, "פיצה")
            await enter(phone, "/save order")
            path = tmp_path / "order.call.yaml"
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace('- "אמרת, פיצה"', '- "אחרת"'), encoding="utf-8")
            await enter(phone, f"/replay {path}")
            assert "turn 3" in phone[0].call.view().notice
            assert "אחרת" in phone[0].call.view().notice
            await enter(phone, "עוד אחת")  # the line was handed over
            assert phone[0].call.performed[-1].heard == "אמרת, עוד אחת"

    run(call)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/sing", "a phone has no command 'sing'"),
        ("/save", "is no name of a file"),
        ("/replay", "name a file"),
        ("/replay nothing.call.yaml", "cannot be read"),
        ("/dial 7\x1b[2J", "calls"),
        ("/help", "Type to speak"),
    ],
)
def test_what_is_mistyped_is_explained(line_module: str, typed: str, said: str) -> None:
    async def call() -> None:
        async with terminal(line_module) as phone:
            await enter(phone, typed)
            assert said in " ".join(shown(phone[0]).split())
            assert "\x1b" not in shown(phone[0])

    run(call)


@pytest.mark.parametrize("columns", [1, 12, 30, 60])
def test_a_terminal_may_be_narrow_and_become_narrower(line_module: str, columns: int) -> None:
    async def call() -> None:
        with open_phone_target(line_module) as target, Phone(target) as phone:
            app = PhoneApp(phone, number="", extension="order", visual=True)
            async with app.run_test(size=(columns, 10)) as pilot:
                await until(pilot, lambda: app.call_number > 0 and not app.call.busy)
                await enter((app, pilot), "פיצה")
                await pilot.resize_terminal(max(columns // 2, 1), 5)
                await pilot.pause()
                assert app.call.performed[-1].heard == "אמרת, פיצה"
                assert not app.query_one("#side").display

    run(call)


def test_a_withheld_number_calls(line_module: str) -> None:
    async def call() -> None:
        async with terminal(line_module) as phone:
            await enter(phone, "/number")
            assert phone[0].call.caller.phone == ""
            await enter(phone, "/number 0521112222")
            assert phone[0].call.caller.phone == "0521112222"

    run(call)


@pytest.mark.parametrize("text", ["", "אבג " * 40, "x" * 200, "שלום 👋 " * 20])
def test_lines_are_not_wider_than_the_screen(text: str) -> None:
    from rich.cells import cell_len  # noqa: PLC0415 - beside its use

    lines = wrap_words(text, 20)
    assert all(cell_len(line) <= 20 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
