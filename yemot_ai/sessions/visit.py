"""A visit: one stay of a call in one extension of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["NOTHING_SPOKEN", "SpokenProgress", "Values", "Visit", "continues"]

Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SpokenProgress:
    """How far the answer of a turn was spoken; each request of the line is answered once.

    Attributes:
        turn: whose answer it is.
        polls: for each request that was answered while the turn ran, the number of polls that it
            brought, and how many sentences were spoken by its end.
    """

    turn: int = 0
    polls: tuple[tuple[int, int], ...] = ()

    def for_turn(self, turn: int) -> SpokenProgress:
        """Return what was told of ``turn``."""
        return self if self.turn == turn else SpokenProgress(turn)

    @property
    def spoken_count(self) -> int:
        """How many sentences were spoken."""
        return self.polls[-1][1] if self.polls else 0

    def span(self, poll: int) -> tuple[int, int, int] | None:
        """Find how a request was answered that brings ``poll`` polls.

        Returns:
            The number of polls, and from which sentence to which; for a request that comes late,
            those of the newest one; None for a new request.
        """
        if not self.polls or poll > self.polls[-1][0]:
            return None
        at = next((at for at, (known, _) in enumerate(self.polls) if known == poll), len(self.polls) - 1)
        known, stop = self.polls[at]
        return known, self.polls[at - 1][1] if at else 0, stop

    def with_poll(self, poll: int, stop: int) -> SpokenProgress:
        """Return it with the answer to one more request: sentences up to ``stop`` (as many: a filler)."""
        return SpokenProgress(self.turn, (*self.polls, (poll, stop)))


NOTHING_SPOKEN: Final = SpokenProgress()
"""No answer is being spoken: what most sessions say, nearly all of the time."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in one extension.

    Attributes:
        number: counts the visits of a call, from 1.
        extension: where it is.
        first_turn: turn numbers below this one belong to earlier visits.
        names_before: the line's value names that were used before this visit.
        seen: the values of the newest request that was answered.
        left: whether our last answer led out of the extension.
        silences: how often in a row the caller has said nothing.
        decided: the newest turn number that has its answer, and that answer.
        spoken_progress: how far an answer was spoken that is still being written.
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


def continues(seen: Values, values: Values) -> bool:
    """Tell whether a request with ``values`` goes on from one with ``seen``.

    The line sends every collected value again and appends the new ones [OFF]; constants
    (``api_add_N``) may stand before or after them, so the order is compared name by name.

    >>> continues((("menu", "1"),), (("menu", "1"), ("ai_1", "שלום")))
    True
    >>> continues((("menu", "1"),), ())
    False
    """
    if values[: len(seen)] == seen:
        return True
    now = _by_name(values)
    return all(now.get(name, [])[: len(old)] == old for name, old in _by_name(seen).items())


def _by_name(values: Values) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in values:
        found.setdefault(name, []).append(value)
    return found
