"""The result of a played scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.line.transcript import CallEvent, Transcript
from yemot_ai_testing.scenario.format.model import Edit, Scenario, ScenarioTurn, SilenceLimits, SourceLocation
from yemot_ai_testing.scenario.play.tools.runs import ToolRun

__all__ = [
    "EXPECTATION_KINDS",
    "MISMATCH_KINDS",
    "Mismatch",
    "MismatchKind",
    "PlayedTurn",
    "ScenarioFailure",
    "ScenarioResult",
    "ScenarioState",
    "TurnStatus",
]

MismatchKind: TypeAlias = Literal[
    "heard",
    "response",
    "ends",
    "dead_air",
    "protocol",
    "no_answer",
    "app_error",
    "verb",
    "endless",
    "meanwhile",
    "script",
    "afterwards",
]
MISMATCH_KINDS: tuple[MismatchKind, ...] = get_args(MismatchKind)
"""Why a scenario can fail; stable, for grouping.

``heard``: different words. ``response``: a different action. ``ends``: the call has (not) ended.
``dead_air``: too long a silence. ``protocol``: the line cannot parse the response. ``no_answer``: the
application raised, was late or unreachable. ``app_error``: the developer's own code failed in a flow, and
the caller heard an apology; or it moves the caller to no handler. ``verb``: the line does not wait for the
caller's action. ``endless``: it never waits for the caller again. ``meanwhile``: what
should happen at the server did not. ``script``: the model calls do not match the script.
``afterwards``: wrong counts of leftovers, other tools, or a check of the outcome that failed.
"""

EXPECTATION_KINDS: frozenset[MismatchKind] = frozenset({"heard", "response", "ends", "dead_air"})
"""Kinds that ``hears`` can cause: the call has not ended, so the scenario can continue."""

TurnStatus: TypeAlias = Literal["passed", "failed", "not_run"]
ScenarioState: TypeAlias = Literal["passed", "failed", "fake only"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference between the scenario and the call.

    Attributes:
        kind: the kind of failure.
        message: the description.
        correction: the edit, inside ``hears``, with which this part would pass; None if there is none.
    """

    kind: MismatchKind
    message: str
    correction: Edit | None = None


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    """The result of one turn.

    Attributes:
        turn: the turn.
        status: turns after a failure are ``not_run``, never passed.
        heard: everything that was heard in it.
        dead_air: its longest silence, in seconds.
        warnings: problems that do not fail the turn.
        events: its events, in the order in which they were recorded.
        exchanges: its requests and responses.
        mismatches: all differences from the scenario.
        tools: the calls of tools that began in it.
    """

    turn: ScenarioTurn
    status: TurnStatus
    heard: str = ""
    dead_air: float = 0.0
    warnings: tuple[str, ...] = ()
    events: tuple[CallEvent, ...] = ()
    exchanges: tuple[LineExchange, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    tools: tuple[ToolRun, ...] = ()

    @property
    def silence_limits(self) -> SilenceLimits | None:
        """The limits of dead air of the turn."""
        return self.turn.hears.within if self.turn.hears else None


@dataclass(frozen=True, slots=True)
class ScenarioFailure:
    """Why a scenario failed.

    Attributes:
        kind: the kind of the first mismatch.
        location: the position in the file.
        messages: all mismatches.
        turn: the number of the turn, from 1; None after the call.
        cause: the exception that caused it, if there is one.
        is_wording: whether the scenario would pass with other texts, which ``--yemot-update`` writes.
    """

    kind: MismatchKind
    location: SourceLocation
    messages: tuple[str, ...]
    turn: int | None = None
    cause: BaseException | None = None
    is_wording: bool = False

    @classmethod
    def from_mismatches(
        cls,
        mismatches: Sequence[Mismatch],
        turn: ScenarioTurn,
        number: int,
        cause: BaseException | None = None,
    ) -> ScenarioFailure:
        """Return the failure of turn ``number`` with the kind of the first mismatch."""
        messages = tuple(dict.fromkeys(mismatch.message for mismatch in mismatches))
        is_wording = all(mismatch.correction is not None for mismatch in mismatches)
        return cls(mismatches[0].kind, turn.location, messages, number, cause, is_wording)


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The result of a whole scenario.

    Attributes:
        scenario: the scenario.
        turns: one result for each of its turns.
        transcript: the events of the call.
        failure: why it failed; None if it did not.
        agent_turns: the number of turns with a model call.
        fake_only: why only a fake can play it; None if it was played.
        exchanges: all requests and responses, with those after the last turn.
    """

    scenario: Scenario
    turns: tuple[PlayedTurn, ...]
    transcript: Transcript = field(default_factory=Transcript)
    failure: ScenarioFailure | None = None
    agent_turns: int = 0
    fake_only: str | None = None
    exchanges: tuple[LineExchange, ...] = ()

    @property
    def state(self) -> ScenarioState:
        """The outcome in a word."""
        return "fake only" if self.fake_only else "failed" if self.failure else "passed"

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of all turns."""
        return tuple(warning for result in self.turns for warning in result.warnings)
