"""One call of a machine: who calls, what was said, and whether anybody is still there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from yemot_ai.protocol import Read, Record, Tap
from yemot_ai_testing.doubles.script import Step
from yemot_ai_testing.history.correlation import utterance
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.states import Over
from yemot_ai_testing.scenario.format.model import Action, Expectation, Meanwhile, Place, Turn

__all__ = ["NOWHERE", "Talk"]

NOWHERE = Place(Path("found.call.yaml"), 1, 1)

DIGITS = 4
"""How many digits an utterance's mark has, at least."""


@dataclass(eq=False, slots=True)
class Talk:
    """One call.

    Attributes:
        caller: who calls.
        said: what was said, in order: the marks.
        gone: the caller has hung up.
        turns: what the caller did, as a scenario says it.
        unsaid: what happened besides that no scenario can say.
        repeats_next: what the caller does next comes again, which a scenario says afterwards.
    """

    caller: Caller
    said: list[str] = field(default_factory=list)
    gone: bool = False
    turns: list[Turn] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)
    repeats_next: bool = False

    @property
    def listens(self) -> bool:
        """Whether the line waits for this caller to say something."""
        question = self.caller.question
        return not self.gone and question is not None and _takes(question)

    @property
    def told(self) -> bool:
        """Whether the application was told that the caller is gone."""
        return any(exchange.hangup for exchange in self.caller.exchanges)

    def saying(self, mark: str) -> Action:
        """Return how something is said, in whichever way the line listens."""
        question = self.caller.question
        match question.mode if question else None:
            case Tap():
                return Action("presses", f"{mark}#")
            case Record():
                return Action("records", f"/1/{mark}.wav")
        return Action("says", utterance(mark))

    def note(
        self,
        action: Action,
        *,
        hears: Expectation | None = None,
        step: Step | None = None,
        meanwhile: Meanwhile | None = None,
    ) -> None:
        """Write down what the caller does."""
        agent = () if step is None else (step,)
        self.turns.append(Turn(NOWHERE, action=action, hears=hears, agent=agent, meanwhile=meanwhile))

    def does(self, action: Action) -> None:
        """Do it.

        Raises:
            WrongVerbError: the line does not listen to that now.
        """
        match action.verb:
            case "presses":
                self.caller.presses(action.text)
            case "records":
                self.caller.records(action.text)
            case "silent":
                self.caller.silent()
            case "repeats":
                self.caller.repeats()
            case "hangs_up":
                self.hangs_up()
            case "says":
                self.caller.says(action.text)

    def hangs_up(self) -> None:
        """Hang up, unless that was done already, or the line has done so."""
        gone, self.gone = self.gone, True
        if not gone and not isinstance(self.caller.state, Over):
            self.caller.hangs_up()


def _takes(question: Read) -> bool:
    mode = question.mode
    return not isinstance(mode, Tap) or mode.max_digits is None or mode.max_digits >= DIGITS
