"""Positional fields: the tables from which constructors, ``str()``, ``parse``, ``lint``, ``explain`` live.

>>> from yemot_ai.protocol.fields.codecs import Choice, Count
>>> fields = Layout(seconds=Count(default=7), loud=Choice({"": False, "yes": True})).named(loud="aloud")
>>> [(part.title, part.value) for part in fields.parse("", 0, print)]
[('seconds', 7), ('aloud', False)]
>>> fields.render({"seconds": 7, "loud": False})
'7'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self, TypeAlias

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.fields.codecs import Codec
from yemot_ai.protocol.fields.parts import Part, split_parts

__all__ = ["Layout", "Report", "field_values"]

Report: TypeAlias = Callable[[str, str, int], None]
"""What is told the code, reason and position of all that is wrong or doubtful."""


class Layout:
    """Codecs by attribute, in the order of the official table; ``,`` between them.

    A layout of one field takes the whole text, commas included. ``Fixed`` positions are named
    with a leading underscore.

    Attributes:
        codecs: how each field is read.
        titles: what each field is called, where its attribute's name does not say it.
    """

    __slots__ = ("codecs", "titles")

    def __init__(self, **codecs: Codec) -> None:
        self.codecs: Final = codecs
        self.titles: dict[str, str] = {name: name.replace("_", " ").strip() for name in codecs}

    def with_titles(self, **titles: str) -> Self:
        """The same layout, with words for its fields."""
        self.titles |= titles
        return self

    def parse(self, text: str, offset: int, report: Report) -> list[Part]:
        """The fields that stand in ``text``, all positions filled.

        Args:
            text: the fields; those missing at the end mean their defaults.
            offset: where ``text`` begins in the answer.
            report: told the code, reason and position of all that is wrong or doubtful.
        """
        pieces = split_parts(text, ",", offset) if len(self.codecs) > 1 else [(offset, text)]
        if len(pieces) > len(self.codecs):
            reason = f"{len(pieces)} fields where {len(self.codecs)} are known"
            report("too-many-fields", reason, pieces[len(self.codecs)][0])
        missing = [(offset + len(text), "")] * (len(self.codecs) - len(pieces))
        fields = [
            self._parse_field(number, name, piece, report)
            for number, (name, piece) in enumerate(zip(self.codecs, pieces + missing, strict=False), start=1)
        ]
        for part in fields[len(pieces) :]:
            part.present = False
        if len(pieces) > len(self.codecs):
            surplus = pieces[len(self.codecs)][0]
            rest = text[surplus - offset :]
            number = len(self.codecs) + 1
            fields.append(Part("field", "", rest, surplus, number, title="not a known field"))
        return fields

    def _parse_field(self, number: int, name: str, piece: tuple[int, str], report: Report) -> Part:
        position, text = piece
        codec, title = self.codecs[name], self.titles[name]
        part = Part("field", name, text, position, number, title=title, codec=codec)
        try:
            part.value = codec.decode(text)
        except InvalidValueError as error:
            report(error.code, f"{_label(name)}: {error.reason}", position + error.position)
            return part
        part.valid = True
        doubt = codec.find_warning(text)
        if doubt:
            code, place = doubt
            report(code, f"{_label(name)}: {text[:40]!r}", position + place)
        return part

    def encode(self, value: Mapping[str, Any] | object) -> list[str]:
        """The fields of ``value``, a mapping or an object with attributes, all positions filled.

        Raises:
            InvalidValueError: an attribute cannot be sent.
        """
        texts = []
        for name, codec in self.codecs.items():
            attribute = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
            try:
                texts.append(codec.encode(attribute))
            except InvalidValueError as error:
                raise InvalidValueError(
                    error.code, f"{_label(name)}: {error.reason}", position=error.position
                ) from None
        return texts

    def render(self, value: Mapping[str, Any] | object) -> str:
        """The canonical text: fields joined by commas, without the empty ones at the end."""
        texts = self.encode(value)
        while len(texts) > 1 and not texts[-1]:
            texts.pop()
        return ",".join(texts)


def field_values(fields: Sequence[Part]) -> dict[str, Any] | None:
    """The attributes that ``fields`` stand for, or None when one of them could not be read."""
    if not all(part.valid for part in fields):
        return None
    return {part.name: part.value for part in fields if not part.name.startswith("_")}


def _label(name: str) -> str:
    return name.replace("_", " ").strip()
