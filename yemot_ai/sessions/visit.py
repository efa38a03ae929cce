"""A visit: one stay of a call in one extension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["NOTHING_SPOKEN", "SpokenProgress", "Values", "Visit"]

Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SpokenProgress:
    """How far the answer of a running turn has been spoken; each request gets one response.

    Attributes:
        turn: the number of the turn.
        polls: for each request that was answered while the turn ran, its number of polls, and how many
            pieces had been spoken after its response.
    """

    turn: int = 0
    polls: tuple[tuple[int, int], ...] = ()

    def for_turn(self, turn: int) -> SpokenProgress:
        """Return the progress of ``turn``: this one, or an empty one."""
        return self if self.turn == turn else SpokenProgress(turn)

    @property
    def spoken_count(self) -> int:
        """How many pieces have been spoken."""
        return self.polls[-1][1] if self.polls else 0

    def span(self, poll: int) -> tuple[int, int, int] | None:
        """Return the pieces of the response to the request with ``poll`` polls.

        Returns:
            The number of polls, and the first and last piece; for a late request those of the newest
            one; None for a new request.
        """
        if not self.polls or poll > self.polls[-1][0]:
            return None
        numbers = [number for number, _ in self.polls]
        index = numbers.index(poll) if poll in numbers else len(numbers) - 1
        number, stop = self.polls[index]
        return number, self.polls[index - 1][1] if index else 0, stop

    def with_poll(self, poll: int, stop: int) -> SpokenProgress:
        """Return the progress after one more response: pieces up to ``stop`` (unchanged: a filler)."""
        return SpokenProgress(self.turn, (*self.polls, (poll, stop)))


NOTHING_SPOKEN: Final = SpokenProgress()
"""No answer is being spoken; shared by most sessions."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in one extension.

    Attributes:
        number: counts the visits of a call, from 1.
        extension: the extension.
        first_turn: turn numbers below this one belong to earlier visits.
        names_before: the line's value names that were used before this visit.
        seen: the values of the newest request that was answered.
        left: whether the last response led out of the extension.
        silences: how often in a row the caller has said nothing.
        decided: the number of the newest turn that has its response, and that response.
        spoken_progress: how far an answer that is still being written has been spoken.
        spoken_steps: the turn ids of the steps that a plain handler had asked before its newest response.
        sends_phone: whether the line sent the caller's number when the visit started.
    """

    number: int = 1
    extension: str = ""
    first_turn: int = 1
    names_before: tuple[str, ...] = ()
    seen: Values = ()
    left: bool = False
    silences: int = 0
    decided: tuple[int, str] = (0, "")
    spoken_progress: SpokenProgress = NOTHING_SPOKEN
    spoken_steps: tuple[str, ...] = ()
    sends_phone: bool = False

    @property
    def step_prefix(self) -> str:
        """The beginning of the turn ids of a plain handler's steps."""
        return f"v{self.number}s"
