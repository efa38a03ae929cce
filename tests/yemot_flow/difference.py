"""A difference: the same handler run by yemot-flow's ``Flow`` and by ``AIFlow``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

import yemot_flow

from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import Caller, ScriptedProvider

__all__ = [
    "ROWS",
    "AnyCall",
    "Difference",
    "FlowFactory",
    "Handler",
    "answers",
    "ask_once",
    "dial_in",
    "difference",
    "make_ai_flow",
    "make_plain_flow",
]

AnyCall = Any
"""A ``yemot_flow.Call`` or an ``AICall``."""

Handler = Callable[[AnyCall], Any]
Show = Callable[["FlowFactory"], str]


class FlowFactory(Protocol):
    """Creates one of the two flows."""

    def __call__(self, *, timeout: int = 30_000) -> yemot_flow.Flow:
        """Return a flow that drops calls after ``timeout`` milliseconds."""
        ...


def make_plain_flow(*, timeout: int = 30_000) -> yemot_flow.Flow:
    """Create the flow as in the documentation of yemot-flow."""
    return yemot_flow.Flow(timeout=timeout)


def make_ai_flow(*, timeout: int = 30_000) -> yemot_flow.Flow:
    """Create an ``AIFlow`` instead."""
    return AIFlow(YemotAI(provider=ScriptedProvider()), timeout=timeout)


@dataclass(frozen=True, slots=True)
class Difference:
    """A fault of yemot-flow that ``AIFlow`` does not have.

    Attributes:
        number: number of its row.
        title: what yemot-flow does.
        line: the rule of the line.
        source: source of the rule: ``[OFF]``, ``[LIVE]``, ``[LIB]`` or ``[?]``.
        here: what ``AIFlow`` does.
        fault: a pattern that matches the result only if the fault is present.
        fixed: a pattern that matches only if it is absent.
        show: runs the handler on a flow and returns the result as text.
    """

    number: int
    title: str
    line: str
    source: str
    here: str
    fault: str
    fixed: str
    show: Show

    @property
    def id(self) -> str:
        """Return the row's name, as in ``01-read-asks-only-the-first-message``."""
        return f"{self.number:02}-" + "-".join(re.findall(r"\w+", self.title.lower()))

    def has_fault(self, shown: str) -> bool:
        """Return whether the result shows the fault."""
        return re.search(self.fault, shown) is not None and re.search(self.fixed, shown) is None

    def is_fixed(self, shown: str) -> bool:
        """Return whether the result is correct."""
        return re.search(self.fixed, shown) is not None and re.search(self.fault, shown) is None

    def out_of_date(self, shown: str) -> str:
        """Return the message for a row whose fault yemot-flow no longer shows."""
        return (
            f"row {self.number} ({self.title}) is out of date: yemot-flow {version('yemot-flow')} gives\n"
            f"  {shown}\n"
            f"and that is no longer the fault /{self.fault}/. Change or drop the row, then: "
            "python -m tests.yemot_flow.table"
        )


ROWS: list[Difference] = []


def difference(  # noqa: PLR0913 - the fields of a row
    number: int, title: str, line: str, source: str, here: str, *, fault: str, fixed: str
) -> Callable[[Show], Show]:
    """Register the decorated function as the ``show`` of a row."""

    def register(show: Show) -> Show:
        ROWS.append(Difference(number, title, line, source, here, fault, fixed, show))
        return show

    return register


def dial_in(flow: yemot_flow.Flow, handler: Handler, extension: str = "7", **switches: Any) -> Caller:  # noqa: ANN401 - arguments of LineSettings
    """Register ``handler`` for ``extension`` and dial in there, without strict checks of the responses."""
    flow.add_route(extension, handler)
    # A caller who leaves the extension has left the application: rows show only this extension.
    switches.setdefault("extensions", frozenset({extension}))
    caller = Caller(flow, extension=extension, strict=False, **switches)
    caller.dial()
    return caller


def answers(caller: Caller) -> str:
    """Return all responses, and M1607 if one of them is invalid."""
    bodies = " → ".join(exchange.body for exchange in caller.exchanges if not exchange.hangup)
    return f"{bodies} ⇒ M1607" if "M1607" in str(caller.transcript) else bodies


def ask_once(make: FlowFactory, *messages: tuple[str, str], **options: Any) -> tuple[Caller, list[str]]:  # noqa: ANN401 - arguments of read
    """Let a handler ask once; return the caller, and the list that the handler's value is added to."""
    values: list[str] = []

    async def handler(call: AnyCall) -> None:
        values.append(await call.read(list(messages) or [("text", "מה")], **{"val_name": "x", **options}))
        call.hangup()

    return dial_in(make(), handler), values
