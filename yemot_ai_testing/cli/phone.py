"""``yemot-ai phone``: call a line by hand."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Final

from yemot_ai.errors import MissingExtraError
from yemot_ai_testing.cli.output import print_text, to_json
from yemot_ai_testing.errors import AppError, ToolkitError
from yemot_ai_testing.phone.options import add_options, open_target
from yemot_ai_testing.phone.phone import Phone
from yemot_ai_testing.phone.stepwise import step

__all__ = ["add_arguments", "run"]

PACKAGES: Final = ("bidi", "starlette", "textual", "uvicorn")
"""What the extra ``phone`` installs, and ``testing`` does not."""

MAX_PORT: Final = 65535

STATE_FILE: Final = Path(".yemot-phone.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = "Call a line by hand: by default in the terminal."
    add_options(parser)
    face = parser.add_mutually_exclusive_group()
    face.add_argument("--web", action="store_true", help="a page on this machine instead of the terminal")
    face.add_argument(
        "--step",
        nargs="+",
        metavar="WHAT",
        help="one command at a time, with JSON as output: dial or replay FILE, then says TEXT, "
        "presses KEYS, silent, repeats, hangs-up …; view; save NAME",
    )
    parser.add_argument(
        "--bidi",
        choices=("phone", "terminal"),
        default="phone",
        help="who writes Hebrew from right to left (default: phone, which tells the terminal not to)",
    )
    parser.add_argument("--port", type=_port, default=0, help="of --web (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="of --web: only print the address")
    parser.add_argument(
        "--state",
        type=Path,
        default=STATE_FILE,
        help=f"of --step: the file that leads to the call (default: {STATE_FILE})",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Call a line.

    Returns:
        0; 1 if the line did not take a step, or the application's code failed in it; 2 for what cannot be
        called, and for wrong use.

    Raises:
        MissingExtraError: a package of the extra ``phone`` is not installed.
    """
    for package in PACKAGES:  # now: the processes and faces of the phone import them later
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package=package, extra="phone")
    try:
        if arguments.step:
            return _run_step(arguments)
        if not arguments.web:
            _check_terminal()
        with open_target(arguments) as target, Phone(target, Path(arguments.folder)) as phone:
            _run_face(arguments, phone)
    except ToolkitError as error:
        sys.stderr.write(f"yemot-ai: {error}\n")
        return 2
    return 0


def _check_terminal() -> None:
    """Raise an error without a terminal: Textual reads standard input, and draws on standard error.

    Raises:
        AppError: there is none.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise AppError(
            "there is no terminal to draw the phone in: --web calls from a browser, --step dial step by step"
        )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to {MAX_PORT}")
    return int(text)


def _run_face(arguments: argparse.Namespace, phone: Phone) -> None:
    # Each face needs its own libraries, whose imports take seconds.
    if arguments.web:
        from yemot_ai_testing.phone.web.serving import serve_phone  # noqa: PLC0415 - see above

        opened = _opener(browser=not arguments.no_browser)
        with contextlib.suppress(KeyboardInterrupt):  # that is how a person ends it
            serve_phone(phone, on_started=opened, port=arguments.port)
    else:
        from yemot_ai_testing.phone.terminal.app import run_terminal  # noqa: PLC0415 - see above

        visual = arguments.bidi == "phone"
        run_terminal(phone, number=arguments.phone, extension=arguments.extension, visual=visual)


def _opener(*, browser: bool) -> Callable[[str], None]:
    def opened(url: str) -> None:
        sys.stdout.write(f"{url}\nCtrl-C ends it.\n")
        sys.stdout.flush()
        if browser:
            webbrowser.open(url)

    return opened


def _run_step(arguments: argparse.Namespace) -> int:
    words = arguments.step
    step.check_step(words)
    if words[0] in {"dial", "replay"}:
        options = ["--model", *arguments.model, "--folder", str(Path(arguments.folder).resolve())]
        target = [arguments.target] if arguments.target else []
        remote = ["--i-own-this-server"] if arguments.remote else []
        state = step.start_keeper([*target, *options, *remote], arguments.state)
    else:
        state = step.StepState.read(arguments.state)
    dialling = {"phone": arguments.phone, "extension": arguments.extension}
    state, answer = step.perform_step(state, words, dialling)
    if arguments.state.exists():
        state.write(arguments.state)
    if step.has_log(arguments.state):
        answer["log"] = str(step.log_of(arguments.state))
    print_text(to_json(answer))
    return int(bool(answer.get("notice")))
