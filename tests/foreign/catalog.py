"""The foreign servers: how each is started, and the calls that the documentation shows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from tests.docs.generated_section import Section
from tests.foreign import node, php
from tests.foreign.calls import ForeignCall

__all__ = ["SERVERS", "SERVERS_FOLDER", "ForeignServer", "Start", "UrlOf"]

Start: TypeAlias = Callable[[], tuple[list[str], Path]]
"""Returns the command of a server and its working directory."""

UrlOf: TypeAlias = Callable[[str], str]
"""Returns the URL of a server of the catalog, which it starts if necessary."""

HERE: Final = Path(__file__).parent
SERVERS_FOLDER: Final = HERE / "servers"


@dataclass(frozen=True, slots=True)
class ForeignServer:
    """A server in the style of other people.

    Attributes:
        name: the name of its section in the documentation.
        start: returns its command and its working directory.
        calls: the calls of its table; it has no table without them.
    """

    name: str
    start: Start
    calls: tuple[ForeignCall, ...] = ()

    @property
    def section(self) -> Section:
        """The section with its table."""
        return Section("foreign-servers.md", self.name, "tests.foreign.table")


def _node(script: str) -> Start:
    return lambda: ([node.program("node"), script], SERVERS_FOLDER)


def _python(script: str, folder: Path = SERVERS_FOLDER) -> Start:
    return lambda: ([sys.executable, script], folder)


def _php() -> tuple[list[str], Path]:
    return [php.program(), "-S", "127.0.0.1:0", "-t", "php"], SERVERS_FOLDER


_ORDER = (
    ("presses", "1"),
    ("says", "דוד כהן"),
    ("records", "/bakery/000.wav"),
    ("presses", "12"),
    ("silent",),
)

_ROUTER2 = (
    ForeignCall("five turns: keys, speech, a recording, keys that may be left out, silence", steps=_ORDER),
    ForeignCall("the caller hangs up at a question", steps=(("presses", "2"), ("hangs_up",))),
    ForeignCall("keys at a spoken question", steps=(("presses", "1"), ("presses", "5#"))),
    ForeignCall("one name for two questions", "/reuse", (("presses", "1"), ("presses", "2"))),
    ForeignCall("the engine for long speech", "/engine"),
    ForeignCall("that engine, past the check that refuses it", "/engine-forced"),
    ForeignCall("a text that the line cannot speak", "/dash"),
    ForeignCall("a line with `api_phone_send=no`", switches={"omitted": frozenset({"ApiPhone"})}),
)

_NAIVE = (
    ForeignCall(
        "a conversation, with silence in it", steps=(("presses", "30#"), ("silent",), ("says", "דוד"))
    ),
    ForeignCall("two sentences", "/sentences"),
    ForeignCall("quotes", "/quotes"),
    ForeignCall("an action that does not exist", "/hangup"),
    ForeignCall("two questions in one answer", "/two-questions"),
    ForeignCall("JSON", "/json"),
    ForeignCall("an empty body", "/nothing"),
)

SERVERS: Final = {
    server.name: server
    for server in (
        ForeignServer("router2", node.start, _ROUTER2),
        ForeignServer("naive", _python("server.py", HERE / "naive"), _NAIVE),
        ForeignServer("router1", _node("router1.mjs")),
        ForeignServer("waiting-room", _node("waiting_room.mjs")),
        ForeignServer("worker", _node("worker.mjs")),
        ForeignServer("php", _php),
        ForeignServer("first-value", _python("first_value.py")),
        ForeignServer("simple-answers", _python("simple_answers.py")),
        ForeignServer("two-extensions", _python("two_extensions.py")),
    )
}
