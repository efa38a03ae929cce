"""Read what an SDK has not checked: its types declare fields that compatible servers leave out.

>>> field({"text": "כן"}, "text"), field(None, "text")
('כן', None)
>>> cut_reason("stop"), cut_reason(None), cut_reason("length")
('', '', 'length')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["cut_reason", "field", "items"]

_WHOLE: Final = frozenset(
    {"stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete", "completed", "finished"}
)
"""Why a model stopped whose answer is whole, in lower case; any other reason is that of a cut answer."""


def field(value: object, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a field of an SDK's object, or of a mapping where the SDK knows no type; None without it."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def items(value: object) -> list[Any]:
    """Return ``value`` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def cut_reason(reason: object) -> str:
    """Return why an answer was cut, from the reason why the model stopped; empty for a whole answer.

    Args:
        reason: the service's word, such as ``stop`` or ``length``; None if there is none.
    """
    word = "" if reason is None else str(reason)
    return "" if word.lower() in _WHOLE else word
