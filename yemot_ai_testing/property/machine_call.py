"""One call of a call machine: its caller, its utterances and its turns as a scenario."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from yemot_ai.protocol import Read, Record, Tap, Voice
from yemot_ai_testing.doubles.steps import Step
from yemot_ai_testing.history.correlation import utterance_text
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.states import Over
from yemot_ai_testing.scenario.format.model import (
    CallerAction,
    Expectation,
    InterruptionSpec,
    ScenarioTurn,
    SourceLocation,
)
from yemot_ai_testing.scenario.play.runner import perform_action

__all__ = ["NO_LOCATION", "MachineCall"]

NO_LOCATION = SourceLocation(Path("found.call.yaml"), 1, 1)

MIN_DIGITS = 4
"""The fewest digits of an utterance ID."""


@dataclass(eq=False, slots=True)
class MachineCall:
    """One call.

    Attributes:
        caller: the caller.
        utterance_ids: the IDs of the caller's utterances, in order.
        has_ended: whether the caller has hung up.
        turns: the turns of the caller, as in a scenario.
        inexpressible: what happened that a scenario cannot express.
        repeats_next: whether the request of the next turn is repeated; in a scenario that is its own turn.
    """

    caller: Caller
    utterance_ids: list[str] = field(default_factory=list)
    has_ended: bool = False
    turns: list[ScenarioTurn] = field(default_factory=list)
    inexpressible: list[str] = field(default_factory=list)
    repeats_next: bool = False

    @property
    def awaits_speech(self) -> bool:
        """Whether the line waits for an utterance of this caller."""
        question = self.caller.question
        return not self.has_ended and question is not None and _accepts_utterance(question)

    @property
    def takes_keys(self) -> bool:
        """Whether the line listens to speech of this caller, and takes an utterance ID on the keys, too."""
        question = self.caller.question
        mode = question.mode if question else None
        return (
            self.awaits_speech and isinstance(mode, Voice) and (mode.max_digits or MIN_DIGITS) >= MIN_DIGITS
        )

    @property
    def hangup_was_sent(self) -> bool:
        """Whether the line has sent the hang-up to the application."""
        return any(exchange.hangup for exchange in self.caller.exchanges)

    def speech_action(self, utterance_id: str) -> CallerAction:
        """Return the caller's action for an utterance, by the input mode of the current read."""
        question = self.caller.question
        match question.mode if question else None:
            case Tap():
                return CallerAction("presses", f"{utterance_id}#")
            case Record():
                return CallerAction("records", f"/1/{utterance_id}.wav")
        return CallerAction("says", utterance_text(utterance_id))

    def record_turn(
        self,
        action: CallerAction,
        *,
        hears: Expectation | None = None,
        step: Step | None = None,
        interruption: InterruptionSpec | None = None,
    ) -> None:
        """Record a turn of the caller."""
        agent = () if step is None else (step,)
        self.turns.append(
            ScenarioTurn(NO_LOCATION, action=action, hears=hears, agent=agent, interruption=interruption)
        )

    def perform(self, action: CallerAction) -> None:
        """Run an action of the caller.

        Raises:
            WrongVerbError: the line does not accept it now.
        """
        if action.verb == "hangs_up":
            self.hang_up()
        else:
            perform_action(self.caller, action)

    def hang_up(self) -> None:
        """Hang up unless the call is over."""
        had_ended, self.has_ended = self.has_ended, True
        if not had_ended and not isinstance(self.caller.state, Over):
            self.caller.hangs_up()


def _accepts_utterance(question: Read) -> bool:
    mode = question.mode
    return not isinstance(mode, Tap) or mode.max_digits is None or mode.max_digits >= MIN_DIGITS
