"""The parts of a response with their positions, for ``lint`` and ``explain``.

>>> [(part.position, part.text) for part in (Part("field", "max_digits", "4", 9),)]
[(9, '4')]
>>> split_parts("a,,b", ",", offset=5)
[(5, 'a'), (7, ''), (8, 'b')]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from yemot_ai.protocol.fields.codecs import Codec

__all__ = ["Part", "split_parts"]


@dataclass(slots=True)
class Part:
    """An action, a message or a field in the text.

    Attributes:
        kind: which of the three.
        name: an action's name, a message's type, or a field's attribute.
        text: its text.
        position: index of its first character.
        number: position among its siblings, from 1.
        value: its parsed value; None if it is invalid.
        valid: whether it was parsed.
        present: whether it is in the text; a field omitted at the end is not.
        title: its name in the official table.
        codec: a field's codec.
        parts: its parts.
    """

    kind: Literal["action", "message", "field"]
    name: str
    text: str
    position: int
    number: int = 1
    value: object = None
    valid: bool = False
    present: bool = True
    title: str = ""
    codec: Codec | None = None
    parts: list[Part] = field(default_factory=list)

    @property
    def end(self) -> int:
        """Index after its last character."""
        return self.position + len(self.text)

    def parts_of_kind(self, kind: str) -> Iterator[Part]:
        """Return the direct parts of one kind."""
        return (part for part in self.parts if part.kind == kind)

    def position_of(self, name: str) -> int:
        """Return the position of the field ``name``, or of the part if it has no such field."""
        return next((part.position for part in self.parts if part.name == name), self.position)


def split_parts(text: str, separator: str, offset: int = 0) -> list[tuple[int, str]]:
    """Split ``text`` at ``separator``; return each part with its position, counted from ``offset``."""
    parts = []
    for part in text.split(separator):
        parts.append((offset, part))
        offset += len(part) + len(separator)
    return parts
