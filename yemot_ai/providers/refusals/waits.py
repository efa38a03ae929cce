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
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from typing import Final

from yemot_ai.providers.refusals.clock_times import time_in

__all__ = ["MAX_WAIT", "reset_from_headers", "wait_from_field", "wait_from_headers", "wait_from_text"]

MAX_WAIT: Final = 10 * 365 * 86_400.0
"""Seconds; a longer wait is a mistake of the service, such as another unit."""

_EPOCH: Final = 1e9
"""A greater number is a time, in seconds since 1970."""

_EPOCH_MILLISECONDS: Final = 1e12

_EPOCH_NANOSECONDS: Final = 1e19

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

_NUMBER: Final = r"\d{1,3}(?:,\d{3})+(?![\d,])|\d+(?:\.\d+)?"

_AMOUNT: Final = re.compile(
    rf"(?:,?\s*(?:and\s+)?)(?:\d+\s*(?:-|–|to)\s*)?({_NUMBER})\s*([a-z]+)", re.IGNORECASE
)
"""Of a range such as ``30-60 seconds`` the longer one."""

_ONE: Final = re.compile(r"\b(?:an?|one)\s+(?=(?:second|minute|hour|day|week)\b)", re.IGNORECASE)
_HALF_HOUR: Final = re.compile(r"\bhalf an? hour\b", re.IGNORECASE)

_ASKS_TO_WAIT: Final = re.compile(
    r"\b(?:again|retry|retrying|wait|(?:resets?|retry)(?:_(?:at|in|after))?|available|until|regain|retry-after"
    r"|renews?|limit reached(?=\|))(?![\w-])|将在",
    re.IGNORECASE,
)
_BEFORE_NUMBER: Final = re.compile(r"[^.\d\n]{0,40}(?<![\w.-])(?=\d)")

_BARE_SECONDS: Final = re.compile(
    r"\b(?:again|retry)[-_ ](?:after|in)[\s:=]+(\d+(?:\.\d+)?)(?![\d.]*\s*[a-z:\-/])", re.IGNORECASE
)
_EPOCH_NUMBER: Final = re.compile(r"\d{10}(?:\d{3})?(?:\.\d+)?(?![\w.:-])")

# As .NET writes a duration, "1.02:03:04"; two numbers are minutes and seconds.
_DIGITAL: Final = re.compile(
    r"(?:(?P<days>\d+)\.)?(?:(?P<hours>\d{1,3}):)?(?P<minutes>\d{1,2}):(?P<seconds>\d\d(?:\.\d+)?)"
    r"(?![\d:]|\s?(?:[AP]\.?M\b|\(|[A-Z]{1,4}\b|[+-]\d))",
    re.IGNORECASE,
)
_ASKS_FOR_DURATION: Final = re.compile(
    r"(?:\b(?:in|after|for|within)\b|wait\b|-after\b)[^.\d\n]*\Z", re.IGNORECASE
)
_ISO_DURATION: Final = re.compile(r"P(?:\d+[WD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?", re.IGNORECASE)

_RESET_HEADER: Final = re.compile(r"(?:^|-)rate-?limit-(?:.+-)?reset(?:-.+)?$")
# IETF drafts: `limit=10, remaining=0, reset=50`, and `"burst";r=0;t=50`.
_RATE_LIMIT: Final = re.compile(r"\b(?:remaining|r)=0\b.*?\b(?:reset|t)=(\d+)")


def wait_from_text(text: str, zone: tzinfo | None = None) -> float | None:
    """Return the seconds to wait that a sentence names, or None.

    Args:
        text: a message such as ``Please try again in 7m12s``, ``retry after 00:01:30``, ``resets at 3pm
            (America/New_York)`` or, in the machine's local time, ``try again at 3:28 PM``.
        zone: the zone of a time that names none.
    """
    text = _ONE.sub("1 ", _HALF_HOUR.sub("30 minutes", text))
    for asks in _ASKS_TO_WAIT.finditer(text):
        seconds = _wait_after(text, asks, zone)
        if seconds is not None:
            return seconds
    bare = _BARE_SECONDS.search(text)
    return None if bare is None else _of_number(float(bare[1]))


