"""Messages for numbers and codes, from whatever yemot-flow's handlers give."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final, TypeAlias

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.code_warnings import warn_once
from yemot_ai.protocol import Digits, Letters, Message, Number, Text, normalize_speech, speakable

__all__ = ["Numeral", "numeral_text", "read_number", "spell", "spell_letters"]

Numeral: TypeAlias = int | float | Decimal
"""A number of Python; ``bool`` is not meant."""

_MAX_NUMBER_DIGITS: Final = 15
"""A number with more digits is a code: nobody understands it as one number."""

_GROUPS: Final = re.compile(r"(?<=[0-9])[,\s](?=[0-9]{3}(?![0-9]))")
_WHOLE: Final = re.compile(r"[0-9]+")
_CODE: Final = re.compile(r"(?:\+|0)[0-9][-\s()0-9]*")
_DECIMAL: Final = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?")
_NO_DIGIT: Final = re.compile(r"[^0-9]")
_LETTERS: Final = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
_RUN: Final = re.compile(r"[0-9]+|[A-Za-z]+|[*#.]|[-\s()/,:;_+]+|[^-0-9A-Za-z*#.\s()/,:;_+]+")
_SEPARATORS: Final = re.compile(r"[-\s()/,:;_+]+")
_SIGNS: Final = {"*": "כוכבית", "#": "סולמית", ".": "נקודה"}


def read_number(value: str | Numeral) -> tuple[Message, ...]:
    """Return the messages that read a number as one number [OFF].

    A leading zero or a plus belongs to a telephone number or a code, which is read digit by digit, and so
    is a number of more than 15 digits. A fraction, a negative number, and other texts are spoken as a text,
    because the line's ``n-`` has no documented form for them.

    Args:
        value: a number, or a text with one; ``1,234`` and ``1 234`` have their thousands set apart.

    Raises:
        ConfigurationError: it has nothing that can be read.
    """
    text = _GROUPS.sub("", numeral_text(value))
    if _CODE.fullmatch(text):
        return (Digits(_NO_DIGIT.sub("", text)),)
    if _WHOLE.fullmatch(text):
        return (Digits(text) if len(text) > _MAX_NUMBER_DIGITS else Number(int(text)),)
    if not _DECIMAL.fullmatch(text):
        warn_once("('number', …) was given other text than a number; it is spoken as a text")
    return tuple(speakable(text)) or spell(text)


def spell(value: str | Numeral) -> tuple[Message, ...]:
    """Return the messages that read a code one character at a time.

    Digits are read as digits and Latin letters as letters [OFF]: an ``ApiCallId`` has both. ``*``, ``#`` and
    ``.`` are spoken; spaces, dashes and other separators are not read. Anything else is spoken as a text.

    Raises:
        ConfigurationError: it has nothing that can be read.
    """
    runs = _RUN.findall(numeral_text(value))
    messages = tuple(message for run in runs for message in _spell_run(run))
    if not messages:
        raise ConfigurationError("('digits' or 'alpha', …) was given a text without digits or letters")
    return messages


def spell_letters(value: str | Numeral) -> tuple[Message, ...]:
    """Return the messages that spell Latin letters, digits and spaces [OFF]; others as ``spell`` does."""
    text = _SEPARATORS.sub(" ", numeral_text(value)).strip()
    return (Letters(text),) if _LETTERS.fullmatch(text) else spell(text)


def numeral_text(value: str | Numeral) -> str:
    """Return a number as it is written: ASCII digits, no exponent, no invisible characters.

    Raises:
        ConfigurationError: it is infinite, or not a number.

    >>> numeral_text(3.0), numeral_text(2.50), numeral_text("٣")
    ('3', '2.5', '3')
    """
    if isinstance(value, float | Decimal):
        exact = Decimal(str(value))
        if not exact.is_finite():
            raise ConfigurationError(f"{value} cannot be read as a number")
        return str(int(exact)) if exact == exact.to_integral_value() else format(exact, "f")
    text = normalize_speech(str(value))
    return "".join(str(unicodedata.decimal(character, character)) for character in text)


def _spell_run(run: str) -> tuple[Message, ...]:
    if run[0] in "0123456789":
        return (Digits(run),)
    if run.isascii() and run.isalpha():
        return (Letters(run),)
    if run in _SIGNS:
        return (Text(_SIGNS[run]),)
    if _SEPARATORS.fullmatch(run):
        return ()
    warn_once("('digits' or 'alpha', …) was given more than digits and Latin letters, which is spoken")
    return tuple(speakable(run))
