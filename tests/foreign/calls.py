"""Calls to foreign servers, and the lint result of each response."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.docs.generated_section import code
from yemot_ai.protocol import lint
from yemot_ai_testing import Caller
from yemot_ai_testing.line.exchange import LineExchange

__all__ = ["NAIVE", "ORDER", "ROUTER2", "ForeignCall"]

Step = tuple[str, ...]
"""A verb of ``Caller`` and its arguments."""


@dataclass(frozen=True, slots=True)
class ForeignCall:
    """A call to a foreign server.

    Attributes:
        about: what it tests.
        path: the path that it requests.
        steps: what the caller does after dialling.
        switches: settings of the line.
    """

    about: str
    path: str = "/"
    steps: Sequence[Step] = ()
    switches: dict[str, Any] = field(default_factory=dict)

    def rows(self, url: str) -> Iterator[tuple[str, str, str]]:
        """Make the call; yield each verb, its response, and the lint result.

        If the call has ended by itself, the line sends a hang-up too; its response is not a row.
        """
        caller = Caller(url + self.path, strict=False, **self.switches)
        for verb, *arguments in (("dial",), *self.steps):
            before = len(caller.exchanges)
            getattr(caller, verb)(*arguments)
            step = " ".join((verb, *arguments))
            for exchange in caller.exchanges[before:]:
                if not exchange.hangup or verb == "hangs_up":
                    yield step, code(exchange.body), _verdict(exchange)


def _verdict(exchange: LineExchange) -> str:
    if exchange.hangup:
        return "(the line does not use it)"
    names = {name for name, _ in exchange.pairs if not name.startswith("Api")}
    problems = [
        f"{problem.level} `{problem.code}` {problem.source}" for problem in lint(exchange.body, names)
    ]
    return "; ".join(dict.fromkeys(problems)) or "nothing"


ORDER = (
    ("presses", "1"),
    ("says", "דוד כהן"),
    ("records", "/bakery/000.wav"),
    ("presses", "12"),
    ("silent",),
)

ROUTER2 = (
    ForeignCall("five turns: keys, speech, a recording, keys that may be left out, silence", steps=ORDER),
    ForeignCall("the caller hangs up at a question", steps=(("presses", "2"), ("hangs_up",))),
    ForeignCall("keys at a spoken question", steps=(("presses", "1"), ("presses", "5#"))),
    ForeignCall("one name for two questions", "/reuse", (("presses", "1"), ("presses", "2"))),
    ForeignCall("the engine for long speech", "/engine"),
    ForeignCall("that engine, past the check that refuses it", "/engine-forced"),
    ForeignCall("a text that the line cannot speak", "/dash"),
    ForeignCall("a line with `api_phone_send=no`", switches={"omitted": frozenset({"ApiPhone"})}),
)

NAIVE = (
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
