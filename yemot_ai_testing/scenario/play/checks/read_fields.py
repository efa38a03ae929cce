"""Compare the fields of a read with expected values, by meaning.

The text that the server wrote, the official spelling and the form of this project all match.

>>> from yemot_ai_testing.line.exchange import final_read
>>> raw = "read=t-מה=q,no,1,1,07,No,,,,12"
>>> read = final_read(raw)
>>> fields = read_fields(read, raw)
>>> [fields["seconds"].matches(text) for text in ("07", "7", "8")]
[True, True, False]
>>> [fields["allowed"].matches(value) for value in ("12", "1.2", ("1", "2"), "3")]
[True, True, True, False]
>>> str(fields["allowed"])
'12 (1.2)'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol import Read
from yemot_ai.protocol.fields.codecs import Codec
from yemot_ai.protocol.fields.parts import Part
from yemot_ai.protocol.grammar import parse_response
from yemot_ai_testing.scenario.format.expectations import MODES

__all__ = ["ReadField", "read_fields", "written_text"]

_OPPOSITE_WORDS: Final = {"yes": "no", "no": "yes"}
_UNKNOWN: Final = object()


@dataclass(frozen=True, slots=True)
class ReadField:
    """One field of a read.

    Attributes:
        value: its parsed value.
        written: its text in the response; empty if the server left it out.
        codec: parses a text of this field; None for ``mode``.
    """

    value: object
    written: str
    codec: Codec | None = None

    def __str__(self) -> str:
        """Return the text that the server wrote, and what it means if that is not the same."""
        plain = _plain_text(self.value)
        return plain if self.written == plain else f"{self.written or 'empty'} ({plain or 'empty'})"

    @property
    def corrected(self) -> str:
        """The text for a scenario file: as the server wrote it; of an empty field the default."""
        return self.written or _plain_text(self.value)

    def matches(self, expected: str | tuple[str, ...]) -> bool:
        """Return whether the value of the field is ``expected``.

        Args:
            expected: a text in any spelling, or the items of a list.
        """
        if isinstance(expected, tuple):
            return _is_same(expected, self.value)
        if expected in {self.written, _plain_text(self.value)}:
            return True
        return self.codec is not None and any(
            _is_same(meaning, self.value) for meaning in _meanings(self.codec, expected)
        )


def read_fields(read: Read, raw: str) -> Mapping[str, ReadField]:
    """Return the fields of ``read`` by name, with ``mode``.

    Args:
        read: the read.
        raw: the response that contains it; if it does not, the canonical texts count as written.
    """
    mode = next(name for name, mode in MODES.items() if isinstance(read.mode, mode))
    fields = {
        part.name: ReadField(part.value, part.text, part.codec)
        for part in _action_part(read, raw).parts_of_kind("field")
        if part.name and not part.name.startswith("_")
    }
    return {"mode": ReadField(mode, mode), **fields}


def written_text(read: Read, raw: str) -> str:
    """Return ``read`` as it is written in ``raw``, or in canonical form if it is not there."""
    return _action_part(read, raw).text


def _action_part(read: Read, raw: str) -> Part:
    for text in (raw, str(read)):
        for part in reversed(parse_response(text, lenient=True).parts):
            if part.value == read:
                return part
    raise AssertionError(read)


def _meanings(codec: Codec, text: str) -> Iterator[object]:
    """Yield the values that ``text`` can stand for."""
    word = text.casefold()
    decoded = _decode(codec, text)
    yield decoded
    if word in {"true", "false"}:
        yield word == "true"
    elif word == "null":
        yield _decode(codec, "")
    elif word in _OPPOSITE_WORDS and decoded is _UNKNOWN:
        opposite = _decode(codec, _OPPOSITE_WORDS[word])
        yield not opposite if isinstance(opposite, bool) else word == "yes"
    elif len(text) > 1 and text.endswith("/") and decoded is _UNKNOWN:
        yield _decode(codec, text[:-1])


def _decode(codec: Codec, text: str) -> object:
    try:
        return codec.decode(text)
    except InvalidValueError:
        return _UNKNOWN


def _is_same(meaning: object, value: object) -> bool:
    """Whether two values of a field are equal: a switch is no number, and the order of a list is free."""
    if isinstance(meaning, tuple) and isinstance(value, tuple):
        return set(meaning) == set(value)
    return type(meaning) is type(value) and meaning == value


def _plain_text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return ".".join(value) if isinstance(value, tuple) else str(value)
