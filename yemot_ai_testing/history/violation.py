"""What can be wrong with a history, in a closed list of words, and how long things may take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

__all__ = ["VIOLATION_KINDS", "Budget", "Violation", "ViolationKind"]

ViolationKind: TypeAlias = Literal[
    "asked_twice",
    "asked_unsaid",
    "answered_twice",
    "broken",
    "crossed_calls",
    "crossed_sessions",
    "endless",
    "forgot",
    "ignored",
    "invalid",
    "late",
    "left_open",
    "out_of_order",
    "ran_after_hangup",
    "ran_after_interruption",
    "spoke_after_hangup",
    "spoke_after_interruption",
    "stale",
    "stored_after_hangup",
    "two_writers",
    "unheard",
    "unstable",
]
VIOLATION_KINDS: Final[tuple[ViolationKind, ...]] = get_args(ViolationKind)
"""Every kind of violation; ``docs/histories.md`` says what each means."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much time things may take, and how many tries; without the time that a process stood still.

    Attributes:
        request: seconds until a request must be answered.
        hangup: seconds that what runs may take to end once the hang-up was answered.
        interruption: seconds that a model may take to end once a key that interrupts it was answered.
        tries: how often the model may be asked for one utterance, while there is no answer; by workers that
            died since, not counted.
        lease: seconds that a worker may stand still (``Stalled``) before others take it for dead, and ask
            anew what it was asking.
        turn: seconds for one turn, after which the caller hears an apology.
    """

    request: float = 10.0
    hangup: float = 0.0
    interruption: float = 2.0
    tries: int = 3
    lease: float = math.inf
    turn: float = math.inf


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that may not happen.

    Attributes:
        kind: one of ``VIOLATION_KINDS``.
        message: what happened, in one sentence.
        at: when, in seconds of the history's clock.
        call: to which call; "" where it is no single one's.
        utterance: to which utterance; "" for none.
        trace: how it came to that, in the order of events; at most 15 lines.
    """

    kind: ViolationKind
    message: str
    at: float
    call: str = ""
    utterance: str = ""
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join((f"{self.kind}: {self.message}", *self.trace))
