"""What a log may hold of a caller: no number, and none of the words.

Our messages name calls, turns and errors, never what was said. Numbers that come in with somebody
else's text (an exception, a traceback) are masked on the logger ``yemot_ai``.

>>> masked("call from 0501234567")
'call from …4567'
"""

from __future__ import annotations

import logging
import re

__all__ = ["MASKING", "Masking", "masked"]

_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:\+?972[- ]?|0)[2-9](?:[- ]?[0-9]){7,8}(?![0-9A-Za-z])")


def masked(text: str) -> str:
    """Return ``text`` with all but the last four digits of Israeli phone numbers left out."""
    return _NUMBER.sub(lambda found: f"…{found[0][-4:]}", text)


class Masking(logging.Filter):
    """Masks phone numbers in messages and tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; it is always kept."""
        message = record.getMessage()
        if (hidden := masked(message)) != message:
            record.msg, record.args = hidden, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = masked(_FORMATTER.formatException(record.exc_info))
        return True


_FORMATTER = logging.Formatter()

MASKING = Masking()
"""Is on the logger ``yemot_ai``; ``logging.getLogger("yemot_ai").removeFilter(MASKING)`` shows numbers."""
