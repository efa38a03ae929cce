"""Codecs for texts: with a documented form, for folder targets, and free text.

>>> Regex(re.compile("[a-z]+"), "small letters").decode("abc")
'abc'
>>> [*FreeText(forbidden=".", doubtful={"=": "equals-sign"}).find_warnings("א=ב")]
[('equals-sign', 1)]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.fields.codecs import CONTROL, Codec, FieldWarning, FindWarnings, first_index
from yemot_ai.protocol.fields.white_space import BLANK, is_blank

__all__ = ["EQUALS_SIGN", "FolderTarget", "FreeText", "Regex"]

EQUALS_SIGN: Final = {"=": "equals-sign"}
"""The ``doubtful`` of a text outside a read: whether the line takes another ``=`` is not confirmed."""

_CONTROL: Final = re.compile(f"[{CONTROL}]")
_LINE_END: Final = re.compile("[\n\v\f\r\x85\u2028\u2029]")
_QUOTE_MARK: Final = re.compile("[\"'|]")
_SEPARATOR: Final = re.compile(f"[{BLANK}_-]")
_HANGUP: Final = re.compile(f"[{BLANK}]*+(?P<slash>/)?[{BLANK}]*+(?i:hang[ _-]?up)[{BLANK}]*+/?")


@dataclass(frozen=True, slots=True)
class Regex(Codec):
    """A text with a documented form.

    Attributes:
        pattern: the pattern of the whole text.
        description: the form in words, for the error.
        default: value of an empty field; None if it must not be empty.
        code: the rule that an invalid text breaks.
        invalid: characters that never occur, as the inside of a character class.
        find_warnings: returns the warnings for a valid text.
        keeps_spaces: whether white space at the edges is an ordinary part of the text.
    """

    pattern: re.Pattern[str]
    description: str
    default: str | None = None
    code: str = "format"
    invalid: str = ",&="
    find_warnings: FindWarnings = lambda _text: ()
    keeps_spaces: bool = False

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
class FolderTarget(Codec):
    """A folder that the caller is sent to; a ``/`` at the end is accepted with a warning.

    Attributes:
        pattern: the pattern of a target.
        description: the form in words, for the error.
    """

    pattern: re.Pattern[str]
    description: str

    def decode(self, text: str) -> str:
        """Parse a target."""
        if text[-1:] == "/" and not is_blank(text[:-1]) and self.pattern.fullmatch(text[:-1]):
            return text[:-1]
        return self.encode(text)

    def encode(self, value: object) -> str:
        """Check the form."""
        if isinstance(value, str) and is_blank(value):
            raise InvalidValueError("target", f"{value[:40]!r} is not {self.description}")
        return Regex(self.pattern, self.description, code="target").encode(value)

    def find_warnings(self, text: str) -> Iterator[FieldWarning]:
        """Warn of targets that are probably not intended."""
        hangup, separator = _HANGUP.fullmatch(text), _SEPARATOR.search(text)
        if hangup and hangup["slash"]:
            yield "hangup-folder", hangup.start("slash")
        elif hangup and separator:
            yield "hangup-space", separator.start()
        elif hangup and text.rstrip("/") != "hangup":
            yield "letter-case", 0
        if len(text) > 1 and text.endswith("/"):
            yield "trailing-slash", len(text) - 1
        mark = _QUOTE_MARK.search(text)
        if mark:
            yield "unconfirmed-character", mark.start()


@dataclass(frozen=True, slots=True)
class FreeText(Codec):
    """Free text without certain characters.

    Attributes:
        forbidden: these characters, as the inside of a character class, without control characters.
        doubtful: characters that are accepted with a warning, each with its code.
        code: the rule that such a character breaks.
        codes: rules for single characters that break another rule.
        required: whether the text must have more than white space.
        default: value of an empty field.
        find_more: returns further warnings for a valid text.
        keeps_spaces: whether white space at the edges is an ordinary part of the text.
    """

    forbidden: str
    doubtful: Mapping[str, str] = field(default_factory=dict)
    code: str = "character"
    codes: Mapping[str, str] = field(default_factory=dict)
    required: bool = True
    default: str = ""
    find_more: FindWarnings = lambda _text: ()
    keeps_spaces: bool = False
    _invalid: re.Pattern[str] = field(init=False, repr=False, compare=False, default=_CONTROL)
    _doubtful: re.Pattern[str] = field(init=False, repr=False, compare=False, default=_CONTROL)

    def __post_init__(self) -> None:
        doubtful = f"[{re.escape(''.join(self.doubtful))}]" if self.doubtful else "(?!)"
        object.__setattr__(self, "_doubtful", re.compile(doubtful))
        object.__setattr__(self, "_invalid", re.compile(f"(?!{doubtful})[{self.forbidden}{CONTROL}]"))

    def decode(self, text: str) -> str:
        """Check every character."""
        bad = self._invalid.search(text)
        if bad:
            code = "character" if _CONTROL.match(bad.group()) else self.codes.get(bad.group(), self.code)
            raise InvalidValueError(code, f"{bad.group()!r} is not allowed here", position=bad.start())
        if self.required and not text.strip():
            raise InvalidValueError("empty-value", "the text is empty")
        return (_drop_line_end(text) if text[-1:].isspace() else text) or self.default

    def encode(self, value: object) -> str:
        """Check every character."""
        if not isinstance(value, str):
            raise InvalidValueError(self.code, f"{value!r} is not a text")
        if not value and self.default:
            raise InvalidValueError("empty-value", "the text is empty")
        text = self.decode(value)
        if value and text != value:
            raise InvalidValueError(self.code, "it ends with a line end", position=len(text))
        return text

    def find_warnings(self, text: str) -> Iterator[FieldWarning]:
        """Warn of the first doubtful character of each kind, and of what ``find_more`` finds."""
        found: dict[str, int] = {}
        for match in self._doubtful.finditer(text):
            found.setdefault(self.doubtful[match.group()], match.start())
        yield from found.items()
        yield from self.find_more(text)


def _drop_line_end(text: str) -> str:
    """Return ``text`` without white space with a line end at its end, which is dropped after a response."""
    bare = text.rstrip()
    return bare if _LINE_END.search(text, len(bare)) else text
