"""Mask phone numbers and passwords in logs.

The messages of this package name calls, turns and errors, never what was said. Phone numbers that come
in foreign text (an exception, a traceback) are masked by a filter of the logger ``yemot_ai``, and control
characters in it are escaped.

>>> mask_numbers("call from 0501234567")
'call from …4567'
"""

from __future__ import annotations

import logging
import re

__all__ = ["MASKING_FILTER", "NumberMaskingFilter", "escape", "mask_numbers", "redact_url"]

_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])"
    r"(?:(?:(?:\+|00)?972[- ]?0?|0)[2-9](?:[- ]?[0-9]){7,8}|\+[1-9](?:[- ]?[0-9]){7,14})"
    r"(?![0-9A-Za-z])"
)


def mask_numbers(text: str) -> str:
    """Return ``text`` with only the last four digits of each phone number.

    Phone numbers are those that can be dialled in Israel, and any that starts with ``+``.
    """
    return _NUMBER.sub(lambda match: f"…{match[0][-4:]}", text)


class NumberMaskingFilter(logging.Filter):
    """Masks phone numbers in messages and tracebacks, and escapes control characters of their arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; always return True."""
        if isinstance(record.args, tuple):
            record.args = tuple(map(_quote, record.args))
        message = record.getMessage()
        if (masked := mask_numbers(message)) != message:
            record.msg, record.args = masked, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = escape(mask_numbers(_FORMATTER.formatException(record.exc_info)), keep="\n")
        return True


def _quote(argument: object) -> object:
    """Return an argument of a message, with control characters escaped if it is a text or an error.

    It may come from a request, and a line end in it would begin a line of the log.
    """
    if not isinstance(argument, str | BaseException):
        return argument
    text = str(argument)
    return argument if text.isprintable() else escape(text)


def escape(text: str, *, keep: str = "") -> str:
    r"""Return ``text`` with the characters that are not printable as escapes, except those to ``keep``.

    >>> print(escape("c1\nFAKE\x1b[2J"))
    c1\nFAKE\x1b[2J
    """
    return "".join(
        character if character.isprintable() or character in keep else ascii(character)[1:-1]
        for character in text
    )


_FORMATTER = logging.Formatter()

MASKING_FILTER = NumberMaskingFilter()
"""The filter of the logger ``yemot_ai``; to log whole numbers, call
``logging.getLogger("yemot_ai").removeFilter(MASKING_FILTER)``."""


def redact_url(url: str) -> str:
    """Return ``url`` without user name, password and query.

    Everything before the last ``@`` is masked, because a password that is not escaped may contain any
    character; the query is dropped, because it may contain the password.

    >>> redact_url("redis://:secret@db:6379/0?password=secret")
    'redis://***@db:6379/0'
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url if "@" not in url else f"***@{url.rpartition('@')[2]}"
    credentials, at, address = rest.rpartition("@")
    address = address.partition("?")[0]
    return f"{scheme}://{'***' if credentials or at else ''}{at}{address}"
