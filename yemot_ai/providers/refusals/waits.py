"""How long a service asks to wait: in headers, in the fields of its error, in words.

>>> wait_from_text("Rate limit reached. Please try again in 7m12s.")
432.0
>>> wait_from_headers({"Retry-After": "2"})
2.0
>>> reset_from_headers({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"})
90.0

A wait that cannot be meant (negative, not a number, more than ten years) is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["reset_from_headers", "wait_from_field", "wait_from_headers", "wait_from_text"]

MAX_WAIT: Final = 10 * 365 * 86_400.0
"""Seconds; a longer wait is a mistake of the service, such as another unit."""

_EPOCH: Final = 1e9
"""A greater number is a time, in seconds since 1970."""

_EPOCH_MILLISECONDS: Final = 1e12

_UNITS: Final = {
    name: seconds
    for names, seconds in (
        ("ms millisecond milliseconds", 0.001),
        ("s sec secs second seconds", 1.0),
        ("m min mins minute minutes", 60.0),
        ("h hr hrs hour hours", 3600.0),
        ("d day days", 86_400.0),
        ("w week weeks", 604_800.0),
    )
    for name in names.split()
}

_AMOUNT: Final = re.compile(
    r"(?:,?\s*(?:and\s+)?)(?:\d+\s*(?:-|–|to)\s*)?(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE
)
"""Of a range such as ``30-60 seconds`` the longer one."""

_ONE: Final = re.compile(r"\b(?:an?|one)\s+(?=(?:second|minute|hour|day|week)\b)", re.IGNORECASE)

_ASKS_TO_WAIT: Final = re.compile(
    r"\b(?:again|retry|retrying|wait|resets?|available|until|regain|retry[-_]after)\b"
    r"[^.\d\n]{0,40}(?<![\w.-])(?=\d)",
    re.IGNORECASE,
)

_BARE_SECONDS: Final = re.compile(
    r"\b(?:again|retry)[-_ ](?:after|in)[\s:=]+(\d+(?:\.\d+)?)(?![\d.]*\s*[a-z:\-/])", re.IGNORECASE
)

_ISO_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:T| | at )\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
)

# Codex, in the local time of its machine: "try again at 3:28 PM", "… at Aug 8th, 2026 12:30 PM".
_CLOCK_TIME: Final = re.compile(
    r"\bagain at (?:(?P<date>[A-Z][a-z]{2} \d{1,2})(?:st|nd|rd|th)?, (?P<year>\d{4}),? )?"
    r"(?P<time>\d{1,2}:\d\d [AP]M)"
)

_RESET_HEADER: Final = re.compile(r"(?:^|-)rate-?limit-(?:.+-)?reset(?:-.+)?$")


def wait_from_text(text: str) -> float | None:
    """Return the seconds to wait that a sentence names, or None.

    Args:
        text: a message such as ``Please try again in 7m12s``, ``retry after 30 seconds`` or, in the
            machine's local time, ``try again at 3:28 PM``.
    """
    text = _ONE.sub("1 ", text)
    for asks in _ASKS_TO_WAIT.finditer(text):
        iso = _ISO_TIME.match(text, asks.end())
        seconds = _duration(text[asks.end() :]) if iso is None else _until_iso(iso[0])
        if seconds is not None:
            return seconds
    if bare := _BARE_SECONDS.search(text):
        return _checked(float(bare[1]))
    clock = _CLOCK_TIME.search(text)
    return None if clock is None else _until_clock(clock["date"], clock["year"], clock["time"])


def wait_from_field(name: str, value: object) -> float | None:
    """Return the seconds to wait that a field of an error names, or None.

    Args:
        name: the field, such as ``retryDelay``, ``resets_in_seconds``, ``resets_at`` or ``retry_after_ms``.
        value: a number of seconds (milliseconds for a name in ``ms``), a time since 1970, or a text.
    """
    seconds = _wait(str(value)) if isinstance(value, int | float | str) else None
    return _milliseconds(seconds) if name.lower().endswith(("ms", "milliseconds")) else seconds


def wait_from_headers(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of ``retry-after-ms`` or ``retry-after`` (seconds, or a date), or None."""
    lower = {name.lower(): value for name, value in headers.items()}
    exact = _milliseconds(_wait(lower.get("retry-after-ms", "")))
    return _wait(lower.get("retry-after", "")) if exact is None else exact


def reset_from_headers(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until the used-up limits of an account are reset, or None.

    Args:
        headers: such as ``x-ratelimit-reset-tokens: 6m0s`` (OpenAI, Groq), ``x-ratelimit-reset`` (a time
            since 1970, OpenRouter), ``anthropic-ratelimit-requests-reset`` (a date). A limit whose
            ``remaining`` header is not 0 is not used up.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    return _longest(
        _wait(value)
        for name, value in lower.items()
        if _RESET_HEADER.search(name) and lower.get(name.replace("reset", "remaining"), "0").strip() == "0"
    )


def _wait(value: str) -> float | None:
    """Return the seconds of a number, a duration, a time since 1970 or a date."""
    text = value.strip()
    try:
        number = float(text)
    except ValueError:
        return _duration(text, whole=True) if _AMOUNT.match(text) else _until_date(text)
    if number >= _EPOCH:
        number = number / 1000 if number >= _EPOCH_MILLISECONDS else number
        return _checked(number - datetime.now(UTC).timestamp())
    return _checked(number)


def _duration(text: str, *, whole: bool = False) -> float | None:
    """Return the seconds of the duration at the beginning of ``text``, or of all of it."""
    seconds, position = 0.0, 0
    while (amount := _AMOUNT.match(text, position)) and amount[2].lower() in _UNITS:
        seconds += float(amount[1]) * _UNITS[amount[2].lower()]
        position = amount.end()
    return _checked(seconds) if position and (not whole or position == len(text)) else None


def _until_date(text: str) -> float | None:
    if _ISO_TIME.fullmatch(text):
        return _until_iso(text)
    try:
        return _until(parsedate_to_datetime(text))
    except ValueError:
        return None


def _until_iso(text: str) -> float | None:
    try:
        return _until(datetime.fromisoformat(text.replace(" at ", "T")))
    except ValueError:
        return None


def _until(time: datetime) -> float | None:
    """Return the seconds until a time; one without a zone is in UTC."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return _checked((aware - datetime.now(UTC)).total_seconds())


def _until_clock(date: str | None, year: str | None, time: str) -> float | None:
    now = datetime.now().astimezone()
    day = f"{date} {year}" if date else f"{now:%b %d %Y}"
    try:
        at = datetime.strptime(f"{day} {time}", "%b %d %Y %I:%M %p").astimezone()
    except ValueError:
        return None
    return _until(at + timedelta(days=1) if date is None and at < now else at)


def _milliseconds(value: float | None) -> float | None:
    return None if value is None else value / 1000


def _longest(waits: Iterable[float | None]) -> float | None:
    return max((wait for wait in waits if wait is not None), default=None)


def _checked(seconds: float) -> float | None:
    return seconds if 0 <= seconds <= MAX_WAIT else None