def _wait_after(text: str, asks: re.Match[str], zone: tzinfo | None) -> float | None:
    """Return the seconds that the words after the request to wait name, or None."""
    if before := _BEFORE_NUMBER.match(text, asks.end()):
        seconds = _duration(text[before.end() :])
        if seconds is None and _ASKS_FOR_DURATION.search(text, asks.start(), before.end()):
            seconds = _digital(text[before.end() :])
        if seconds is None and (epoch := _EPOCH_NUMBER.match(text, before.end())):
            seconds = _of_number(float(epoch[0]))
        if seconds is not None:
            return seconds
    return _until(time_in(text[asks.end() :], now=datetime.now(UTC), zone=zone))


def wait_from_field(name: str, value: object) -> float | None:
    """Return the seconds to wait that a field of an error names, or None.

    Args:
        name: the field, such as ``retryDelay``, ``resets_in_seconds``, ``resets_at`` or ``retry_after_ms``.
        value: a number of seconds (milliseconds for a name in ``ms``), a time since 1970, or a text.
    """
    seconds = _wait(str(value)) if isinstance(value, int | float | str) else None
    return _milliseconds(seconds) if name.lower().endswith(("_ms", "-ms", "milliseconds")) else seconds


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
    used_up = _RATE_LIMIT.search(lower.get("ratelimit", ""))
    return _longest(
        [
            None if used_up is None else _of_number(float(used_up[1])),
            *(
                wait_from_field(name, value)
                for name, value in lower.items()
                if _RESET_HEADER.search(name)
                and lower.get(name.replace("reset", "remaining"), "0").strip() == "0"
            ),
        ]
    )


def _wait(value: str) -> float | None:
    """Return the seconds of a number, a duration, a time since 1970 or a date."""
    text = value.strip()
    try:
        return _of_number(float(text))
    except ValueError:
        return _of_words(text)


def _of_number(number: float) -> float | None:
    """Return the seconds of a number of them, or of a time since 1970 in any unit."""
    if not _EPOCH <= number < _EPOCH_NANOSECONDS:
        return _checked(number)
    while number >= _EPOCH_MILLISECONDS:
        number /= 1000
    return _checked(number - datetime.now(UTC).timestamp())


def _of_words(text: str) -> float | None:
    if _ISO_DURATION.fullmatch(text):
        text = text[1:].replace("T", " ").strip()
    for seconds in (_duration(text, whole=True), _digital(text)):
        if seconds is not None:
            return seconds
    try:
        return _until(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return _until(time_in(text, now=datetime.now(UTC)))


def _duration(text: str, *, whole: bool = False) -> float | None:
    """Return the seconds of the duration at the beginning of ``text``, or of all of it."""
    seconds, position = 0.0, 0
    while (amount := _AMOUNT.match(text, position)) and amount[2].lower() in _UNITS:
        seconds += float(amount[1].replace(",", "")) * _UNITS[amount[2].lower()]
        position = amount.end()
    return _checked(seconds) if position and (not whole or position == len(text)) else None


def _digital(text: str) -> float | None:
    """Return the seconds of a duration such as ``00:01:30`` at the beginning of ``text``."""
    found = _DIGITAL.match(text)
    if found is None:
        return None
    days, hours, minutes = (float(found[name] or 0) for name in ("days", "hours", "minutes"))
    return _checked(((days * 24 + hours) * 60 + minutes) * 60 + float(found["seconds"]))


def _until(time: datetime | None) -> float | None:
    """Return the seconds until a time; one without a zone is in UTC."""
    if time is None:
        return None
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return _checked((aware - datetime.now(UTC)).total_seconds())


def _milliseconds(value: float | None) -> float | None:
    return None if value is None else value / 1000


def _longest(waits: Iterable[float | None]) -> float | None:
    return max((wait for wait in waits if wait is not None), default=None)


def _checked(seconds: float) -> float | None:
    return seconds if 0 <= seconds <= MAX_WAIT else None
