"""What a provider is asked in one turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from yemot_ai._turns.stream import AnswerStream

if TYPE_CHECKING:  # only a conversation with tools needs it
    from yemot_ai._turns.tool_loop import ToolLoop

__all__ = ["Question"]


@dataclass(frozen=True, slots=True)
class Question:
    """What a provider is asked in one turn.

    Attributes:
        prompt: what the caller said, with notes.
        instructions: how to answer.
        stream: takes pieces while the model writes them; None: none are wanted.
        tools: the calls of tools; None if there are no tools.
    """

    prompt: str
    instructions: str | None
    stream: AnswerStream | None
    tools: ToolLoop | None

    def can_ask_again(self) -> bool:
        """Return whether the caller has heard nothing of the model's newest message; drop its text."""
        if self.stream is None:
            return True
        self.stream.reset()
        return len(self.stream.pieces) <= (self.tools.kept_pieces if self.tools else 0)

    def forget_states(self) -> None:
        """Forget what only the provider session knows, because the conversation is rebuilt."""
        if self.tools is not None:
            self.tools.forget_states()

    def speak(self, text: str) -> None:
        """Make a text the end of the answer."""
        if self.stream is not None:
            self.stream.feed(text)
            self.stream.finish()
