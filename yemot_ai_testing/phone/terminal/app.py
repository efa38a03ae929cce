"""The phone in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical
from textual.widgets import Button, Footer, Input, RichLog, Static

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.phone.call import CallView, PhoneCall
from yemot_ai_testing.phone.command import COMMANDS, CommandError, PhoneCommand, parse_command
from yemot_ai_testing.phone.phone import Phone
from yemot_ai_testing.phone.terminal.bidi import EXPLICIT_ORDER, IMPLICIT_ORDER, to_visual
from yemot_ai_testing.phone.terminal.rows import conversation_lines, exchange_lines, wrap_words

__all__ = ["PhoneApp", "run_terminal"]

LOOK_INTERVAL: Final = 0.1
"""Seconds between two looks at the call."""

LONG_SILENCE: Final = 3.0
"""Seconds of dead air from which the timer is red."""

KEYPAD: Final = "123456789*0#"

SIDE_COLUMNS: Final = 50
"""Columns from which there is room for the keypad and the raw exchange."""

HELP: Final = (
    "Type to speak; digits answer a question that takes keys. /dial [EXTENSION], /number NUMBER (none: "
    "withheld), /save NAME, /replay FILE, /quit, and "
    + ", ".join(f"/{PhoneCommand(verb, one.text)}" for verb, one in COMMANDS.items())
)


def run_terminal(phone: Phone, *, number: str, extension: str, visual: bool = True) -> None:
    """Call in the terminal until the person leaves.

    Args:
        phone: the calls.
        number: who calls; empty for a withheld number.
        extension: where the call begins.
        visual: reorder right-to-left text here, and not in the terminal.
    """
    if visual and sys.stdout.isatty():
        sys.stdout.write(EXPLICIT_ORDER)
        sys.stdout.flush()
    try:
        PhoneApp(phone, number=number, extension=extension, visual=visual).run()
    finally:
        if visual and sys.stdout.isatty():
            sys.stdout.write(IMPLICIT_ORDER)
            sys.stdout.flush()


class PhoneApp(App[None]):
    """One call at a time, with the conversation, the keypad, and the raw exchange beside it."""

    TITLE = "yemot-ai phone"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (SIDE_COLUMNS, "-wide")]  # noqa: RUF012 - typed by Textual
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "send('silent')", "silence"),
        Binding("f3", "send('repeats')", "repeat the request"),
        Binding("f4", "send('hangs_up')", "hang up"),
        Binding("f5", "dial", "dial"),
        Binding("f1", "help", "help"),
        Binding("ctrl+q", "quit", "leave"),
    ]

    def __init__(self, phone: Phone, *, number: str, extension: str, visual: bool) -> None:
        super().__init__()
        self._phone = phone
        self._number = number
        self._extension = extension
        self._visual = visual
        self._shown = (0, 0)
        self.call_number = 0

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with Horizontal():
            with Vertical(id="talk"):
                yield RichLog(id="conversation", wrap=False, auto_scroll=True)
                yield Static(id="status")
                yield Static(id="preview")
                yield Input(id="entry", placeholder="type to speak, /help for commands")
            with Vertical(id="side"):
                with Grid(id="keypad"):
                    for key in KEYPAD:
                        yield _key_button(key)
                yield RichLog(id="raw", wrap=False, auto_scroll=True)
        yield Footer()

    def on_mount(self) -> None:
        """Dial once the screen is laid out, and look at the call from then on."""
        self.query_one("#entry", Input).focus()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        target = self._phone.target
        model = "the model repeats what it is asked" if target.model is not None else "with its own model"
        self._say(f"calls {target.name}; {model}; F1 helps")
        for warning in target.warnings:
            self._say(warning)
        self.action_dial()
        self.set_interval(LOOK_INTERVAL, self._look)

    @property
    def call(self) -> PhoneCall:
        """The call of the screen."""
        return self._phone.call(self.call_number)

    def action_dial(self) -> None:
        """Begin another call; the one before is hung up."""
        if self.call_number:
            self.call.close()
        try:
            self.call_number = self._phone.dial(self._number, self._extension)
        except ToolkitError as error:
            self._say(str(error))
            return
        self._shown = (0, 0)
        self.query_one("#raw", RichLog).clear()

    def action_send(self, text: str) -> None:
        """Do a command."""
        self._do(lambda: self.call.send(parse_command(text)))

    def action_help(self) -> None:
        """Say what can be typed."""
        self._say(HELP)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Press a key of the phone."""
        self.action_send(f"presses {event.button.label}")
        self.query_one("#entry", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what is being typed as it reads."""
        shown = to_visual(event.value, enabled=self._visual)
        self.query_one("#preview", Static).update(shown if shown != event.value else "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what was typed."""
        text = event.value.strip()
        event.input.clear()
        if not text:
            return
        if text.startswith("/"):
            self._do(lambda: self._command(text[1:]))
        else:
            self._do(lambda: self.call.send(self._spoken(text)))

    def _spoken(self, text: str) -> PhoneCommand:
        """Return what a typed text does: keys answer a question that does not listen."""
        possible = self.call.view().possible
        is_keys = not set(text) - set(KEYPAD)
        if is_keys and "presses" in possible and "says" not in possible:
            return PhoneCommand("presses", text)
        return PhoneCommand("records" if "records" in possible else "says", text)

    def _command(self, text: str) -> None:
        name, _, rest = text.partition(" ")
        rest = rest.strip()
        match name:
            case "quit":
                self.exit()
            case "help":
                self.action_help()
            case "dial":
                self._extension = rest or self._extension
                self.action_dial()
            case "number":
                self._number = rest
                self.action_dial()
            case "save":
                self._say(f"written to {self._phone.save(self.call_number, rest)}")
            case "replay":
                self._replay(rest)
            case _:
                self.call.send(parse_command(text))

    def _replay(self, file: str) -> None:
        self.call.close()
        self.call_number = self._phone.replay(file)
        self._shown = (0, 0)

    def _do(self, work: Callable[[], object]) -> None:
        try:
            work()
        except CommandError as error:
            self._say(f"{error}; /help says more")
        except (ToolkitError, OSError) as error:
            self._say(str(error))

    def _say(self, text: str) -> None:
        log = self.query_one("#conversation", RichLog)
        for line in wrap_words(text, _width(log)):
            log.write(to_visual(line, enabled=self._visual))

    def _look(self) -> None:
        if not all(self.query(f"#{name}") for name in ("conversation", "raw", "status")):
            return  # the screen is being taken down
        view = self.call.view()
        rows, exchanges = self._shown
        talk, raw = self.query_one("#conversation", RichLog), self.query_one("#raw", RichLog)
        for row in view.rows[rows:]:
            for line in conversation_lines(row, _width(talk), visual=self._visual):
                talk.write(line)
        for line in exchange_lines(view.exchanges, exchanges, _width(raw), visual=self._visual):
            raw.write(line)
        self._shown = (len(view.rows), len(view.exchanges))
        self._show_status(view)

    def _show_status(self, view: CallView) -> None:
        status = self.query_one("#status", Static)
        status.set_class(view.waiting > LONG_SILENCE, "silent")
        waiting = f"the line is busy for {view.waiting:.1f} s" if view.busy else view.waits_for
        status.update(to_visual(view.notice or waiting, enabled=self._visual))
        for button in self.query("Button.key").results(Button):
            button.disabled = "presses" not in view.possible


def _key_button(key: str) -> Button:
    """Return the button of a key; without padding, for which a narrow terminal may have no room."""
    button = Button(key, id=f"key-{ord(key)}", classes="key")
    button.styles.line_pad = 0  # in a style sheet Textual refuses 0
    return button


def _width(log: RichLog) -> int:
    """Return the columns of a log, without its scroll bar."""
    return max(log.content_size.width - log.scrollbar_size_vertical, 20)
