"""Limits of one answer, one call and one caller."""

from __future__ import annotations

from dataclasses import dataclass, field

from yemot_ai._turns.answer_limits import AnswerLimits
from yemot_ai.errors import LimitReachedError
from yemot_ai.sessions import Session
from yemot_ai.validation import check_number, check_type

__all__ = ["Limits"]

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a call and a caller; None is no limit. Beyond a limit no model is asked.

    >>> Limits(turns=30, minutes=20).turns_per_day is None
    True

    Args:
        turns: questions to the AI in one call.
        minutes: minutes of one call.
        turns_per_day: questions to the AI from one number in a day (UTC), over all its calls. A
            withheld number is not counted: refuse it with ``AccessPolicy(allow_withheld=False)``.
        answer: how long one answer may be; a longer one is cut.
        tool_calls: calls of tools in one turn; then the model has to answer.

    Raises:
        ConfigurationError: if a limit is not a positive number.
    """

    turns: int | None = None
    minutes: float | None = None
    turns_per_day: int | None = None
    answer: AnswerLimits = field(default_factory=AnswerLimits)
    tool_calls: int = 10

    def __post_init__(self) -> None:
        for name in ("turns", "minutes", "turns_per_day"):
            most = getattr(self, name)
            if most is not None:
                check_number(name, most, "a positive number, or None for no limit")
        check_number("tool_calls", self.tool_calls, "a whole number above 0", whole=True)
        check_type("answer", self.answer, AnswerLimits, "AnswerLimits(…)")

    def check(self, session: Session, turn_id: str, *, now: float) -> None:
        """Raise if a turn is beyond the limits of its call.

        Args:
            session: the session of the call.
            turn_id: the turn; it may be in the ledger already.
            now: Unix time in seconds.

        Raises:
            LimitReachedError: if it is.
        """
        own = session.turn(turn_id)
        not_counted = {turn_id, own.parent if own else ""}  # the parent of a step has not asked yet
        asked = sum(bool(turn.conversation) for turn in session.turns if turn.id not in not_counted)
        if self.turns is not None and asked >= self.turns:
            raise LimitReachedError(limit="turns", most=self.turns)
        if self.minutes is not None and session.started and now - session.started > self.minutes * MINUTE:
            raise LimitReachedError(limit="minutes", most=self.minutes)
