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
from yemot_ai.protocol.fields.white_space import blank_edge, is_blank, strip_blanks

__all__ = ["Layout", "LayoutField", "Repair", "Report", "field_values"]

LayoutField: TypeAlias = Codec | tuple[Codec, str]
"""The codec of a field, and the field's title; default: the name of its attribute."""

Report: TypeAlias = Callable[[str, str, int], None]
"""Called with code, reason and position of each error and warning."""

Repair: TypeAlias = Callable[[list[tuple[int, str]], Report], list[tuple[int, str]]]
"""Takes positions and texts of all fields and returns them as they are meant; reports what it changes."""


class Layout:
    """Fields by attribute, in the order of the official table, separated by ``,``.

    A layout with one field takes the whole text, including commas. The names of fields that always have
    the same value start with an underscore.

    Attributes:
        codecs: the codec of each field.
        titles: the title of each field.
        mentioned: how many fields the official text mentions; it need not describe all.
        repair: returns the fields as they are meant, or None.
    """

    __slots__ = ("_defaults", "codecs", "mentioned", "repair", "titles")

    def __init__(self, mentioned: int = 0, repair: Repair | None = None, /, **fields: LayoutField) -> None:
        self.mentioned: Final = mentioned
        self.repair: Final = repair
        titled = {
            name: field if isinstance(field, tuple) else (field, _label(name))
            for name, field in fields.items()
        }
        self.codecs: Final = {name: codec for name, (codec, _) in titled.items()}
        self.titles: Final = {name: title for name, (_, title) in titled.items()}
        self._defaults: Final = {
            name: codec.decode("")
            for name, codec in self.codecs.items()
            if _is_valid(codec, "") and not list(codec.find_warnings(""))
        }

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
        pieces = self._split(text, offset)
        if self.repair:
            pieces = self.repair(pieces, report)
        missing = [(offset + len(text), "")] * (len(self.codecs) - len(pieces))
        fields = [
            self._parse_field(number, name, piece, report, ignore)
            for number, (name, piece) in enumerate(zip(self.codecs, pieces + missing, strict=False), start=1)
        ]
        for part in fields[len(pieces) :]:
            part.present = False
        if len(pieces) > len(self.codecs):
            fields.append(self._parse_surplus(pieces, report, ignore))
        return fields

    def _split(self, text: str, offset: int) -> list[tuple[int, str]]:
        """Return positions and texts of the fields; a field that takes commas takes none that are surplus."""
        if len(self.codecs) > 1:
            return split_parts(text, ",", offset)
        if text[-1:] != ",":
            return [(offset, text)]
        (codec,) = self.codecs.values()
        bare = text.rstrip(",")
        if _is_valid(codec, text) or not _is_valid(codec, bare):
            return [(offset, text)]
        return [(offset, bare), *split_parts(text[len(bare) + 1 :], ",", offset + len(bare) + 1)]

    def _parse_surplus(self, pieces: list[tuple[int, str]], report: Report, ignore: Report | None) -> Part:
        """Return the part of all fields after the known ones; it is valid if they are ignored."""
        known = len(self.codecs)
        filled = max((i for i, (_, text) in enumerate(pieces, start=1) if not is_blank(text)), default=0)
        position = pieces[known][0]
        part = Part("field", "", ",".join(text for _, text in pieces[known:]), position, known + 1)
        part.title, part.value, part.valid = "not a known field", part.text, True
        if known < filled <= self.mentioned:
            report("undescribed-field", f"field {filled} is {pieces[filled - 1][1][:40]!r}", position)
            part.title = "mentioned but not described"
        elif filled > known:
            part.valid = ignore is not None
            reason = f"{filled} fields where the official table has {known}"
            (ignore or report)("too-many-fields", reason, position)
        if len(pieces) > max(filled, known):
            last = max(filled, known)
            report("empty-fields", f"only commas follow field {last}", pieces[last][0])
        return part

    def _parse_field(
        self, number: int, name: str, field: tuple[int, str], report: Report, ignore: Report | None
    ) -> Part:
        position, text = field
        codec, title = self.codecs[name], self.titles[name]
        part = Part("field", name, text, position, number, title=title, codec=codec)
        if not text and name in self._defaults:
            part.value, part.valid = self._defaults[name], True
            return part
        decoded, start = text, 0
        try:
            part.value = codec.decode(text)
        except InvalidValueError as error:
            decoded, start = strip_blanks(text)
            if decoded == text or not _is_valid(codec, decoded):
                if ignore and name in self._defaults:
                    part.value, part.valid, report = self._defaults[name], True, ignore
                report(error.code, f"{_label(name)}: {error.reason}", position + error.position)
                return part
            part.value = codec.decode(decoded)
        part.valid = True
        edge = blank_edge(text)
        if edge and codec.keeps_spaces and decoded == text:
            edge = None
        for code, index in codec.find_warnings(decoded):
            report(code, f"{_label(name)}: {text[:40]!r}", position + start + index)
            if edge and start + index == edge.start():
                edge = None
        if edge:
            report("white-space", f"{_label(name)}: {text[:40]!r}", position + edge.start())
        return part

    def encode(self, value: Mapping[str, Any] | object) -> list[str]:
        """Return the texts of all fields for ``value``, a mapping or an object with attributes.

        Raises:
            InvalidValueError: an attribute cannot be sent.
        """
        texts, is_mapping = [], isinstance(value, Mapping)
        for name, codec in self.codecs.items():
            attribute = value.get(name) if is_mapping else getattr(value, name, None)  # type: ignore[union-attr]  # as checked
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


def _is_valid(codec: Codec, text: str) -> bool:
    try:
        codec.decode(text)
    except InvalidValueError:
        return False
    return True


def _label(name: str) -> str:
    return name.replace("_", " ").strip()
