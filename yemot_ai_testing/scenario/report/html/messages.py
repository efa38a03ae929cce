"""The messages of failures and warnings in Hebrew; one that is not in the table stays in English.

>>> in_hebrew("agent_turns: 2, not 1")
'תורות שהמודל נשאל: 2, ולא 1'
>>> in_hebrew("something else")
'something else'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

__all__ = ["PATTERNS", "in_hebrew"]

Translation: TypeAlias = str | Callable[[re.Match[str]], str]

ISOLATE, END_ISOLATE = "\u2068", "\u2069"
"""Keep the direction of a quoted part from changing that of the sentence."""

_COUNTS: Final = {
    "agent_turns": "תורות שהמודל נשאל",
    "sessions_open": "שיחות פתוחות",
    "processes": "תהליכים שעוד רצים",
    "errors": "תקלות בקוד של היישום",
}
_SIDES: Final = {"agent": "הסוכן", "caller": "המתקשר"}
_ABSENT: Final = {
    "not there": "איננו",
    "none at all": "שום דבר",
    "none": "שום כלי",
    "cannot be counted here": "לא ידוע",
}


def _leftover(match: re.Match[str]) -> str:
    return f"{_COUNTS[match[1]]}: {_absent(match[2])}, ולא {match[3]}"


def _ender(match: re.Match[str]) -> str:
    return f"{_SIDES[match[1]]} סיים את השיחה, ולא {_SIDES[match[2]]}"


def _absent(text: str) -> str:
    return _ABSENT.get(text, text)


PATTERNS: Final[Mapping[str, Translation]] = {
    r"did not hear exactly (.+)": r"לא נשמע בדיוק \1",
    r"did not hear (.+)": r"לא נשמע \1",
    r"heard (.+), which must not be said": r"נשמע \1, שאסור שייאמר",
    r"heard nothing that matches (.+)": r"לא נשמע דבר שמתאים לתבנית \1",
    r"([\d.]+) s of silence; at most (\S+) s may pass": r"שקט של \1 ש׳; מותר לכל היותר \2 ש׳",
    r"([\d.]+) s of silence, more than (\S+) s": r"שקט של \1 ש׳, יותר מ־\2 ש׳",
    r"turn (\d+): ([\d.]+) s of silence, ([\d.]+) s in the baseline": (
        r"תור \1: שקט של \2 ש׳, ובפעם הקודמת \3 ש׳"
    ),
    r"turn (\d+): the answer took ([\d.]+) s, ([\d.]+) s in the baseline": (
        r"תור \1: התשובה ארכה \2 ש׳, ובפעם הקודמת \3 ש׳"
    ),
    r"expected no read, got (.+)": r"לא הייתה אמורה להישאל שאלה, ונשאלה: \1",
    r"expected a read, got none; the last response was (.+)": r"לא נשאלה שאלה; התשובה האחרונה: \1",
    r"(read\.\w+) is (.+), not (.+?): (read=.*)": r"בשדה \1 יש \2, ולא \3: \4",
    r"no id_list_message plays (.+), but (.+)": r"שום id_list_message אינו משמיע \1, אלא \2",
    r"no go_to_folder=(.+), but (.+)": r"אין go_to_folder=\1, אלא \2",
    r"the response has changed: (.+), before (.+)": r"התשובה השתנתה: \1, וקודם \2",
    r"the response is the same: (.+)": r"התשובה היא אותה תשובה: \1",
    r"the call has not ended": "השיחה לא הסתיימה",
    r"the call has ended": "השיחה הסתיימה",
    r"the line dropped the caller, as after M1607: neither the agent nor the caller ended the call": (
        "הקו ניתק את המתקשר, כמו אחרי M1607: לא הסוכן ולא המתקשר סיימו את השיחה"
    ),
    r"the (agent|caller) ended the call, not the (agent|caller)": _ender,
    rf"({'|'.join(_COUNTS)}): (.+), not (\d+)": _leftover,
    r"tools: (.+) ran, not (.+)": r"כלים שרצו: \1, ולא \2",
    r"tools: cannot be seen here": "כלים שרצו: לא ידוע",
    r"check (\S+) returned False": r"הבדיקה \1 החזירה False",
    r"the model was asked (.+) with the result of its call, but agent: has no step for it, such as (.+)": (
        r"המודל נשאל \1 עם תוצאת הכלי, ואין לזה צעד ב־agent:, למשל \2"
    ),
    r"the model was asked (.+), but this turn has no agent:, such as (.+)": (
        r"המודל נשאל \1, ולתור הזה אין agent:, למשל \2"
    ),
    r"the model was asked (.+), but agent: has no step left for it (.+)": (
        r"המודל נשאל \1, ולא נשאר לו צעד ב־agent:"
    ),
    r"the responses differ from the snapshot; if that is intended: (\S+)": (
        r"התשובות אינן כמו בצילום השמור; אם זה מכוון: \1"
    ),
    r"there is no snapshot of this call yet; to write it: (\S+)": r"אין עדיין צילום של השיחה; לכתיבתו: \1",
    r"if that is intended: (\S+)": r"אם זה מכוון: \1",
    r"if the new wording is right: (\S+) writes it into the file": r"אם הנוסח החדש נכון: \1 כותב אותו בקובץ",
    r"if the new response is right: (\S+) writes it into the file": (
        r"אם התשובה החדשה נכונה: \1 כותב אותה בקובץ"
    ),
    r"the reference agent (\S+) was called, because nothing names another one: "
    r"(app:) in the file, (\S+), or the ini key (\S+)": (
        r"השיחה הייתה עם סוכן הדוגמה \1, כי לא נכתב עם מי אחר: \2 בקובץ, \3 בשורת הפקודה, או המפתח \4"
    ),
    r"its tasks ran in another order; to keep it, add to the scenario: (.+)": (
        r"המשימות רצו בסדר אחר; כדי לשמור אותו, הוסיפו לתרחיש: \1"
    ),
}
"""Patterns of whole messages; the first that matches counts."""


def in_hebrew(message: str) -> str:
    """Return ``message`` in Hebrew, or unchanged if its form is not known."""
    return next(_translations(message), message)


def _translations(message: str) -> Iterator[str]:
    for pattern, translation in PATTERNS.items():
        match = re.fullmatch(pattern, message, re.DOTALL)
        if match is not None:
            yield _expanded(translation, match) if isinstance(translation, str) else translation(match)


def _expanded(translation: str, match: re.Match[str]) -> str:
    """Return a translation with the groups of ``match`` in place of their numbers, each isolated."""
    return re.sub(
        r"\\(\d)", lambda number: f"{ISOLATE}{_absent(match[int(number[1])])}{END_ISOLATE}", translation
    )
