"""Phone numbers in one form, so that two spellings of a number compare equal.

>>> normalize_number("+972 50-123-4567"), normalize_number("0972501234567"), normalize_number("501234567")
('0501234567', '0501234567', '0501234567')
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

__all__ = ["normalize_number"]

COUNTRY_CODE = "972"

MOBILE_DIGITS = 9
"""Digits of an Israeli mobile number without its zero."""

MAX_NATIONAL_DIGITS = 10
"""A longer number that starts with 972 has the country code."""

_NUMBER = re.compile(r"([^0-9]*)([0-9](?:[^\w;,@?#*]|[0-9])*)")
"""What stands before the first digit, and the digits up to an extension or parameters (RFC 3966)."""


def normalize_number(text: str) -> str:
    """Return the digits of a phone number, with Israel's country code replaced by the leading zero.

    Digits of any script count, also as a URI writes them (``%2D``). What follows the number is dropped: an
    extension, parameters, a host. The zero that a spreadsheet drops from a mobile number is added, and one
    before the country code is removed.

    >>> normalize_number("0501234567"), normalize_number("withheld")
    ('0501234567', '')
    >>> normalize_number("tel:+972-50-1234567;ext=1"), normalize_number("٠٥٠١٢٣٤٥٦٧")
    ('0501234567', '0501234567')
    >>> normalize_number("tel:050%2D1234567")
    '0501234567'
    """
    match = _NUMBER.search("".join(map(_to_ascii, unicodedata.normalize("NFKC", unquote(text)))))
    if match is None:
        return ""
    digits = "".join(filter(str.isdecimal, match[2]))
    is_international = "+" in match[1] or digits.startswith("00")
    number = digits.lstrip("0")
    if number.startswith(COUNTRY_CODE) and (is_international or len(number) > MAX_NATIONAL_DIGITS):
        return f"0{number.removeprefix(COUNTRY_CODE).lstrip('0')}"
    if is_international:
        return number
    return f"0{digits}" if len(digits) == MOBILE_DIGITS and digits.startswith("5") else digits


def _to_ascii(character: str) -> str:
    return str(unicodedata.decimal(character, character))
