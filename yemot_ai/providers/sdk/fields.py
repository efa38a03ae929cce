"""Read what an SDK has not checked: its types declare fields that compatible servers leave out.

>>> field({"text": "כן"}, "text"), field(None, "text")
('כן', None)
>>> text_of([{"type": "thinking", "thinking": "…"}, {"type": "text", "text": "כן"}])
'כן'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["field", "items", "text_of"]

_TEXT_TYPES: Final = frozenset({None, "text", "output_text"})


def field(value: object, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a field of an SDK's object, or of a mapping where the SDK knows no type; None without it."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def items(value: object) -> list[Any]:
    """Return ``value`` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text_of(content: object) -> str:
    """Return the text of a message: a text, or parts of which some are text.

    Raises:
        TypeError: it is neither.
    """
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list | Mapping):
        raise TypeError(type(content).__name__)
    return "".join(map(_part_text, content if isinstance(content, list) else [content]))


def _part_text(part: object) -> str:
    text = part if isinstance(part, str) else field(part, "text")
    return text if isinstance(text, str) and field(part, "type") in _TEXT_TYPES else ""
