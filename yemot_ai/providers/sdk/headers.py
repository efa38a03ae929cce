"""Check what goes into the headers of a request when the provider is made, not in a call.

>>> check_header("the key", "sk-1")
>>> try:
...     check_header("the key", f"sk-{chr(0x200F)}1")
... except ConfigurationError as error:
...     print(error)
the key holds U+200F RIGHT-TO-LEFT MARK as character 4, which no HTTP header can carry: write it without
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from yemot_ai.errors import ConfigurationError

__all__ = ["check_header", "check_key"]

_UNSENDABLE: Final = re.compile(r"[^\t\x20-\x7e]")
_QUOTED: Final = re.compile(r"(['\"`]).*\1", re.DOTALL)


def check_header(what: str, value: str) -> None:
    """Check the value of a header.

    Args:
        what: names the value in the error, which does not quote it.
        value: the value.

    Raises:
        ConfigurationError: a character of it cannot be sent.
    """
    found = _UNSENDABLE.search(value)
    if found is not None:
        sign = f"U+{ord(found[0]):04X} {unicodedata.name(found[0], 'control character')}"
        place = f"as character {found.start() + 1}"
        raise ConfigurationError(
            f"{what} holds {sign} {place}, which no HTTP header can carry: write it without"
        )


def check_key(what: str, key: str) -> None:
    """Check a key; ``what`` names it in the error.

    Raises:
        ConfigurationError: it cannot be sent, or stands in quotes.
    """
    check_header(what, key)
    if _QUOTED.fullmatch(key):
        raise ConfigurationError(f"{what} stands in quotes: write it without")
