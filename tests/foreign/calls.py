"""Calls to foreign servers, and the lint result of each response."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from tests.docs.generated_section import code
from yemot_ai.protocol import lint
from yemot_ai_testing import Caller
from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.line.transports.transport import FaultCode, Method

__all__ = ["ForeignCall"]

FAULTS: Final = frozenset(get_args(FaultCode)) - {"empty"}
"""Problems of the exchange that the text of the response does not show."""

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
        method: ``GET`` or ``POST``.
    """

    about: str
    path: str = "/"
    steps: Sequence[Step] = ()
    switches: dict[str, Any] = field(default_factory=dict)
    method: Method = "GET"

    def rows(self, url: str) -> Iterator[tuple[str, str, str]]:
        """Make the call; yield each verb, its response, and the lint result.

        If the call has ended by itself, the line sends a hang-up too; its response is not a row.
        """
        caller = Caller(url + self.path, method=self.method, strict=False, **self.switches)
        for verb, *arguments in (("dial",), *self.steps):
            before = len(caller.exchanges)
            getattr(caller, verb)(*arguments)
            step = " ".join((verb, *arguments))
            for exchange in caller.exchanges[before:]:
                if not exchange.hangup or verb == "hangs_up":
                    yield step, code(_one_line(exchange.body)), _verdict(exchange)


def _one_line(body: str) -> str:
    return body.replace("\r", "\\r").replace("\n", "\\n").replace("\ufeff", "\\ufeff")


def _verdict(exchange: LineExchange) -> str:
    if exchange.hangup:
        return "(the line does not use it)"
    names = {name for name, _ in exchange.pairs if not name.startswith("Api")}
    faults = [f"{problem.level} `{problem.code}`" for problem in exchange.problems if problem.code in FAULTS]
    problems = faults or [
        f"{problem.level} `{problem.code}` {problem.source}" for problem in lint(exchange.body, names)
    ]
    return "; ".join(dict.fromkeys(problems)) or "nothing"
