"""Who ended a call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from yemot_ai_testing.line.transcript import (
    CALLER_HUNG_UP,
    CallEnded,
    CallEvent,
    ExtensionEntered,
    SystemSound,
)
from yemot_ai_testing.scenario.format.model import CallEnding

__all__ = ["Ender", "ending_problem", "who_ended"]

Ender: TypeAlias = Literal["agent", "caller", "line"]
"""``agent``: the application's side, which also may move the caller out of its extensions."""

DROPPED: Final = frozenset({"M1607", "M1608", "M1609"})
"""What the line plays where the application has not said what comes next [OFF]."""


def who_ended(events: Iterable[CallEvent]) -> Ender | None:
    """Return who ended the call with ``events``; None if it continues.

    ``line`` if it dropped the caller after a message that the application could not be used.
    """
    before: CallEvent | None = None
    for event in events:
        if isinstance(event, CallEnded):
            if event.reason == CALLER_HUNG_UP:
                return "caller"
            return "line" if isinstance(before, SystemSound) and before.code in DROPPED else "agent"
        if not isinstance(event, ExtensionEntered):
            before = event
    return None


def ending_problem(expected: bool | CallEnding | None, ender: Ender | None) -> str | None:  # noqa: FBT001 - a value of the file
    """Return how the end of a call differs from ``ends``; None if it does not."""
    match expected, ender:
        case (None, _) | (False | "maybe", None) | (True, "agent" | "caller" | "line"):
            return None
        case ("maybe", "agent" | "caller") | ("agent", "agent") | ("caller", "caller"):
            return None
        case _, None:
            return "the call has not ended"
        case False, _:
            return "the call has ended"
        case _, "line":
            return (
                "the line dropped the caller, as after M1607: neither the agent nor the caller ended the call"
            )
    return f"the {ender} ended the call, not the {expected}"
