"""Codecs for texts: with a documented form, for folder targets, and free text.

>>> Regex(re.compile("[a-z]+"), "small letters").decode("abc")
'abc'
>>> FreeText(forbidden=".").find_warning("שלום") is None
True
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.fields.codecs import CONTROL, FieldWarning, first_index

__all__ = ["FolderTarget", "FreeText", "Regex"]

_CONTROL: Final = re.compile(f"[{CONTROL}]")


@dataclass(frozen=True, slots=True)
class Regex:
    """A text with a documented form.

    Attributes:
        pattern: the pattern of the whole text.
        description: the form in words, for the error.
        default: value of an empty field; None if it must not be empty.
        code: the rule that an invalid text breaks.
        invalid: characters that never occur, as the inside of a character class.
        find_warning: returns the warning for a valid text, or None.
    """

    pattern: re.Pattern[str]
    description: str
    default: str | None = None
    code: str = "format"
    invalid: str = ",&="
    find_warning: Callable[[str], FieldWarning | None] = lambda _text: None

    def decode(self, text: str) -> str:
        """Check the form."""
        if not text and self.default is not None:
            return self.default
        if not self.pattern.fullmatch(text):
            control = _CONTROL.search(text)
            if control:
                reason = f"{control.group()!r} is not allowed here"
                raise InvalidValueError("character", reason, position=control.start())
            position = first_index(re.compile(f"[{self.invalid}]"), text)
            raise InvalidValueError(self.code, f"{text[:40]!r} is not {self.description}", position=position)
        return text

    def encode(self, value: object) -> str:
        """Check the form."""
        if not isinstance(value, str):
            raise InvalidValueError(self.code, f"{value!r} is not {self.description}")
        return self.decode(value)


@dataclass(frozen=True, slots=True)
class FolderTarget:
    """A folder that the caller is sent to; a ``/`` at the end is accepted with a warning.

    Attributes:
        pattern: the pattern of a target.
        description: the form in words, for the error.
    """

    pattern: re.Pattern[str]
    description: str

    def decode(self, text: str) -> str:
        """Parse a target."""
        if len(text) > 1 and text.endswith("/") and self.pattern.fullmatch(text[:-1]):
            return text[:-1]
        return self.encode(text)

    def encode(self, value: object) -> str:
        """Check the form."""
        return Regex(self.pattern, self.description, code="target").encode(value)

    def find_warning(self, text: str) -> FieldWarning | None:
        """Warn of targets that are probably not intended."""
        if len(text) > 1 and text.endswith("/"):
            return "trailing-slash", len(text) - 1
        return ("hangup-folder", 0) if text == "/hangup" else None


@dataclass(frozen=True, slots=True)
class FreeText:
    """Free text without certain characters.

    Attributes:
        forbidden: these characters, as the inside of a character class, without control characters.
        code: the rule that such a character breaks.
        codes: rules for single characters that break another rule.
        required: whether the text must have more than white space.
        default: value of an empty field.
        find_warning: returns the warning for a valid text, or None.
    """

    forbidden: str
    code: str = "character"
    codes: Mapping[str, str] = field(default_factory=dict)
    required: bool = True
    default: str = ""
    find_warning: Callable[[str], FieldWarning | None] = lambda _text: None
    _invalid: re.Pattern[str] = field(init=False, repr=False, compare=False, default=_CONTROL)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_invalid", re.compile(f"[{self.forbidden}{CONTROL}]"))

    def decode(self, text: str) -> str:
        """Check every character."""
        bad = self._invalid.search(text)
        if bad:
            code = self.codes.get(bad.group(), self.code)
            raise InvalidValueError(code, f"{bad.group()!r} is not allowed here", position=bad.start())
        if self.required and not text.strip():
            raise InvalidValueError("empty-value", "the text is empty")
        return text or self.default

    def encode(self, value: object) -> str:
        """Check every character."""
        if not isinstance(value, str):
            raise InvalidValueError(self.code, f"{value!r} is not a text")
        if not value and self.default:
            raise InvalidValueError("empty-value", "the text is empty")
        return self.decode(value)
