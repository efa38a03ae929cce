"""Numbers of which the line takes only valid ones: identity numbers and Israeli phone numbers.

Source: [OFF] that only valid ones can be typed with the keyboards ``TeudatZehut`` and ``Phone``. What
counts as valid is the public numbering, not a text of the platform [?].

>>> is_identity_number("123456782"), is_identity_number("12345672"), is_identity_number("123456789")
(True, False, False)
>>> is_israeli_phone_number("0501234567"), is_israeli_phone_number("021234567")
(True, True)
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_identity_number", "is_israeli_phone_number"]

IDENTITY_DIGITS: Final = 9
_DIGITS: Final = re.compile("[0-9]+")
_PHONE: Final = re.compile(r"0(?:[23489][0-9]{7}|[57][0-9]{8})")
"""Nine digits with an area code, ten of a mobile or of a number without an area."""


def is_identity_number(typed: str) -> bool:
    """Whether the last digit of an Israeli identity number fits the others; leading zeros may be missing."""
    if not _DIGITS.fullmatch(typed) or len(typed) > IDENTITY_DIGITS:
        return False
    products = (int(digit) * (1 + index % 2) for index, digit in enumerate(typed.zfill(IDENTITY_DIGITS)))
    return sum(product // 10 + product % 10 for product in products) % 10 == 0


def is_israeli_phone_number(typed: str) -> bool:
    """Whether it is a whole national number: ``021234567`` or ``0501234567``."""
    return bool(_PHONE.fullmatch(typed))
