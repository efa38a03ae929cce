"""A difference: one handler, run by yemot-flow's ``Flow`` and by ``AIFlow``; only the import changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

import yemot_flow

from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import Caller, ScriptedProvider

__all__ = ["AnyCall", "Difference", "Handler", "Make", "answers", "dialled", "ours", "plain"]

AnyCall = Any
"""A ``yemot_flow.Call`` or an ``AICall``: a handler must not care."""

Handler = Callable[[AnyCall], Any]


class Make(Protocol):
    """Makes the one flow or the other."""

    def __call__(self, *, timeout: int = 30_000) -> yemot_flow.Flow:
        """Return a flow that forgets calls after ``timeout`` milliseconds."""
        ...


def plain(*, timeout: int = 30_000) -> yemot_flow.Flow:
    """Make what the documentation of yemot-flow makes."""
    return yemot_flow.Flow(timeout=timeout)


def ours(*, timeout: int = 30_000) -> yemot_flow.Flow:
    """Make what it becomes when the import is changed."""
    return AIFlow(YemotAI(provider=ScriptedProvider()), timeout=timeout)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that yemot-flow does and the line does not, or a caller cannot bear.

    Attributes:
        number: its row.
        title: what yemot-flow does.
        line: what the line says of it.
        source: how sure that is: ``[OFF]``, ``[LIVE]``, ``[LIB]`` or ``[?]``.
        here: what ``AIFlow`` does.
        show: runs the handler on a flow and returns what came of it.
        fault: a pattern that is found in what came of it only as long as the fault is there.
        mended: a pattern that is found only once it is gone.
    """

    number: int
    title: str
    line: str
    source: str
    here: str
    show: Callable[[Make], str]
    fault: str
    mended: str

    @property
    def id(self) -> str:
        """Return the row's name, as in ``01-read-asks-only-the-first-message``."""
        return f"{self.number:02}-" + "-".join(re.findall(r"\w+", self.title.lower()))

    def has_fault(self, shown: str) -> bool:
        """Tell whether the fault is what came of it."""
        return re.search(self.fault, shown) is not None and re.search(self.mended, shown) is None

    def is_mended(self, shown: str) -> bool:
        """Tell whether what came of it is as it should be."""
        return re.search(self.mended, shown) is not None and re.search(self.fault, shown) is None

    def out_of_date(self, shown: str) -> str:
        """Say what to do when yemot-flow no longer shows the fault."""
        return (
            f"row {self.number} ({self.title}) is out of date: yemot-flow {version('yemot-flow')} gives\n"
            f"  {shown}\n"
            f"and that is no longer the fault /{self.fault}/. Change or drop the row, then: "
            "python -m tests.yemot_flow.table"
        )


def dialled(flow: yemot_flow.Flow, handler: Handler, extension: str = "7", **switches: Any) -> Caller:  # noqa: ANN401 - LineSettings' own
    """Let ``handler`` serve ``extension``, and dial in there; the answers may be wrong."""
    flow.add_route(extension, handler)
    # Whoever leaves the extension has left the application: what a row shows is what happens inside.
    switches.setdefault("extensions", frozenset({extension}))
    caller = Caller(flow, extension=extension, strict=False, **switches)
    caller.dial()
    return caller


def answers(caller: Caller) -> str:
    """Return what the line was told, answer by answer, and what it made of an answer that is none."""
    told = " → ".join(exchange.body for exchange in caller.exchanges if not exchange.hangup)
    return f"{told} ⇒ M1607" if "M1607" in str(caller.transcript) else told
