"""The parts of an answer, each with its place: what ``lint`` points at and ``explain`` names.

>>> [(part.position, part.text) for part in (Part("field", "max_digits", "4", 9),)]
[(9, '4')]
>>> parts_of("a,,b", ",", offset=5)
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
    """An action, a message or a field, as it stands in the text.

    Attributes:
        kind: which of the three.
        name: an action's name, a message's type, or the attribute that a field stands for.
        text: what stands there.
        position: index of its first character.
        number: its place among its siblings, from 1.
        value: what it was read as; None if it could not be read.
        valid: whether it could be read.
        present: whether it stands in the text; a field that is left out at the end does not.
        title: what the official table calls it.
        codec: a field's codec.
        parts: what it consists of.
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
        """Its direct parts of one kind."""
        return (part for part in self.parts if part.kind == kind)

    def position_of(self, name: str) -> int:
        """Where its field ``name`` stands; where it begins itself if there is none."""
        return next((part.position for part in self.parts if part.name == name), self.position)


def split_parts(text: str, separator: str, offset: int = 0) -> list[tuple[int, str]]:
    """The parts of ``text`` between separators, each with its position; ``text`` begins at ``offset``."""
    parts = []
    for part in text.split(separator):
        parts.append((offset, part))
        offset += len(part) + len(separator)
    return parts
