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
import unicodedata
from collections.abc import Sequence
from typing import Final

__all__ = ["MASKED", "MASKING_FILTER", "NumberMaskingFilter", "escape", "mask_numbers", "redact_url"]

MASKED: Final = "yemot_request"
"""The attribute of the record of a request, with its fields: the foreign texts in them were masked before,
because to search the whole line would cost more than the line."""

_KEPT = r"""
    (?P<kept>
        [0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}                        # a UUID
        | (?<![0-9A-Za-z])(?=[0-9]*[a-fA-F])[0-9a-fA-F]{9,}(?![0-9A-Za-z])          # a hexadecimal id
        | (?<![0-9.])(?:0|[1-9][0-9]*)\.[0-9]+(?![0-9.])                            # a decimal fraction
        | (?<![0-9])(?:19|20)[0-9]{2}(?P<mark>[-./])[0-9]{2}(?P=mark)[0-9]{2}(?![0-9]) # a date
        | (?<![0-9])[0-3]?[0-9](?P<sign>[-./])[01]?[0-9](?P=sign)(?:19|20)[0-9]{2}(?![0-9])
    )
"""
_NUMBERS = r"""
    (?<![0-9])(?:
        (?:\+|00)?972~?\(?0?~?[2-9](?:~?[0-9]){7,8}     # from abroad
        | 0[2-9](?:~?[0-9]){7,8}                        # in Israel
        | 0(?:[-.\ ][0-9]){8,9}                         # digit by digit
        | \+[1-9](?:~?[0-9]){7,14}                      # of another country
        | (?<![0-9A-Za-z.])(?:
            5[0-9]~[0-9]{3}~?[0-9]{4}                   # without 0
            | (?:1~)?[2-9][0-9]{2}~[2-9][0-9]{2}~[0-9]{4}   # of America
            | 5[0-9]{8} | 7[2-9][0-9]{7} | [2-9][0-9]{9}
            | 00[1-9](?:~?[0-9]){8,13}
            | (?!1[5-9][0-9]{11}(?![0-9]))[1-9][0-9]{10,12}     # not a time in milliseconds
        )(?![A-Za-z])
    )(?![0-9])
"""
_PATTERN = re.compile(f"{_KEPT}|{_NUMBERS}".replace("~", r"(?:[-.\s()/+_]{1,3})"), re.VERBOSE)

_ENCODED = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+|(?:\\x[0-9A-Fa-f]{2})+|\\+(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[abfnrtv])|[^\x00-\x7f]"
)
"""What does not stand for itself: bytes of URLs, escapes in a repr, characters beyond ASCII."""


_SIGNS: Final = {
    "\N{FULLWIDTH PLUS SIGN}": "+",
    "\N{MINUS SIGN}": "-",
    "\N{MIDDLE DOT}": ".",
    "\N{BULLET}": ".",
    "\N{FRACTION SLASH}": "/",
}
"""Signs with which numbers are written, and those of ASCII that they stand for."""


def mask_numbers(text: str) -> str:
    """Return ``text`` with only the last four digits of each phone number.

    Phone numbers are those that can be dialled in Israel, any that starts with ``+`` or ``00``, and 10 to 13
    digits in a row that are no time; with or without separators, in any digits, also escaped. Dates,
    fractions, UUIDs and hexadecimal ids stay.
    """
    if not any(character.isdecimal() for character in text):
        return text
    plain, starts = _decode(text)
    parts, end = [], 0
    for match in _PATTERN.finditer(plain):
        if match["kept"] is None:
            digits = [character for character in match[0] if character.isdigit()]
            parts += [text[end : starts[match.start()]], "…", *digits[-4:]]
            end = starts[match.end()]
    return "".join([*parts, text[end:]])


def _decode(text: str) -> tuple[str, Sequence[int]]:
    """Return ``text`` decoded, and where in ``text`` each character of the result, and its end, is."""
    if _ENCODED.search(text) is None:
        return text, range(len(text) + 1)
    plain: list[str] = []
    starts: list[int] = []
    end = 0
    for match in _ENCODED.finditer(text):
        plain += text[end : match.start()]
        starts += range(end, match.start())
        end = match.start()
        for character, size in _decoded_characters(match[0]):
            simple = _simplify(character)
            plain += simple
            starts += [end] * len(simple)
            end += size
    plain += text[end:]
    starts += range(end, len(text) + 1)
    return "".join(plain), starts


def _decoded_characters(code: str) -> list[tuple[str, int]]:
    """Return the characters of one match of ``_ENCODED``, each with the size of its code."""
    if code.startswith(("%", "\\x")):
        width = 3 if code[0] == "%" else 4
        data = bytes.fromhex(code.replace("%", "").replace("\\x", ""))
        decoded = data.decode("utf-8", "surrogateescape")
        return [(one, width * len(one.encode("utf-8", "surrogateescape"))) for one in decoded]
    escape_code = code.lstrip("\\")
    if escape_code != code:
        number = escape_code[1:]
        return [(chr(int(number, base=16)) if number else "\n", len(code))]
    return [(code, 1)]


def _simplify(character: str) -> str:
    """Return a digit as ASCII, a space or dash as such, nothing for an invisible mark; others as they are."""
    if "\udc80" <= character <= "\udcff":  # a byte that is no UTF-8: Latin-1
        character = chr(ord(character) - 0xDC00)
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character in _SIGNS:
        return _SIGNS[character]
    kinds = {"Zs": " ", "Pd": "-", "Cf": ""}
    return kinds.get(unicodedata.category(character), character)


class NumberMaskingFilter(logging.Filter):
    """Masks phone numbers in messages and tracebacks, and escapes control characters of their arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; always return True."""
        if hasattr(record, MASKED):
            return True
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
