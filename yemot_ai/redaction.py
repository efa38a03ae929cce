"""What a log may hold of a caller: no number, and none of the words.

Our messages name calls, turns and errors, never what was said. Numbers that come in with somebody
else's text (an exception, a traceback) are masked on the logger ``yemot_ai``.

>>> masked("call from 0501234567")
'call from …4567'
"""

from __future__ import annotations

import logging
import re

__all__ = ["MASKING_FILTER", "NumberMaskingFilter", "mask_numbers", "redact_url"]

_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])"
    r"(?:(?:(?:\+|00)?972[- ]?0?|0)[2-9](?:[- ]?[0-9]){7,8}|\+[1-9](?:[- ]?[0-9]){7,14})"
    r"(?![0-9A-Za-z])"
)


def mask_numbers(text: str) -> str:
    """Return ``text`` with all but the last four digits of phone numbers left out.

    Numbers are those that are dialled in Israel, and what is written with a ``+`` before it.
    """
    return _NUMBER.sub(lambda found: f"…{found[0][-4:]}", text)


class NumberMaskingFilter(logging.Filter):
    """Masks phone numbers in messages and tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; it is always kept."""
        message = record.getMessage()
        if (hidden := mask_numbers(message)) != message:
            record.msg, record.args = hidden, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = mask_numbers(_FORMATTER.formatException(record.exc_info))
        return True


_FORMATTER = logging.Formatter()

MASKING_FILTER = NumberMaskingFilter()
"""Is on the logger ``yemot_ai``; ``logging.getLogger("yemot_ai").removeFilter(MASKING)`` shows numbers."""


def redact_url(url: str) -> str:
    """Return ``url`` as it may be shown: who logs in, and by what, is left out.

    Whatever stands before the last ``@``, for a password that is not escaped cannot be told from the
    rest; and what stands after a ``?``, for some write it there.

    >>> without_password("redis://:secret@db:6379/0?password=secret")
    'redis://***@db:6379/0'
    """
    scheme, found, rest = url.partition("://")
    if not found:
        return url if "@" not in url else f"***@{url.rpartition('@')[2]}"
    hidden, at, place = rest.rpartition("@")
    place = place.partition("?")[0]
    return f"{scheme}://{'***' if hidden or at else ''}{at}{place}"
