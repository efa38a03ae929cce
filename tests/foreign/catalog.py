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

_ROUTER1 = (
    ForeignCall(
        "four questions",
        steps=(
            ("presses", "1"),
            ("says", "צפת"),
            ("records", "/3/000.wav"),
            ("presses", "2"),
            ("presses", "4#"),
        ),
    ),
)

_WORKER = (
    ForeignCall("POST", steps=(("says", "צפת"),), method="POST"),
    ForeignCall("a text through `Response.json`", "/quoted", method="POST"),
    ForeignCall("GET: `api_url_post=yes` is missing", "/"),
)

_PHP = (
    ForeignCall(
        "a file that ends in `?>` and a blank line",
        "/register.php",
        (("presses", "7"), ("presses", "1"), ("presses", "12345678")),
    ),
    ForeignCall("actions on lines of their own", "/lines.php"),
    ForeignCall("a file with a byte order mark", "/bom.php"),
    ForeignCall("a redirect", "/bridge.php/302"),
    ForeignCall(
        "a redirect, with `follow_redirects`", "/bridge.php/302", switches={"follow_redirects": True}
    ),
    ForeignCall("status 201", "/bridge.php/201"),
    ForeignCall("status 201, with `accept_any_2xx`", "/bridge.php/201", switches={"accept_any_2xx": True}),
    ForeignCall(
        "more empty fields than there are",
        "/speech.php",
        (("says", "חדשות"), ("says", "הודעה"), ("records", "/9/000.wav")),
    ),
)

_FIRST_VALUE = (
    ForeignCall("`to_dict()`: the first value of a name", "/first", steps=(("says", "מה"), ("presses", "1"))),
    ForeignCall("the newest value of a name", "/newest", steps=(("says", "מה"), ("presses", "1#"))),
    ForeignCall("keys", "/keys", steps=(("presses", "1#"), ("presses", "1"))),
    ForeignCall("a recording", "/recording"),
)

_SIMPLE = (
    ForeignCall("no such code", "/", (("presses", "9999"),)),
    ForeignCall("one word", "/", (("presses", "3333"),)),
    ForeignCall("the name of its setting", "/", (("presses", "4444"),)),
    ForeignCall("a payment", "/pay", (("pays", "000"),)),
)

_TWO: Final = frozenset({"", "1"})

_EXTENSIONS = tuple(
    ForeignCall(about, f"/{key}", (("says", "דוד"),), {"extensions": _TWO, "new_call_id_per_extension": True})
    for about, key in (
        ("the state is kept by `ApiCallId`, which the line changes", "ApiCallId"),
        ("the state is kept by `ApiYFCallId`", "ApiYFCallId"),
    )
)

SERVERS: Final = {
    server.name: server
    for server in (
        ForeignServer("router2", node.start, _ROUTER2),
        ForeignServer("naive", _python("server.py", HERE / "naive"), _NAIVE),
        ForeignServer("router1", _node("router1.mjs"), _ROUTER1),
        ForeignServer("waiting-room", _node("waiting_room.mjs")),
        ForeignServer("worker", _node("worker.mjs"), _WORKER),
        ForeignServer("php", _php, _PHP),
        ForeignServer("first-value", _python("first_value.py"), _FIRST_VALUE),
        ForeignServer("simple-answers", _python("simple_answers.py"), _SIMPLE),
        ForeignServer("two-extensions", _python("two_extensions.py"), _EXTENSIONS),
    )
}
