"""One call of a machine: who calls, what was said, and whether anybody is still there."""

from __future__ import annotations

from dataclasses import dataclass, field

from yemot_ai.protocol import Read, Record, Tap
from yemot_ai_testing.history.marks import utterance
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.states import Over

__all__ = ["Talk"]

DIGITS = 4
"""How many digits an utterance's mark has, at least."""


@dataclass(eq=False, slots=True)
class Talk:
    """One call.

    Attributes:
        caller: who calls.
        said: what was said, in order: the marks.
        gone: the caller has hung up.
    """

    caller: Caller
    said: list[str] = field(default_factory=list)
    gone: bool = False

    @property
    def listens(self) -> bool:
        """Whether the line waits for this caller to say something."""
        question = self.caller.question
        return not self.gone and question is not None and _takes(question)

    @property
    def told(self) -> bool:
        """Whether the application was told that the caller is gone."""
        return any(exchange.hangup for exchange in self.caller.exchanges)

    def speaks(self, mark: str) -> None:
        """Say something, in whichever way the line listens."""
        self.said.append(mark)
        question = self.caller.question
        mode = question.mode if question else None
        if isinstance(mode, Tap):
            self.caller.presses(f"{mark}#")
        elif isinstance(mode, Record):
            self.caller.records(f"/1/{mark}.wav")
        else:
            self.caller.says(utterance(mark))

    def hangs_up(self) -> None:
        """Hang up, unless the line has done so already."""
        self.gone = True
        if not isinstance(self.caller.state, Over):
            self.caller.hangs_up()


def _takes(question: Read) -> bool:
    mode = question.mode
    return not isinstance(mode, Tap) or mode.max_digits is None or mode.max_digits >= DIGITS
