"""Mask what a report that others can read must not contain: phone numbers, and secrets of the environment.

>>> mask("call from 0501234567")
'call from …4567'
>>> mask("key of-the-shop", {"SHOP_API_KEY": "of-the-shop"})
'key ***'
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Final

from yemot_ai import NumberMaskingFilter

__all__ = ["mask"]

_SECRET_NAME: Final = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_MIN_LENGTH: Final = 8
"""Shorter values are words that stand in many texts, such as ``none``."""


def mask(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return ``text`` with only the last four digits of phone numbers, and without secrets.

    Args:
        text: any text.
        environment: variables; a value is a secret if its name says so (``SHOP_API_KEY``) and it has 8 or
            more characters.
    """
    for name, value in (environment or {}).items():
        if _SECRET_NAME.search(name) and len(value) >= _MIN_LENGTH:
            text = text.replace(value, "***")
    return "\n".join(map(_mask_numbers, text.split("\n")))


def _mask_numbers(line: str) -> str:
    record = logging.makeLogRecord({"msg": line})
    NumberMaskingFilter().filter(record)
    return record.getMessage()
