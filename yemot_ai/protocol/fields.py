"""Positional fields: the one table from which constructors, ``str()``, ``parse`` and ``lint`` live.

>>> from yemot_ai.protocol.codecs import Choice, Count
>>> fields = Layout(seconds=Count(default=7), loud=Choice({"": False, "yes": True}))
>>> fields.decode("", found=print)
{'seconds': 7, 'loud': False}
>>> fields.render({"seconds": 7, "loud": False})
'7'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from yemot_ai.errors import InvalidValueError
from yemot_ai.protocol.codecs import Codec

__all__ = ["Layout", "parts_of"]


class Layout:
    """Codecs by attribute, in the order of the official table; ``,`` between them.

    A layout of one field takes the whole text, commas included. ``Fixed`` positions are named
    with a leading underscore.
    """

    __slots__ = ("codecs",)

    def __init__(self, **codecs: Codec) -> None:
        self.codecs: Final = codecs

    def decode(self, text: str, found: Callable[[str, str, int], None]) -> dict[str, Any] | None:
        """The attributes that ``text`` stands for.

        Args:
            text: the fields; those missing at the end mean their defaults.
            found: told the code, reason and position of all that is wrong or doubtful.

        Returns:
            The attributes, or None when ``found`` was told an error.
        """
        parts = parts_of(text, ",") if len(self.codecs) > 1 else [(0, text)]
        valid = True
        if len(parts) > len(self.codecs):
            position = parts[len(self.codecs)][0]
            found("too-many-fields", f"{len(parts)} fields where {len(self.codecs)} are known", position)
            valid = False
        values: dict[str, Any] = {}
        missing = [(len(text), "")] * (len(self.codecs) - len(parts))
        for (name, codec), (position, part) in zip(self.codecs.items(), parts + missing, strict=False):
            try:
                value = codec.decode(part)
            except InvalidValueError as error:
                found(error.code, f"{_spoken(name)}: {error.reason}", position + error.position)
                valid = False
                continue
            if not name.startswith("_"):
                values[name] = value
            doubt = codec.doubt(part)
            if doubt:
                found(doubt, f"{_spoken(name)}: {part[:40]!r}", position)
        return values if valid else None

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
                    error.code, f"{_spoken(name)}: {error.reason}", position=error.position
                ) from None
        return texts

    def render(self, value: Mapping[str, Any] | object) -> str:
        """The canonical text: fields joined by commas, without the empty ones at the end."""
        texts = self.encode(value)
        while len(texts) > 1 and not texts[-1]:
            texts.pop()
        return ",".join(texts)


def parts_of(text: str, separator: str, offset: int = 0) -> list[tuple[int, str]]:
    """The parts of ``text`` between separators, each with its position; ``text`` begins at ``offset``."""
    parts = []
    for part in text.split(separator):
        parts.append((offset, part))
        offset += len(part) + len(separator)
    return parts


def _spoken(name: str) -> str:
    return name.replace("_", " ").strip()
