"""What came of a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.line.transcript import CallEvent, Transcript
from yemot_ai_testing.scenario.format.model import Scenario, ScenarioTurn, SilenceLimits, SourceLocation
from yemot_ai_testing.scenario.play.timeline import TurnEvent

__all__ = [
    "EXPECTATION_KINDS",
    "MISMATCH_KINDS",
    "Correction",
    "Mismatch",
    "MismatchKind",
    "ScenarioFailure",
    "ScenarioResult",
    "ScenarioState",
    "TurnResult",
    "TurnStatus",
]

MismatchKind: TypeAlias = Literal[
    "heard",
    "response",
    "ends",
    "dead_air",
    "protocol",
    "no_answer",
    "verb",
    "endless",
    "script",
    "afterwards",
]
MISMATCH_KINDS: tuple[MismatchKind, ...] = get_args(MismatchKind)
"""Why a scenario can fail; stable, for grouping.

``heard``: other words. ``response``: another action. ``ends``: the call has (not) ended. ``dead_air``: too
long a silence. ``protocol``: the line would not understand the answer. ``no_answer``: the application
raised, was late or unreachable. ``verb``: the line does not wait for what the caller does. ``endless``: it
never waits for the caller again. ``script``: the model was not asked what was scripted. ``afterwards``:
something is left behind.
"""

EXPECTATION_KINDS: frozenset[MismatchKind] = frozenset({"heard", "response", "ends", "dead_air"})
"""Kinds of what ``hears`` says: the call itself went on, and so can the scenario."""

TurnStatus: TypeAlias = Literal["passed", "failed", "not_run"]
ScenarioState: TypeAlias = Literal["passed", "failed", "fake only"]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a part of ``hears`` would have to be.

    Attributes:
        path: where in ``hears``: its key, and the number of the item or the name of the field, if any.
        value: the text that would be right; ``null`` for a field that is not there.
    """

    path: tuple[str | int, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is not as the scenario says.

    Attributes:
        kind: its class.
        message: what is wrong, in words.
        correction: how ``hears`` can be made to agree, if it can.
    """

    kind: MismatchKind
    message: str
    correction: Correction | None = None


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What came of one turn.

    Attributes:
        turn: the turn.
        status: turns after a failure are ``not_run``, never passed.
        heard: everything that was heard in it.
        dead_air: its longest silence, in seconds.
        warnings: what is worth telling though nothing failed.
        events: what happened in it, in the order in which it was noted.
        exchanges: the requests and answers of it.
        mismatches: everything that is not as written.
    """

    turn: ScenarioTurn
    status: TurnStatus
    heard: str = ""
    dead_air: float = 0.0
    warnings: tuple[str, ...] = ()
    events: tuple[CallEvent, ...] = ()
    exchanges: tuple[LineExchange, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()

    @property
    def silence_limits(self) -> SilenceLimits | None:
        """How long the line may be silent in it."""
        return self.turn.hears.within if self.turn.hears else None


@dataclass(frozen=True, slots=True)
class ScenarioFailure:
    """Why a scenario failed.

    Attributes:
        kind: the class of the first mismatch.
        location: where in the file.
        messages: everything that was wrong, in words.
        turn: the number of the turn, from 1; None for what comes after the call.
        cause: the exception behind it, if there is one.
    """

    kind: MismatchKind
    location: SourceLocation
    messages: tuple[str, ...]
    turn: int | None = None
    cause: BaseException | None = None

    @classmethod
    def from_mismatches(
        cls,
        mismatches: Sequence[Mismatch],
        turn: ScenarioTurn,
        number: int,
        cause: BaseException | None = None,
    ) -> ScenarioFailure:
        """Return the failure of turn ``number``, of the kind of the first thing that was wrong."""
        messages = tuple(dict.fromkeys(one.message for one in mismatches))
        return cls(mismatches[0].kind, turn.location, messages, number, cause)


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What came of a whole scenario.

    Attributes:
        scenario: the scenario.
        turns: one result for each of its turns.
        transcript: the call, as both sides lived it.
        failure: why it failed; None if it did not.
        agent_turns: how many turns the model was asked for.
        fake_only: why only a fake could have played it; None if it was played.
        exchanges: all requests and answers, those after the last turn included.
    """

    scenario: Scenario
    turns: tuple[TurnResult, ...]
    transcript: Transcript = field(default_factory=Transcript)
    failure: ScenarioFailure | None = None
    agent_turns: int = 0
    fake_only: str | None = None
    exchanges: tuple[LineExchange, ...] = ()

    @property
    def state(self) -> ScenarioState:
        """How it went, in a word."""
        return "fake only" if self.fake_only else "failed" if self.failure else "passed"

    @property
    def turn_events(self) -> list[TurnEvent]:
        """The whole call, each event with its turn."""
        turns = [
            TurnEvent(event, number, result.silence_limits)
            for number, result in enumerate(self.turns, start=1)
            for event in result.events
        ]
        return [*turns, *(TurnEvent(event, 0) for event in self.transcript[len(turns) :])]

    @property
    def dead_air(self) -> tuple[float, ...]:
        """The longest silence of each turn that was played, in seconds."""
        return tuple(result.dead_air for result in self.turns if result.status != "not_run")

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of all turns."""
        return tuple(warning for result in self.turns for warning in result.warnings)
