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
_QUOTED: Final = re.compile(r"['\"`]|.*['\"`]\Z", re.DOTALL)
_SCHEME: Final = re.compile(r"(?:Authorization:\s*)?(?:Bearer|Basic)\s|Authorization:", re.IGNORECASE)
_ASSIGNMENT: Final = re.compile(r"(?:export\s+)?[A-Za-z]\w*_?(?:KEY|key)\s*=")
_PLACEHOLDER: Final = re.compile(
    r"<.*>|\$\{?\w+\}?|%\w+%|\{\{.*\}\}|.*\.\.\..*|(?:your|insert|enter)[-_ ].*key.*", re.IGNORECASE
)
_SECRET_WITH_SPACE: Final = re.compile(r"sk-\S*\s")

_FAULTS: Final = (
    (_QUOTED, "stands in quotes: write it without"),
    (_SCHEME, "begins with the name of a header or a scheme: write the key alone"),
    (_ASSIGNMENT, "begins with a name and '=': write the key alone"),
    (_SECRET_WITH_SPACE, "has white space in it: write it without"),
    (
        re.compile(rf"(?:{_PLACEHOLDER.pattern})\Z", re.IGNORECASE),
        "is a placeholder: put the key in its place",
    ),
)
"""What is surely no key, and the way out; the error does not quote it."""


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
        ConfigurationError: it cannot be sent, or is surely none.
    """
    check_header(what, key)
    for pattern, fault in _FAULTS:
        if pattern.match(key):
            raise ConfigurationError(f"{what} {fault}")
