"""The tables of limits in ``docs/production.md`` and ``docs/he/production.md``, from the classes.

Regenerate both: ``python -m tests.docs.limits_table``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tests.docs.generated_section import Section, code, table
from yemot_ai import RequestLimits
from yemot_ai.cli.serve import SERVER_OPTIONS
from yemot_ai.server.limits import ServerLimits

__all__ = ["PAGES", "Page", "render"]


class Page(NamedTuple):
    """A page with the table, in one language.

    Attributes:
        section: the place.
        headers: of the columns.
        rows: of each field: what it bounds, and what happens above it.
    """

    section: Section
    headers: tuple[str, ...]
    rows: Mapping[str, tuple[str, str]]


MODULE: Final = "tests.docs.limits_table"

SENTENCE, STATUS = (
    "a sentence and the end of the call; 413 for others",
    "a sentence and the end of the call; 431 for others",
)
HEBREW_SENTENCE, HEBREW_STATUS = "משפט וסוף השיחה; לאחרים 413", "משפט וסוף השיחה; לאחרים 431"

ENGLISH: Final = {
    "fields": ("names and values of one request", SENTENCE),
    "name_bytes": ("bytes of one name", SENTENCE),
    "value_bytes": ("bytes of one value, decoded (8,000 Hebrew letters)", SENTENCE),
    "call_bytes": ("bytes of all values of a call, decoded; they are stored", SENTENCE),
    "query_bytes": ("bytes of the query", STATUS),
    "body_bytes": ("bytes of the body", SENTENCE),
    "body_seconds": ("seconds until the body has to be there (ASGI)", "408"),
    "unanswered_calls": (
        "calls without a turn that one process keeps",
        "the oldest is dropped, and starts again with its next request",
    ),
    "unanswered_bytes": (
        "bytes of memory that they take together, about",
        "the largest, then the oldest are dropped",
    ),
    "connections": (
        "open connections; at most 200 below `ulimit -n`",
        "the one that has waited longest for a request is closed; 503 if all are busy",
    ),
    "header_seconds": ("seconds until the headers of a request have to be there", "the connection is closed"),
    "keep_alive_seconds": ("seconds that a connection stays open after a response", "it is closed"),
    "drain_seconds": (
        "seconds that running turns get when the server ends",
        "they are stopped; another worker repeats them",
    ),
}

HEBREW: Final = {
    "fields": ("שמות וערכים בבקשה אחת", HEBREW_SENTENCE),
    "name_bytes": ("בתים של שם אחד", HEBREW_SENTENCE),
    "value_bytes": ("בתים של ערך אחד, אחרי פענוח (8,000 אותיות)", HEBREW_SENTENCE),
    "call_bytes": ("בתים של כל ערכי השיחה, אחרי פענוח; הם נשמרים", HEBREW_SENTENCE),
    "query_bytes": ("בתים של ה-query", HEBREW_STATUS),
    "body_bytes": ("בתים של ה-body", HEBREW_SENTENCE),
    "body_seconds": ("שניות עד שה-body כולו מגיע (ASGI)", "408"),
    "unanswered_calls": (
        "שיחות בלי אף תור שתהליך אחד שומר",
        "הישנה ביותר נמחקת, ומתחילה מחדש בבקשה הבאה שלה",
    ),
    "unanswered_bytes": ("בתים של זיכרון שכולן תופסות, בערך", "הגדולות ואחר כך הישנות נמחקות"),
    "connections": (
        "חיבורים פתוחים; לכל היותר 200 פחות מ-`ulimit -n`",
        "החיבור שמחכה הכי הרבה זמן לבקשה נסגר; 503 אם כולם עסוקים",
    ),
    "header_seconds": ("שניות עד שכותרות הבקשה מגיעות", "החיבור נסגר"),
    "keep_alive_seconds": ("שניות שחיבור נשאר פתוח אחרי תשובה", "הוא נסגר"),
    "drain_seconds": ("שניות שתורות שרצים מקבלים כשהשרת נסגר", "הם נעצרים; worker אחר חוזר עליהם"),
}

PAGES: Final = (
    Page(Section("production.md", "limits", MODULE), ("limit", "default", "bounds", "above it"), ENGLISH),
    Page(Section("he/production.md", "limits", MODULE), ("מגבלה", "ברירת מחדל", "מה", "מעל המגבלה"), HEBREW),
)


def settings() -> Iterator[tuple[str, str, float]]:
    """Yield the name of each limit, how it is set, and its default."""
    for field in dataclasses.fields(RequestLimits):
        yield field.name, f"RequestLimits({field.name}=…)", getattr(RequestLimits(), field.name)
    for field in dataclasses.fields(ServerLimits):
        yield field.name, f"serve {SERVER_OPTIONS[field.name][0]} N", getattr(ServerLimits(), field.name)


def render(page: Page) -> str:
    """Return the table of a page."""
    rows = [
        (code(setting), f"{default:,g}" if default < 1e6 else f"{default:,}", *page.rows[name])
        for name, setting, default in settings()
    ]
    return table(page.headers, rows)


if __name__ == "__main__":
    for each in PAGES:
        each.section.write(render(each))
