"""Calls to make on an application of which nothing is known, from short to long.

A plan says what the caller does; with which keys and words depends on what the line asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from yemot_ai_testing.doubles.steps import Answer, Failure, Hang, Step
from yemot_ai_testing.scenario.format.model import CallerSpec

__all__ = ["PLANS", "Move", "MoveKind", "Plan"]

MoveKind: TypeAlias = Literal["replies", "wrong_key", "key", "silent", "repeats", "hangs_up_waiting"]


@dataclass(frozen=True, slots=True)
class Move:
    """What the caller does next.

    Attributes:
        kind: ``replies``: speaks, and presses keys until the line listens; ``wrong_key``: presses a key that
            is not offered; ``key``: presses a key where the line listens; ``hangs_up_waiting``: speaks, and
            hangs up while the model thinks.
        text: what the caller says, or the key.
        agent: what the model does.
    """

    kind: MoveKind
    text: str = ""
    agent: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A call, or the same call several times.

    Attributes:
        name: the name of the scenario.
        moves: what the caller does after the greeting.
        caller: who calls.
        choice: which of the offered keys is pressed, from 0.
        times: how many calls, one after the other.
    """

    name: str
    moves: tuple[Move, ...]
    caller: CallerSpec = field(default_factory=CallerSpec)
    choice: int = 0
    times: int = 1


PRICE: Final = Answer(("המחיר 12 שקלים.", " אפשר לשלם במזומן,", " או באשראי.", " תודה לכם"))
HOURS: Final = Answer(("פתוח עד 18.", " מוזמנים לבוא עם הילדים"))
MORE: Final = Answer(("יש עוד שלושה סוגים",))
SLOW: Final = Answer(("בדקתי ומצאתי שלושה",), after=5.0)
LONG: Final = Answer(tuple(f"סעיף {number} מתוך ארבעים, שלום לכם. " for number in range(1, 41)))
WITHHELD_POST: Final = CallerSpec(phone="", method="POST")

FIRST: Final = Move("replies", "כמה עולה עוגת גבינה", (PRICE,))
SECOND: Final = Move("replies", "מתי אתם פתוחים היום", (HOURS,))
THIRD: Final = Move("replies", "ומה עוד יש לכם", (MORE,))
AGAIN: Final = Move("replies", "כמה עולה עוגת גבינה", (HOURS,))

PLANS: Final[tuple[Plan, ...]] = (
    Plan("שאלה אחת", (FIRST,)),
    Plan("שתי שאלות", (FIRST, SECOND)),
    Plan("הבחירה השנייה", (FIRST, SECOND), choice=1),
    Plan("מקש שאינו מוצע", (Move("wrong_key"), FIRST)),
    Plan("שתיקה", (Move("silent"), FIRST)),
    Plan("שתיקה אחרי תשובה", (FIRST, Move("silent"), SECOND)),
    Plan("שתיקה עד הסוף", (Move("silent"),) * 5),
    Plan("תשובה ושתיקה עד הסוף", (FIRST, *(Move("silent"),) * 5)),
    Plan("בקשה שחוזרת", (FIRST, Move("repeats"), SECOND)),
    Plan("אותה שאלה פעמיים", (FIRST, AGAIN)),
    Plan("שלוש שאלות", (FIRST, SECOND, THIRD)),
    Plan("מקש במקום דיבור", (FIRST, Move("key", "5", agent=(MORE,)), SECOND)),
    Plan("מקש לסיום", (FIRST, Move("key", "9", (MORE,)))),
    Plan("מתקשר חסוי בפוסט", (FIRST, SECOND), WITHHELD_POST),
    Plan("תשובה איטית", (Move("replies", "מה מצאת", (SLOW,)), SECOND)),
    Plan("תקלה חולפת", (Move("replies", "שלום וברכה", (Failure("overloaded"), PRICE)),)),
    Plan("תקלה שאינה חולפת", (Move("replies", "שלום וברכה", (Failure("quota_exceeded"),)), SECOND)),
    Plan("מנתק בזמן חשיבה", (Move("hangs_up_waiting", "שלום וברכה", (Hang(),)),)),
    Plan("שיחה ועוד שיחה", (FIRST, SECOND), times=2),
    Plan("שתי שיחות חסויות", (FIRST, SECOND), CallerSpec(phone=""), times=2),
    Plan("תשובה ארוכה", (Move("replies", "ספר לי הכול", (LONG,)), SECOND)),
)
