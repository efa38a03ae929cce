"""One call of a call machine: its caller, its utterances and its turns as a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from yemot_ai.protocol import Mode, Record, Tap, Voice
from yemot_ai_testing.doubles.steps import Calls, Step
from yemot_ai_testing.history.correlation import utterance_text
from yemot_ai_testing.history.questions import MIN_DIGITS, input_of
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.states import Confirming, Over, RecordingMenu
from yemot_ai_testing.line.transports.transport import Method
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


@dataclass(eq=False, slots=True)
class MachineCall:
    """One call.

    Attributes:
        caller: the caller.
        method: how the line sends the requests of this call.
        utterance_ids: the IDs of the caller's utterances, in order.
        has_ended: whether the caller has hung up.
        turns: the turns of the caller, as in a scenario.
        inexpressible: what happened that a scenario cannot express.
        repeats_next: whether the request of the next turn is repeated; in a scenario that is its own turn.
        unended: the turns in which the caller was silent, and which must have ended the call; None if there
            are none.
    """

    caller: Caller
    method: Method = "GET"
    utterance_ids: list[str] = field(default_factory=list)
    has_ended: bool = False
    turns: list[ScenarioTurn] = field(default_factory=list)
    inexpressible: list[str] = field(default_factory=list)
    repeats_next: bool = False
    unended: slice | None = None

    @property
    def awaits_speech(self) -> bool:
        """Whether the line waits for an utterance of this caller."""
        question = self.caller.question
        return not self.has_ended and question is not None and input_of(question) != "key"

    @property
    def awaits_key(self) -> bool:
        """Whether the line waits for keys of this caller that are no utterance: a menu, a confirmation."""
        question = self.caller.question
        return not self.has_ended and question is not None and input_of(question) == "key"

    @property
    def takes_keys(self) -> bool:
        """Whether the line listens to speech of this caller, and takes an utterance ID on the keys, too."""
        mode = self._mode
        takes_id = isinstance(mode, Voice) and (mode.max_digits or MIN_DIGITS) >= MIN_DIGITS
        return self.awaits_speech and takes_id and not self.blocks_keys

    @property
    def blocks_keys(self) -> bool:
        """Whether the line listens to speech and takes no keys."""
        mode = self._mode
        return isinstance(mode, Voice) and (mode.block_keys or mode.record_engine)

    @property
    def may_be_silent(self) -> bool:
        """Whether the line notices the silence of this caller; it records silence, too."""
        return not isinstance(self._mode, Record)

    @property
    def approval_key(self) -> str:
        """The key that approves what the line has understood or recorded; "" if it does not ask."""
        match self.caller.state:
            case Confirming():
                return "1"
            case RecordingMenu():
                return "2"
        return ""

    @property
    def _mode(self) -> Mode | None:
        question = self.caller.question
        return question.mode if question else None

    @property
    def hangup_was_sent(self) -> bool:
        """Whether the line has sent the hang-up to the application."""
        return any(exchange.hangup for exchange in self.caller.exchanges)

    def speech_action(self, utterance_id: str, *, length: int = 0) -> CallerAction:
        """Return the caller's action for an utterance, by the input mode of the current read.

        Args:
            utterance_id: the ID of the utterance.
            length: the least number of characters, if it is spoken.
        """
        match self._mode:
            case Tap():
                return CallerAction("presses", f"{utterance_id}#")
            case Record():
                return CallerAction("records", f"/1/{utterance_id}.wav")
        return CallerAction("says", utterance_text(utterance_id, length=length))

    def keys_action(self, key: str) -> CallerAction:
        """Return the caller's action for a question for a key.

        Args:
            key: the key; the line gets it with leading zeros if it asks for more. "" is silence.
        """
        mode = self._mode
        least = (mode.min_digits or 1) if isinstance(mode, Tap) else 1
        return CallerAction("presses", f"{key.rjust(least, '0')}#") if key else CallerAction("silent")

    def record_turn(
        self,
        action: CallerAction,
        *,
        hears: Expectation | None = None,
        step: Step | None = None,
        calls: Sequence[Calls] = (),
        interruption: InterruptionSpec | None = None,
    ) -> None:
        """Record a turn of the caller; ``calls`` are the model's messages before ``step``."""
        agent = () if step is None else (*calls, step)
        self.turns.append(
            ScenarioTurn(NO_LOCATION, action=action, hears=hears, agent=agent, interruption=interruption)
        )

    def forget_expectation(self) -> None:
        """Expect nothing of the newest turn: the line asked for a key, and the answer may come after it."""
        self.turns[-1] = replace(self.turns[-1], hears=None)

    def must_have_ended(self, silences: int) -> None:
        """Note that the newest turns, in which the caller was silent, have not ended the call.

        Args:
            silences: how many turns these are.
        """
        self.unended = self.unended or slice(len(self.turns) - silences, len(self.turns))

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
