"""Read the time at which a limit ends, in the words of services.

>>> time_in("at 15:00 UTC", now=datetime(2026, 12, 1, 16, 0, tzinfo=UTC)).isoformat()
'2026-12-02T15:00:00+00:00'
>>> time_in("3pm (America/New_York)", now=datetime(2026, 12, 1, 16, 0, tzinfo=UTC)).isoformat()
'2026-12-01T15:00:00-05:00'

Without a zone a time with AM or PM is in the machine's local time, as Codex and Claude Code write it, and any
other one in UTC. A time without a date is the next one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["time_in"]

MAX_LENGTH: Final = 64
"""Characters in which a time, its date and its zone are looked for."""

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK: Final = 7
_NOON: Final = 12

_ISO: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:(?:T| at | )(?P<time>\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)?(?P<offset>Z|[+-]\d\d:?\d\d)?)?"
)
_TIME: Final = re.compile(
    r"(?<![\d:.\-/])(?P<hour>\d{1,2})(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?)?"
    r"(?:\s?(?P<half>[ap])m\b)?(?![\d:\-/])|\b(?P<word>midnight|noon)\b",
    re.IGNORECASE,
)
_MONTH_NAME: Final = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_MONTH_NAME} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year>\d{{4,}})\b)?",
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{_MONTH_NAME}(?:,? (?P<year>\d{{4,}})\b)?",
    )
)
_DAY_WORD: Final = re.compile(
    r"\b(?:(?P<tomorrow>tomorrow)|(?P<weekday>mon|tue|wed|thu|fri|sat|sun)"
    r"(?:day|s|sday|nesday|rs|rsday|urday)?)\b",
    re.IGNORECASE,
)
_OFFSET: Final = re.compile(
    r"(?:\b(?:UTC|GMT)|(?<=:\d\d) ?)(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?\b"
)
_ZONES: Final = tuple(
    (re.compile(pattern), zone)
    for pattern, zone in (
        (r"\b(?:UTC|GMT)\b|(?<=\d)Z\b", "UTC"),
        (r"\bP[SD]?T\b|\b[Pp]acific\b", "America/Los_Angeles"),
        (r"\bM[SD]T\b|\b[Mm]ountain\b", "America/Denver"),
        (r"\bC[SD]T\b|\b[Cc]entral\b", "America/Chicago"),
        (r"\bE[SD]?T\b|\b[Ee]astern\b", "America/New_York"),
        (r"\bCES?T\b", "Europe/Paris"),
        (r"\bBST\b", "Europe/London"),
        (r"\bI[SD]T\b", "Asia/Jerusalem"),
        (r"\bJST\b", "Asia/Tokyo"),
        (r"\b[Bb]eijing\b", "Asia/Shanghai"),
    )
)
_HALF_OF_DAY: Final = re.compile(r"\b([ap])\.m\b\.?", re.IGNORECASE)
_DIGIT: Final = re.compile(r"\d")
_ZONE_NAME: Final = re.compile(r"\b[A-Z][A-Za-z]+/[A-Z][A-Za-z_/+\-0-9]+")


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time of a day.

    Attributes:
        hour: 0 to 23.
        minute: 0 to 59.
        second: 0 to 59.
        is_local: whether it is the machine's local time if no zone is named.
    """

    hour: int = 0
    minute: int = 0
    second: int = 0
    is_local: bool = False


def time_in(text: str, *, now: datetime, zone: tzinfo | None = None) -> datetime | None:
    """Return the time that the beginning of a text names; None if it names none.

    Args:
        text: such as ``3pm (America/New_York)``, ``Aug 8th, 2026 12:30 PM``, ``midnight Pacific time``,
            ``tomorrow`` or ``2026-12-01 15:00:00``.
        now: the present, with a zone.
        zone: the zone of a time that names none.
    """
    text = re.split(r"\.\s|[\n;]", _HALF_OF_DAY.sub(r"\1m", text), maxsplit=1)[0][:MAX_LENGTH]
    named = _zone(text) or zone
    try:
        if iso := _ISO.search(text):
            return _iso_time(iso, named or UTC)
        return _spoken_time(text, now, named)
    except (ValueError, OverflowError):  # no such year, day or hour
        return None


def _iso_time(found: re.Match[str], zone: tzinfo) -> datetime:
    time = datetime.fromisoformat(f"{found['date']}T{found['time'] or '00:00'}{found['offset'] or ''}")
    return time if time.tzinfo else time.replace(tzinfo=zone)


def _spoken_time(text: str, now: datetime, named: tzinfo | None) -> datetime | None:
    date, word = (
        next(filter(None, (pattern.search(text) for pattern in _DATES)), None),
        _DAY_WORD.search(text),
    )
    rest = text if date is None else f"{text[: date.start()]} {text[date.end() :]}"
    clock = _clock(_OFFSET.sub(" ", rest))
    if clock is None:
        if date is None and (word is None or _DIGIT.search(rest)):  # a date that is not understood
            return None
        clock = _Clock()
    here = now.astimezone(named or (None if clock.is_local else UTC))
    time = here.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
    if date is not None:
        return _at_date(time, date, here)
    if word is not None:
        return time + timedelta(days=_days_until(word, time, here))
    return time if time > here else time + timedelta(days=1)


def _clock(text: str) -> _Clock | None:
    """Return the time of day in a text without dates; a number alone is none."""
    for found in _TIME.finditer(text):
        if found["word"]:
            return _Clock(_NOON if found["word"].lower() == "noon" else 0)
        if found["minute"] or found["half"]:
            hour = int(found["hour"])
            if half := (found["half"] or "").lower():
                hour = hour % _NOON + (_NOON if half == "p" else 0) if hour <= _NOON else -1
            return _Clock(hour, int(found["minute"] or 0), int(found["second"] or 0), bool(half))
    return None


def _at_date(time: datetime, date: re.Match[str], here: datetime) -> datetime:
    month, day = _MONTHS.index(date["month"][:3].lower()) + 1, int(date["day"])
    if date["year"]:
        return time.replace(year=int(date["year"]), month=month, day=day)
    this_year = time.replace(month=month, day=day)
    is_past = this_year < here - timedelta(days=1)
    return this_year.replace(year=here.year + 1) if is_past else this_year


def _days_until(word: re.Match[str], time: datetime, here: datetime) -> int:
    if word["tomorrow"]:
        return 1
    days = (_WEEKDAYS.index(word["weekday"].lower()) - here.weekday()) % _WEEK
    return days if days or time > here else _WEEK


def _zone(text: str) -> tzinfo | None:
    """Return the zone that a text names; None without one."""
    if name := _ZONE_NAME.search(text):
        return _known_zone(name[0])
    if offset := _OFFSET.search(text):
        hours, minutes = int(offset["hours"]), int(offset["minutes"] or 0)
        ahead = timedelta(hours=hours, minutes=minutes)
        return timezone(ahead if offset["sign"] == "+" else -ahead) if ahead < timedelta(days=1) else None
    return next((_known_zone(zone) for pattern, zone in _ZONES if pattern.search(text)), None)


def _known_zone(name: str) -> tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # of no name, or on a machine without the data
        return None
