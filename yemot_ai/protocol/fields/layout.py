"""Layouts of positional fields, shared by constructors, ``str()``, ``parse``, ``lint`` and ``explain``.

>>> from yemot_ai.protocol.fields.codecs import Choice, Integer
>>> layout = Layout(seconds=Integer(default=7), loud=(Choice({"": False, "yes": True}), "aloud"))
>>> [(part.title, part.value) for part in layout.parse("", 0, print)]
[('seconds', 7), ('aloud', False)]
>>> layout.render({"seconds": 7, "loud": False})
'7'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.fields.codecs import Codec
from yemot_ai.protocol.fields.parts import Part, split_parts

__all__ = ["Layout", "LayoutField", "Report", "field_values"]

LayoutField: TypeAlias = Codec | tuple[Codec, str]
"""The codec of a field, and the field's title; default: the name of its attribute."""

Report: TypeAlias = Callable[[str, str, int], None]
"""Called with code, reason and position of each error and warning."""


class Layout:
    """Fields by attribute, in the order of the official table, separated by ``,``.

    A layout with one field takes the whole text, including commas. The names of ``Constant`` fields
    start with an underscore.

    Attributes:
        codecs: the codec of each field.
        titles: the title of each field.
    """

    __slots__ = ("codecs", "titles")

    def __init__(self, **fields: LayoutField) -> None:
        titled = {
            name: field if isinstance(field, tuple) else (field, _label(name))
            for name, field in fields.items()
        }
        self.codecs: Final = {name: codec for name, (codec, _) in titled.items()}
        self.titles: Final = {name: title for name, (_, title) in titled.items()}

    def parse(self, text: str, offset: int, report: Report, ignore: Report | None = None) -> list[Part]:
        """Parse ``text`` and return the parts of all fields.

        Args:
            text: the fields; those omitted at the end have their defaults.
            offset: position of ``text`` in the response.
            report: called with code, reason and position of each error and warning.
            ignore: if given, called instead of ``report`` for a positional field that is not understood
                but has a default, which it then has, and for surplus fields.
        """
        if len(self.codecs) == 1:
            ignore = None
        pieces = split_parts(text, ",", offset) if len(self.codecs) > 1 else [(offset, text)]
        if len(pieces) > len(self.codecs):
            reason = f"{len(pieces)} fields where {len(self.codecs)} are known"
            (ignore or report)("too-many-fields", reason, pieces[len(self.codecs)][0])
        missing = [(offset + len(text), "")] * (len(self.codecs) - len(pieces))
        fields = [
            self._parse_field(number, name, piece, report, ignore)
            for number, (name, piece) in enumerate(zip(self.codecs, pieces + missing, strict=False), start=1)
        ]
        for part in fields[len(pieces) :]:
            part.present = False
        if len(pieces) > len(self.codecs):
            surplus = pieces[len(self.codecs)][0]
            rest = text[surplus - offset :]
            number = len(self.codecs) + 1
            fields.append(
                Part("field", "", rest, surplus, number, rest, ignore is not None, title="not a known field")
            )
        return fields

    def _parse_field(
        self, number: int, name: str, field: tuple[int, str], report: Report, ignore: Report | None
    ) -> Part:
        position, text = field
        codec, title = self.codecs[name], self.titles[name]
        part = Part("field", name, text, position, number, title=title, codec=codec)
        try:
            part.value = codec.decode(text)
        except InvalidValueError as error:
            part.valid = ignore is not None and _set_default(part, codec)
            (ignore if ignore and part.valid else report)(
                error.code, f"{_label(name)}: {error.reason}", position + error.position
            )
            return part
        part.valid = True
        warning = codec.find_warning(text)
        if warning:
            code, index = warning
            report(code, f"{_label(name)}: {text[:40]!r}", position + index)
        return part

    def encode(self, value: Mapping[str, Any] | object) -> list[str]:
        """Return the texts of all fields for ``value``, a mapping or an object with attributes.

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
        """Return the canonical text: fields joined by commas, without empty ones at the end."""
        texts = self.encode(value)
        while len(texts) > 1 and not texts[-1]:
            texts.pop()
        return ",".join(texts)


def field_values(fields: Sequence[Part]) -> dict[str, Any] | None:
    """Return the attributes that ``fields`` stand for, or None if one of them is invalid."""
    if not all(part.valid for part in fields):
        return None
    return {part.name: part.value for part in fields if part.name and not part.name.startswith("_")}


def _set_default(part: Part, codec: Codec) -> bool:
    """Set the value of an empty field; return False if the field must not be empty."""
    try:
        part.value = codec.decode("")
    except InvalidValueError:
        return False
    return True


def _label(name: str) -> str:
    return name.replace("_", " ").strip()
