"""Check the settings of a client when it is made: in a call it would be too late.

>>> clean_base_url("http://127.0.0.1:8000/v1 ", endings=("/chat/completions",))
'http://127.0.0.1:8000/v1'
>>> try:
...     check_seconds("timeout", "5")
... except ConfigurationError as error:
...     print(error)
timeout='5': give a number of seconds greater than 0
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from yemot_ai.errors import ConfigurationError
from yemot_ai.redaction import redact_url
from yemot_ai.validation import is_number

__all__ = ["check_seconds", "clean_base_url", "clean_name"]

_SCHEMES: Final = ("http", "https")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Categories of characters that nobody sees: controls, marks of direction, line ends."""


def check_seconds(name: str, value: object, *, zero: bool = False) -> None:
    """Check a time.

    Args:
        name: the setting, for the error.
        value: its value, in seconds.
        zero: whether 0 is allowed.

    Raises:
        ConfigurationError: it is no finite number greater than 0.
    """
    if is_number(value, zero=zero) and _is_finite(value):  # type: ignore[arg-type]  # a number
        return
    least = "of 0 or more" if zero else "greater than 0"
    raise ConfigurationError(f"{name}={_shown(value)}: give a number of seconds {least}")


def clean_name(what: str, value: object) -> str:
    """Return a name, such as a model's, without white space around it.

    Raises:
        ConfigurationError: it is no text, is empty, or has a character that nobody sees.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{what} is of type {type(value).__name__}: give a text")
    name = value.strip()
    if not name:
        raise ConfigurationError(f"{what} is empty: name one, or leave it out")
    _check_visible(what, name)
    return name


def clean_base_url(url: object, *, what: str = "base_url", endings: Sequence[str]) -> str:
    """Return an address without white space around it.

    Args:
        url: the address.
        what: names it in errors.
        endings: paths that the SDK adds, which the address must not end with.

    Raises:
        ConfigurationError: no request can be sent to it; the error does not quote its password.
    """
    address = clean_name(what, url)
    shown = f"{what}={redact_url(address)!r}"
    if any(sign.isspace() or sign in "'\"<>`" for sign in address):
        raise ConfigurationError(f"{shown} has a space or quotes in it: write it without")
    parts = _split(address, shown)
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{shown}: write it without '?' and '#', and what follows")
    path = parts.path.rstrip("/")
    if ending := next((ending for ending in endings if path.endswith(ending)), None):
        raise ConfigurationError(f"{shown} ends with {ending}, which is added to it: write it without")
    return address


def _split(address: str, shown: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        has_host, _ = bool(parts.hostname), parts.port
    except ValueError as error:
        raise ConfigurationError(f"{shown} is no address ({error}); IPv6 stands in brackets") from None
    if parts.scheme not in _SCHEMES or "//" not in address:
        raise ConfigurationError(f"{shown}: it begins with http:// or https://")
    if not has_host:
        raise ConfigurationError(f"{shown} has no host: give http://HOST:PORT/v1")
    return parts


def _check_visible(what: str, text: str) -> None:
    for place, sign in enumerate(text, 1):
        if unicodedata.category(sign) in _INVISIBLE:
            name = f"U+{ord(sign):04X} {unicodedata.name(sign, 'control character')}"
            raise ConfigurationError(f"{what} holds {name} as character {place}: write it without")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _shown(value: object) -> str:
    return "a huge number" if isinstance(value, int) and not _is_finite(value) else repr(value)[:40]
