"""What docstrings say, in the style of Google."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

import griffe

from griffe_doctests import fence_doctests

__all__ = ["Documented", "read_docstring"]


@dataclass(frozen=True, slots=True)
class Documented:
    """A docstring.

    Attributes:
        text: what precedes the sections.
        items: by the names of attributes and arguments: what they are.
    """

    text: str
    items: Mapping[str, str]


def read_docstring(documented: object) -> Documented:
    """Return the docstring of a class or function; without one, an empty text."""
    sections = griffe.Docstring(inspect.getdoc(documented) or "", parser="google").parse(warnings=False)
    text = next(
        (section.value for section in sections if section.kind is griffe.DocstringSectionKind.text), ""
    )
    listed = {griffe.DocstringSectionKind.attributes, griffe.DocstringSectionKind.parameters}
    items = [item for section in sections if section.kind in listed for item in section.value]
    return Documented(fence_doctests(text), {item.name: item.description for item in items})
