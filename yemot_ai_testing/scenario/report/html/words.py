"""The Hebrew texts of the page, and formats of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import dedent

from yemot_ai_testing.line.transcript import CALLER_HUNG_UP
from yemot_ai_testing.scenario.play.result import MismatchKind
from yemot_ai_testing.scenario.report.call_record import RecordState

__all__ = [
    "END_REASONS",
    "EVENT_LABELS",
    "EXTENSION_LABELS",
    "MISMATCH_LABELS",
    "STATE_LABELS",
    "dedent_lines",
    "format_clock",
    "format_seconds",
]

STATE_LABELS: Mapping[RecordState, str] = {
    "passed": "עברה",
    "failed": "נכשלה",
    "fake only": "רק בדמה",
    "error": "לא רצה",
}

MISMATCH_LABELS: Mapping[MismatchKind, str] = {
    "heard": "נשמעו מילים אחרות",
    "response": "תשובה אחרת מן הצפוי",
    "ends": "השיחה הסתיימה, או נמשכה, שלא כצפוי",
    "dead_air": "שקט ארוך מדי",
    "protocol": "תשובה שהקו לא היה מבין",
    "no_answer": "השרת לא ענה כראוי",
    "app_error": "תקלה בקוד של היישום",
    "verb": "הקו לא חיכה למה שהמתקשר עשה",
    "endless": "הקו לא חזר לחכות למתקשר",
    "meanwhile": "מה שהיה אמור לקרות בשרת לא קרה",
    "script": "המודל לא נשאל את מה שנכתב",
    "afterwards": "מה שנמצא אחרי השיחה שונה מהצפוי",
}

EXTENSION_LABELS: Mapping[str, str] = {"handler": "תפריט", "agent": "סוכן"}

EVENT_LABELS: Mapping[str, str] = {
    "says": "המתקשר אומר",
    "presses": "המתקשר מקיש",
    "speaks": "הקו אומר",
    "dials": "מחייג לשלוחה",
    "records": "מקליט",
    "is silent": "שותק",
    "hangs up": "מנתק",
    "repeats": "הקו שולח שוב את הבקשה האחרונה",
    "beeps": "צליל הקלטה",
    "music": "מוזיקה בהמתנה",
    "acts": "בשרת",
    "tool": "כלי",
    "tool failed": "כלי שלא החזיר תוצאה",
    "enters": "נכנס לשלוחה",
    "ends": "סוף השיחה",
    "polls": "הקו שואל שוב מעצמו",
    "silence": "שקט",
}

END_REASONS: Mapping[str, str] = {CALLER_HUNG_UP: "המתקשר ניתק", "the line hung up": "הקו ניתק"}
"""Reasons for the end of a call; others are shown untranslated."""


def format_clock(at: float) -> str:
    """Return ``at`` seconds as minutes, seconds and tenths.

    >>> format_clock(63.25)
    '1:03.2'
    """
    minutes, left = divmod(round(at, 1), 60)
    return f"{int(minutes)}:{left:04.1f}"


def format_seconds(length: float) -> str:
    """Return a duration in seconds.

    >>> format_seconds(2.04)
    '2.0 ש׳'
    """
    return f"{length:.1f} ש׳"


def dedent_lines(lines: Sequence[str]) -> list[str]:
    """Return ``lines`` without their common indentation."""
    return dedent("\n".join(lines)).split("\n") if lines else []
