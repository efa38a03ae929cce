"""Violations of a history: a closed list of kinds, and the limits of time and tries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

__all__ = ["VIOLATION_KINDS", "Budget", "Violation", "ViolationKind"]

ViolationKind: TypeAlias = Literal[
    "altered",
    "asked_twice",
    "asked_unsaid",
    "answered_twice",
    "broken",
    "crossed_calls",
    "crossed_sessions",
    "done_twice",
    "endless",
    "forgot",
    "ignored",
    "gave_up",
    "greeted_twice",
    "invalid",
    "kept_waiting",
    "late",
    "left_open",
    "left_running",
    "lost_result",
    "out_of_order",
    "ran_after_hangup",
    "ran_after_interruption",
    "spoke_after_hangup",
    "spoke_after_interruption",
    "stale",
    "stored_after_hangup",
    "tool_ran_after_hangup",
    "tool_ran_twice",
    "two_writers",
    "unheard",
    "unstable",
    "wrong_result",
]
VIOLATION_KINDS: Final[tuple[ViolationKind, ...]] = get_args(ViolationKind)
"""Every kind of violation; ``docs/histories.md`` says what each means."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of time and tries; without the time in which the machine did not run a process.

    Attributes:
        request: seconds until the response to a request.
        hangup: seconds until a running model call ends, from the response to the hang-up.
        interruption: seconds until a running model call ends, from the response to an interrupting key.
        tries: how often the model may be asked for one utterance while there is no answer; without those of
            workers that died since.
        lease: seconds that a worker may not run (``ProcessStalled``) before others count it as dead, and
            ask the model again.
        turn: seconds for one turn, after which the caller hears an apology.
        asking: seconds until the model is asked, from the request that carries the utterance.
        retries: how often the model must be asked again after a transient failure (an overloaded service, a
            crash) before the caller may hear an apology; by default that is up to the application.
    """

    request: float = 10.0
    hangup: float = 0.0
    interruption: float = 2.0
    tries: int = 3
    lease: float = math.inf
    turn: float = math.inf
    asking: float = 10.0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule of a history.

    Attributes:
        kind: one of ``VIOLATION_KINDS``.
        message: what happened, in one sentence.
        at: when, in seconds of the history's clock.
        call: the name of the call; "" if it is about no single one.
        utterance: the ID of the utterance; "" for none.
        trace: the events that led to it, in order; at most 15 lines.
    """

    kind: ViolationKind
    message: str
    at: float
    call: str = ""
    utterance: str = ""
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join((f"{self.kind}: {self.message}", *self.trace))
